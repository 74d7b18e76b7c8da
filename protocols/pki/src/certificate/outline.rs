//! What any certificate says of itself.

use crate::asn1::{Tlv, tag};
use crate::limits::MAX_CERTIFICATE;

/// The fields that name a certificate and its key, of any certificate, also of one that [`super::Certificate::from_der`] does not read: of
/// version 1, or with an extension that is malformed. Nothing of it is verified: who presents it is still to prove that it has the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateOutline<'a> {
    /// All of it.
    pub der: &'a [u8],
    /// Content octets of the serial number, whatever they are.
    pub serial: &'a [u8],
    /// Name of the issuer, in DER.
    pub issuer: &'a [u8],
    /// Name of the subject, in DER.
    pub subject: &'a [u8],
    /// SubjectPublicKeyInfo, in DER.
    pub public_key: &'a [u8],
}

impl<'a> CertificateOutline<'a> {
    /// Reads it; `None` when this is no certificate.
    #[must_use]
    pub fn from_der(der: &'a [u8]) -> Option<Self> {
        let outer = Tlv::only(der).ok().filter(|outer| outer.tag == tag::SEQUENCE && der.len() <= MAX_CERTIFICATE)?;
        let mut fields = outer.contents().ok()?.expect(tag::SEQUENCE).ok()?.contents().ok()?;
        fields.optional(tag::context_constructed(0)).ok()?;
        let serial = fields.expect(tag::INTEGER).ok()?.value;
        // signature
        fields.expect(tag::SEQUENCE).ok()?;
        let issuer = fields.expect(tag::SEQUENCE).ok()?.raw;
        // validity
        fields.expect(tag::SEQUENCE).ok()?;
        let subject = fields.expect(tag::SEQUENCE).ok()?.raw;
        let public_key = fields.expect(tag::SEQUENCE).ok()?.raw;
        Some(Self { der, serial, issuer, subject, public_key })
    }
}
