//! Preferred signature algorithms (RFC 6960 §4.4.7).

use certgate_pki::SignatureAlgorithm;
use certgate_pki::asn1::{DerReader, Tlv, tag};

use crate::request::{MalformedRequest, malformed};

/// Most algorithms in one PreferredSignatureAlgorithms.
pub const MAX_PREFERENCES: usize = 32;

const PART: &str = "PreferredSignatureAlgorithms";

/// What a client would have its answer signed with, the best first.
///
/// ```text
/// PreferredSignatureAlgorithms ::= SEQUENCE OF PreferredSignatureAlgorithm          RFC 6960 §4.4.7.1
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreferredSignatureAlgorithms<'a>(&'a [u8]);

/// One preference.
///
/// ```text
/// PreferredSignatureAlgorithm ::= SEQUENCE {               RFC 6960 §4.4.7.1
///     sigIdentifier AlgorithmIdentifier, pubKeyAlgIdentifier SMIMECapability OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreferredSignatureAlgorithm<'a> {
    /// sigIdentifier; `None` is one that is not made here, SHA-1 for instance.
    pub algorithm: Option<SignatureAlgorithm>,
    /// pubKeyAlgIdentifier in DER: the kind of key, down to its curve, for which the preference holds.
    pub key: Option<&'a [u8]>,
}

impl<'a> PreferredSignatureAlgorithms<'a> {
    pub(crate) fn read(value: &'a [u8]) -> Result<Self, MalformedRequest> {
        let list = Tlv::only(value).ok().filter(|list| list.tag == tag::SEQUENCE).ok_or(MalformedRequest(PART))?;
        let mut preferences = list.contents().map_err(malformed(PART))?;
        for _ in 0..MAX_PREFERENCES {
            if preferences.is_finished() {
                break;
            }
            PreferredSignatureAlgorithm::read(&mut preferences)?;
        }
        preferences.finish().map_err(malformed("too many preferred signature algorithms"))?;
        Ok(Self(list.value))
    }

    /// The preferences in their order, at most [`MAX_PREFERENCES`].
    pub fn iter(&self) -> impl Iterator<Item = PreferredSignatureAlgorithm<'a>> + use<'a> {
        // All of them have been read once.
        let mut preferences = DerReader::new(self.0).ok();
        std::iter::from_fn(move || PreferredSignatureAlgorithm::read(preferences.as_mut()?).ok())
    }
}

impl<'a> PreferredSignatureAlgorithm<'a> {
    fn read(reader: &mut DerReader<'a>) -> Result<Self, MalformedRequest> {
        let mut fields = reader.expect(tag::SEQUENCE).and_then(|tlv| tlv.contents()).map_err(malformed(PART))?;
        let algorithm = fields.any().and_then(SignatureAlgorithm::read).map_err(malformed("sigIdentifier"))?;
        let key = fields.optional(tag::SEQUENCE).map_err(malformed("pubKeyAlgIdentifier"))?;
        if let Some(key) = key {
            // RFC 5751 §2.5.2: an object identifier, and parameters of any type.
            let oid = key.contents().and_then(|mut capability| capability.expect(tag::OID)).and_then(|oid| oid.oid());
            oid.map_err(malformed("pubKeyAlgIdentifier"))?;
        }
        fields.finish().map_err(malformed(PART))?;
        Ok(Self { algorithm, key: key.map(|key| key.raw) })
    }
}
