//! CertReps (RFC 8894 §3.3.2), read strictly: one SignerInfo, DER throughout.

use std::fmt;

use const_oid::ObjectIdentifier;

use super::{
    algorithm::{Hash, RSA_ENCRYPTION, identifier, null},
    envelope::{ID_DATA, ID_SIGNED_DATA, content, issuer_and_serial},
    message::attribute,
};
use crate::{
    asn1::{Element, Fault, strict, tag},
    certificate::Certificate,
    signature,
    verdict::{Stop, require},
};

/// What became of a request (RFC 8894 §3.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Success,
    Failure,
    Pending,
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
            Self::Pending => "PENDING",
        })
    }
}

/// A CertRep, well formed; whether its signature and its attributes are right is asked of it.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    /// The whole encoding.
    pub(super) der: Vec<u8>,
    /// The eContent: the pkcsPKIEnvelope, if there is one.
    pub(super) content: Option<Vec<u8>>,
    /// The digest of its SignerInfo.
    pub(super) hash: Hash,
    /// `issuerAndSerialNumber` of its signer.
    signer: Element,
    /// Each signed attribute, with its one value.
    attributes: Vec<(ObjectIdentifier, Element)>,
    /// What is signed: the attributes as a SET.
    signed: Vec<u8>,
    algorithm: ObjectIdentifier,
    signature: Vec<u8>,
}

impl Reply {
    /// Reads one.
    ///
    /// # Errors
    /// The first departure from DER, RFC 5652 §5.1 or RFC 8894 §3.2.
    pub(super) fn read(octets: &[u8]) -> Result<Self, Fault> {
        let message = Element::parse(octets)?;
        let [version, digests, enclosed, optional @ .., infos] = content(&message, ID_SIGNED_DATA)?.elements() else {
            return Err(Fault::new("SignedData without all its fields"));
        };
        // RFC 5652 §5.1, certificates of no special type, signers by issuerAndSerialNumber, id-data: version 1.
        if version.octets() != [1] {
            return Err(Fault::new("SignedData version is not 1"));
        }
        if optional.iter().any(|field| !matches!(field.tag, 0xa0 | 0xa1)) {
            return Err(Fault::new("SignedData with a field that is none of its own"));
        }
        let [info] = infos.expect_tag(tag::SET, "signerInfos")?.elements() else {
            return Err(Fault(format!("{} SignerInfos, not one", infos.elements().len())));
        };
        let reply = Self::read_signer(info, octets, read_content(enclosed)?)?;
        let listed = digests.expect_tag(tag::SET, "digestAlgorithms")?.elements();
        if !listed.iter().any(|algorithm| algorithm.elements().first().and_then(Element::oid) == Some(reply.hash.oid())) {
            return Err(Fault::new("digestAlgorithms lacks the signer's digest"));
        }
        Ok(reply)
    }

    fn read_signer(info: &Element, der: &[u8], content: Option<Vec<u8>>) -> Result<Self, Fault> {
        // RFC 8894 §3.2: "The SignerInfo MUST contain a set of authenticatedAttributes".
        let [version, signer, digest, attributes, algorithm, signature, ..] = info.elements() else {
            return Err(Fault::new("a SignerInfo without signed attributes"));
        };
        if version.octets() != [1] {
            return Err(Fault::new("SignerInfo version is not 1"));
        }
        let first_oid = |element: &Element| element.elements().first().and_then(Element::oid);
        let hash = first_oid(digest).and_then(Hash::by_oid).ok_or_else(|| Fault::new("a digestAlgorithm unknown here"))?;
        let attributes = attributes.expect_tag(tag::context(0), "signedAttrs")?.elements();
        // X.690 §11.6, which the IMPLICIT tag hides from a reader that knows no types.
        strict::check_order(attributes)?;
        Ok(Self {
            der: der.to_vec(),
            content,
            hash,
            signer: signer.clone(),
            attributes: attributes.iter().map(read_attribute).collect::<Result<_, _>>()?,
            signed: Element::constructed(tag::SET, attributes.to_vec()).encode(),
            algorithm: first_oid(algorithm).ok_or_else(|| Fault::new("a SignerInfo without signatureAlgorithm"))?,
            signature: signature.expect_tag(tag::OCTET_STRING, "signature")?.octets().to_vec(),
        })
    }

    /// The value of a signed attribute, if it is there.
    ///
    /// # Errors
    /// One that is there twice.
    pub(super) fn attribute(&self, oid: ObjectIdentifier) -> Result<Option<&Element>, Fault> {
        let mut found = self.attributes.iter().filter(|(known, _)| *known == oid).map(|(_, value)| value);
        match (found.next(), found.next()) {
            (value, None) => Ok(value),
            _ => Err(Fault(format!("attribute {oid} twice"))),
        }
    }

