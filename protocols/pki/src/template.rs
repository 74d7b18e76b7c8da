//! What is to be signed: a TBSCertificate (RFC 5280 §4.1) and the two shapes it has here, end entity and CA.

use crate::asn1::{DerWriter, tag};
use crate::extension::{ExtendedKeyUsage, Extension, KeyUsage, Pointers};
use crate::general_name::GeneralName;
use crate::{DigestAlgorithm, KeyType, Name, Provider, PublicKey, Serial, SignatureAlgorithm, Timestamp};

/// notBefore and notAfter, both included (RFC 5280 §4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First second.
    pub not_before: Timestamp,
    /// Last second.
    pub not_after: Timestamp,
}

/// A key identifier: the leftmost 160 bits of the SHA-256 of the subjectPublicKey's bits (RFC 7093 §2 method 1), which keeps SHA-1 out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyIdentifier(Vec<u8>);

impl KeyIdentifier {
    /// The identifier of this key.
    #[must_use]
    pub fn of(key: &PublicKey, provider: &Provider) -> Self {
        let mut digest = provider.digest.digest(DigestAlgorithm::Sha256, key.key_bits());
        digest.truncate(20);
        Self(digest)
    }

    /// An identifier read from a certificate.
    #[must_use]
    pub fn from_octets(octets: Vec<u8>) -> Self {
        Self(octets)
    }

    /// Its octets.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }
}

/// All of a certificate but its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Serial number.
    pub serial: Serial,
    /// The signing CA's subject, byte for byte.
    pub issuer: Name,
    /// From when to when.
    pub validity: Validity,
    /// Whose certificate.
    pub subject: Name,
    /// The certified key.
    pub public_key: PublicKey,
    /// In the order in which they are written.
    pub extensions: Vec<Extension>,
}

/// What the extensions of an end entity's certificate are made of.
#[derive(Clone, Debug)]
pub struct LeafFields<'a> {
    /// Whose certificate.
    pub subject: &'a Name,
    /// Its key.
    pub public_key: &'a PublicKey,
    /// Identifier of that key.
    pub subject_key: &'a KeyIdentifier,
    /// Identifier of the issuer's key.
    pub authority_key: &'a KeyIdentifier,
    /// Names beside the subject.
    pub subject_alt_names: &'a [GeneralName],
    /// Purposes; none at all leaves the extension out.
    pub extended_key_usage: &'a [ExtendedKeyUsage],
    /// Where to learn more.
    pub pointers: &'a Pointers,
}

impl LeafFields<'_> {
    /// The extensions of an end entity.
    #[must_use]
    pub fn extensions(&self) -> Vec<Extension> {
        let key_usage = Extension::key_usage(leaf_key_usage(self.public_key.key_type()));
        let mut extensions = vec![Extension::basic_constraints_leaf(), key_usage];
        if !self.extended_key_usage.is_empty() {
            extensions.push(Extension::extended_key_usage(self.extended_key_usage));
        }
        extensions.push(Extension::subject_key_identifier(self.subject_key.as_octets()));
        extensions.push(Extension::authority_key_identifier(self.authority_key.as_octets()));
        if !self.subject_alt_names.is_empty() {
            extensions.push(Extension::subject_alt_name(self.subject_alt_names, self.subject.is_empty()));
        }
        extensions.extend(self.pointers.extensions());
        extensions
    }
}

/// RFC 5280 §4.2.1.3 and RFC 8446 §4.4.2.2: every key signs; RSA keys also decrypt the secrets of older TLS and of SCEP.
fn leaf_key_usage(key: KeyType) -> KeyUsage {
    match key {
        KeyType::Rsa { .. } => KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT,
        _ => KeyUsage::DIGITAL_SIGNATURE,
    }
}

/// What the extensions of a CA's certificate are made of.
#[derive(Clone, Debug)]
pub struct CaFields<'a> {
    /// Identifier of the CA's key.
    pub subject_key: &'a KeyIdentifier,
    /// Identifier of the issuer's key; its own for a root.
    pub authority_key: &'a KeyIdentifier,
    /// How many CAs may follow below; `None` is no limit.
    pub path_len: Option<u8>,
    /// Where to learn more; nothing for a root.
    pub pointers: &'a Pointers,
}

impl CaFields<'_> {
    /// The extensions of a CA. digitalSignature is for OCSP answers that the CA signs itself.
    #[must_use]
    pub fn extensions(&self) -> Vec<Extension> {
        let usage = KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN | KeyUsage::DIGITAL_SIGNATURE;
        let mut extensions = vec![
            Extension::basic_constraints_ca(self.path_len),
            Extension::key_usage(usage),
            Extension::subject_key_identifier(self.subject_key.as_octets()),
            Extension::authority_key_identifier(self.authority_key.as_octets()),
        ];
        extensions.extend(self.pointers.extensions());
        extensions
    }
}

impl Template {
    /// The TBSCertificate, DER, for a signature of this algorithm.
    ///
    /// ```text
    /// TBSCertificate ::= SEQUENCE {                            RFC 5280 §4.1
    ///     version [0] EXPLICIT INTEGER { v3(2) }, serialNumber INTEGER, signature AlgorithmIdentifier, issuer Name,
    ///     validity SEQUENCE { notBefore Time, notAfter Time }, subject Name, subjectPublicKeyInfo SubjectPublicKeyInfo,
    ///     extensions [3] EXPLICIT SEQUENCE OF Extension }
    /// ```
    #[must_use]
    pub fn to_be_signed(&self, algorithm: SignatureAlgorithm) -> Vec<u8> {
        let mut writer = DerWriter::with_capacity(1024);
        writer.sequence(|w| {
            w.nested(tag::context_constructed(0), |w| {
                w.tlv(tag::INTEGER, &[2]);
            });
            self.serial.write(w);
            algorithm.write(w);
            w.raw(self.issuer.as_der());
            w.sequence(|w| {
                self.validity.not_before.write_time(w);
                self.validity.not_after.write_time(w);
            });
            w.raw(self.subject.as_der());
            w.raw(self.public_key.spki());
            w.nested(tag::context_constructed(3), |w| {
                w.sequence(|w| self.extensions.iter().for_each(|extension| extension.write(w)));
            });
        });
        writer.finish()
    }

    /// The names of its subjectAltName, none if there is none.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn subject_alt_names(&self) -> der::Result<Vec<GeneralName>> {
        let extension =
            self.extensions.iter().find(|extension| extension.oid == const_oid::db::rfc5280::ID_CE_SUBJECT_ALT_NAME);
        extension.map_or_else(|| Ok(Vec::new()), |extension| GeneralName::read_sequence(&extension.value))
    }

    /// The certificate, DER: what was signed, by which algorithm, and the signature.
    #[must_use]
    pub fn assemble(to_be_signed: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
        assemble(to_be_signed, algorithm, signature)
    }
}

/// `SIGNED{}` of X.509: what was signed, by which algorithm, and the signature.
pub(crate) fn assemble(to_be_signed: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    let mut writer = DerWriter::with_capacity(to_be_signed.len() + signature.len() + 32);
    writer.sequence(|w| {
        w.raw(to_be_signed);
        algorithm.write(w);
        w.bit_string(signature);
    });
    writer.finish()
}
