//! SignedData (RFC 5652 §5).

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::ID_SIGNED_DATA;

use super::signer_info::SignerInfo;
use super::{CmsError, malformed, read_content_info};
use crate::asn1::{DerReader, Tlv, tag};
use crate::limits::{MAX_CMS_CERTIFICATES, MAX_SIGNERS};

/// A SignedData as it was received. Nothing in it is verified yet: see [`SignerInfo::verify`].
///
/// ```text
/// SignedData ::= SEQUENCE {                                                                    RFC 5652 §5.1
///     version INTEGER, digestAlgorithms SET OF AlgorithmIdentifier,
///     encapContentInfo SEQUENCE { eContentType OBJECT IDENTIFIER, eContent [0] EXPLICIT OCTET STRING OPTIONAL },
///     certificates [0] IMPLICIT CertificateSet OPTIONAL, crls [1] IMPLICIT RevocationInfoChoices OPTIONAL,
///     signerInfos SET OF SignerInfo }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedData<'a> {
    /// eContentType.
    pub content_type: ObjectIdentifier,
    /// eContent: the octets that are signed. `None` where it was left out.
    pub content: Option<&'a [u8]>,
    /// The X.509 certificates, each as it came; other kinds are passed over.
    pub certificates: Vec<&'a [u8]>,
    /// Who has signed.
    pub signers: Vec<SignerInfo<'a>>,
}

impl<'a> SignedData<'a> {
    /// Reads a ContentInfo of id-signedData.
    ///
    /// # Errors
    /// [`CmsError`] with the part that is malformed.
    pub fn from_der(der: &'a [u8]) -> Result<Self, CmsError> {
        let content = read_content_info(der, ID_SIGNED_DATA)?;
        let mut reader = content.contents().map_err(malformed("SignedData"))?;
        reader.expect(tag::INTEGER).map_err(malformed("version"))?;
        // Each SignerInfo says its own.
        reader.expect(tag::SET).map_err(malformed("digestAlgorithms"))?;
        let encapsulated = reader.expect(tag::SEQUENCE).map_err(malformed("encapContentInfo"))?;
        let (content_type, content) = read_encapsulated(encapsulated).map_err(malformed("encapContentInfo"))?;
        let certificates = reader.optional(tag::context_constructed(0)).map_err(malformed("certificates"))?;
        reader.optional(tag::context_constructed(1)).map_err(malformed("crls"))?;
        let signers = reader.expect(tag::SET).map_err(malformed("signerInfos"))?;
        reader.finish().map_err(malformed("what follows signerInfos"))?;
        let is_certificate = |tlv: &Tlv<'_>| tlv.tag == tag::SEQUENCE;
        let certificates = match certificates {
            Some(set) => elements(set, MAX_CMS_CERTIFICATES).map_err(malformed("certificates"))?,
            None => Vec::new(),
        };
        let signers = elements(signers, MAX_SIGNERS).map_err(malformed("signerInfos"))?;
        Ok(Self {
            content_type,
            content,
            certificates: certificates.into_iter().filter(is_certificate).map(|tlv| tlv.raw).collect(),
            signers: signers.into_iter().map(SignerInfo::read).collect::<Result<_, _>>()?,
        })
    }

    /// The one who has signed.
    ///
    /// # Errors
    /// When nobody has, or more than one.
    pub fn signer(&self) -> Result<&SignerInfo<'a>, CmsError> {
        match self.signers.as_slice() {
            [signer] => Ok(signer),
            _ => Err(CmsError::Malformed("signerInfos")),
        }
    }
}

fn read_encapsulated(tlv: Tlv<'_>) -> der::Result<(ObjectIdentifier, Option<&[u8]>)> {
    let mut reader = tlv.contents()?;
    let content_type = reader.expect(tag::OID)?.oid()?;
    let content = reader.optional(tag::context_constructed(0))?;
    reader.finish()?;
    let octets = content.map(|explicit| {
        let mut reader = explicit.contents()?;
        let octets = reader.expect(tag::OCTET_STRING)?;
        reader.finish().map(|()| octets.value)
    });
    Ok((content_type, octets.transpose()?))
}

/// The elements of a SET OF, `most` at the most.
pub(super) fn elements(set: Tlv<'_>, most: usize) -> der::Result<Vec<Tlv<'_>>> {
    let mut reader: DerReader<'_> = set.contents()?;
    let mut elements = Vec::new();
    while !reader.is_finished() {
        if elements.len() == most {
            return Err(der::ErrorKind::Overlength.into());
        }
        elements.push(reader.any()?);
    }
    Ok(elements)
}