    /// The text of a signed attribute that RFC 8894 §3.2.1 has as PrintableString.
    ///
    /// # Errors
    /// None, or one of another type.
    pub(super) fn text(&self, oid: ObjectIdentifier, name: &str) -> Result<String, Fault> {
        let value = self.attribute(oid)?.ok_or_else(|| Fault(format!("no {name}")))?;
        Ok(String::from_utf8_lossy(value.expect_tag(tag::PRINTABLE_STRING, name)?.octets()).into_owned())
    }

    /// What became of the request.
    ///
    /// # Errors
    /// A pkiStatus that RFC 8894 does not know, or none.
    pub(super) fn status(&self) -> Result<Status, Fault> {
        match self.text(attribute::PKI_STATUS, "pkiStatus")?.as_str() {
            "0" => Ok(Status::Success),
            "2" => Ok(Status::Failure),
            "3" => Ok(Status::Pending),
            other => Err(Fault(format!("pkiStatus {other:?}"))),
        }
    }

    /// Why it was refused (RFC 8894 §3.2.1.4): 0 to 4.
    ///
    /// # Errors
    /// Another value, or none.
    pub(super) fn fail_info(&self) -> Result<u8, Fault> {
        let text = self.text(attribute::FAIL_INFO, "failInfo")?;
        match text.as_bytes() {
            [digit @ b'0'..=b'4'] => Ok(digit - b'0'),
            _ => Err(Fault(format!("failInfo {text:?}"))),
        }
    }

    /// The status in words, with what was said of a failure.
    pub(super) fn summary(&self) -> String {
        let said = self.attribute(attribute::FAIL_INFO_TEXT).ok().flatten().map(Element::octets).unwrap_or_default();
        match (self.status(), self.fail_info()) {
            (Ok(Status::Failure), Ok(info)) => format!("FAILURE {info} {:?}", String::from_utf8_lossy(said)),
            (Ok(status), _) => status.to_string(),
            (Err(fault), _) => fault.to_string(),
        }
    }

    /// Whether one of `authorities` has signed it; gives which.
    ///
    /// # Errors
    /// [`Stop::Fail`] when none has.
    pub(super) fn verify<'c>(&self, authorities: &'c [Certificate]) -> Result<&'c Certificate, Stop> {
        let signer = authorities.iter().find(|certificate| issuer_and_serial(certificate) == self.signer);
        let signer = signer.ok_or_else(|| Stop::fail("signed by a certificate that is not in the answer to GetCACert"))?;
        let algorithm = if self.algorithm == RSA_ENCRYPTION { self.hash.with_rsa() } else { self.algorithm };
        signature::verify(&signer.spki, &identifier(algorithm, null()), &self.signed, &self.signature)
            .map_err(|error| Stop::Fail(format!("the signature of the CertRep: {error}")))?;
        let digest = self.attribute(attribute::MESSAGE_DIGEST)?.ok_or_else(|| Stop::fail("no messageDigest"))?;
        let wanted = self.hash.of(self.content.as_deref().unwrap_or_default());
        require(*digest == Element::primitive(tag::OCTET_STRING, &wanted), || "messageDigest is not the content's".into())?;
        Ok(signer)
    }
}

/// RFC 8894 §3.2: "The eContentType in encapsulatedContentInfo MUST be data".
fn read_content(enclosed: &Element) -> Result<Option<Vec<u8>>, Fault> {
    let (kind, content) = match enclosed.elements() {
        [kind] => (kind, None),
        [kind, wrapper] => (kind, Some(wrapper.expect_tag(tag::context(0), "eContent")?)),
        _ => return Err(Fault::new("EncapsulatedContentInfo is a SEQUENCE of one or two")),
    };
    if kind.oid() != Some(ID_DATA) {
        return Err(Fault::new("eContentType is not id-data"));
    }
    let Some(wrapper) = content else { return Ok(None) };
    let [octets] = wrapper.elements() else { return Err(Fault::new("eContent [0] holds one value")) };
    Ok(Some(octets.expect_tag(tag::OCTET_STRING, "eContent")?.octets().to_vec()))
}

fn read_attribute(attribute: &Element) -> Result<(ObjectIdentifier, Element), Fault> {
    let [oid, values] = attribute.elements() else { return Err(Fault::new("an attribute is a SEQUENCE of two")) };
    let [value] = values.expect_tag(tag::SET, "attribute values")?.elements() else {
        return Err(Fault::new("a signed attribute has one value"));
    };
    let oid = oid.oid().ok_or_else(|| Fault::new("an attribute without type"))?;
    Ok((oid, value.clone()))
}
