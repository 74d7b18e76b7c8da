//! Certificate extensions (RFC 5280 §4.2), made and read.

mod revocation;

use std::fmt;
use std::ops::BitOr;

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5280, rfc6960};

use crate::asn1::{DerReader, DerWriter, Tlv, tag};
use crate::general_name::GeneralName;
use crate::limits::{MAX_EXTENSIONS, MAX_PURPOSES};

pub use revocation::{AuthorityInfoAccess, DistributionPointName, Pointers};

/// id-kp-cmcRA, RFC 6402 §2.10.
const ID_KP_CMC_RA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.28");

/// One Extension: its value is the DER inside the extnValue OCTET STRING.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// extnID.
    pub oid: ObjectIdentifier,
    /// Must a reader that does not know it refuse the certificate?
    pub critical: bool,
    /// DER of the extension's own type.
    pub value: Vec<u8>,
}

impl Extension {
    /// subjectAltName, critical when the subject is empty (RFC 5280 §4.2.1.6: "MUST be marked as critical").
    #[must_use]
    pub fn subject_alt_name(names: &[GeneralName], subject_is_empty: bool) -> Self {
        Self::build(rfc5280::ID_CE_SUBJECT_ALT_NAME, subject_is_empty, |w| {
            w.sequence(|w| names.iter().for_each(|name| name.write(w)));
        })
    }

    /// keyUsage, critical (RFC 5280 §4.2.1.3: "conforming CAs SHOULD mark this extension as critical").
    #[must_use]
    pub fn key_usage(usage: KeyUsage) -> Self {
        Self::build(rfc5280::ID_CE_KEY_USAGE, true, |w| usage.write(w))
    }

    /// extKeyUsage, not critical.
    #[must_use]
    pub fn extended_key_usage(purposes: &[ExtendedKeyUsage]) -> Self {
        Self::build(rfc5280::ID_CE_EXT_KEY_USAGE, false, |w| {
            w.sequence(|w| {
                for purpose in purposes {
                    w.oid(&purpose.oid());
                }
            });
        })
    }

    /// basicConstraints of an end entity: the empty sequence, since cA FALSE is the DEFAULT (RFC 5280 §4.2.1.9).
    #[must_use]
    pub fn basic_constraints_leaf() -> Self {
        Self::build(rfc5280::ID_CE_BASIC_CONSTRAINTS, true, |w| {
            w.sequence(|_| {});
        })
    }

    /// basicConstraints of a CA, critical (RFC 5280 §4.2.1.9: "MUST mark the extension as critical").
    #[must_use]
    pub fn basic_constraints_ca(path_len: Option<u8>) -> Self {
        Self::build(rfc5280::ID_CE_BASIC_CONSTRAINTS, true, |w| {
            w.sequence(|w| {
                w.tlv(tag::BOOLEAN, &[0xff]);
                if let Some(length) = path_len {
                    w.tlv(tag::INTEGER, &[length & 0x7f]);
                }
            });
        })
    }

    /// subjectKeyIdentifier (RFC 5280 §4.2.1.2: "MUST mark this extension as non-critical").
    #[must_use]
    pub fn subject_key_identifier(identifier: &[u8]) -> Self {
        Self::build(rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER, false, |w| {
            w.tlv(tag::OCTET_STRING, identifier);
        })
    }

    /// authorityKeyIdentifier with the keyIdentifier alone (RFC 5280 §4.2.1.1: "MUST mark this extension as non-critical").
    #[must_use]
    pub fn authority_key_identifier(identifier: &[u8]) -> Self {
        Self::build(rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER, false, |w| {
            w.sequence(|w| {
                w.tlv(tag::context(0), identifier);
            });
        })
    }

    /// id-pkix-ocsp-nocheck of a delegated OCSP responder: its own certificate need not be checked for revocation (RFC 6960 §4.2.2.2.1:
    /// "SHOULD be a non-critical extension. The value of the extension SHALL be NULL").
    #[must_use]
    pub fn ocsp_no_check() -> Self {
        Self::build(rfc6960::ID_PKIX_OCSP_NOCHECK, false, |w| {
            w.tlv(tag::NULL, &[]);
        })
    }

    fn build(oid: ObjectIdentifier, critical: bool, write: impl FnOnce(&mut DerWriter)) -> Self {
        let mut writer = DerWriter::with_capacity(32);
        write(&mut writer);
        Self { oid, critical, value: writer.finish() }
    }

    /// Writes the Extension; critical FALSE is the DEFAULT and left out (X.690 §11.5).
    pub fn write(&self, writer: &mut DerWriter) {
        writer.sequence(|w| {
            w.oid(&self.oid);
            if self.critical {
                w.tlv(tag::BOOLEAN, &[0xff]);
            }
            w.tlv(tag::OCTET_STRING, &self.value);
        });
    }

    fn read(tlv: Tlv<'_>) -> der::Result<Self> {
        let mut reader = tlv.contents()?;
        let oid = reader.expect(tag::OID)?.oid()?;
        // An explicit FALSE is not DER, yet living clients send it; anything else is TRUE, as in BER.
        let critical = read_boolean(&mut reader)?;
        let value = reader.expect(tag::OCTET_STRING)?.value.to_vec();
        reader.finish()?;
        Ok(Self { oid, critical, value })
    }
}

/// Extensions in order, each kind at most once (RFC 5280 §4.2: "MUST NOT include more than one instance of a particular extension").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions(Vec<Extension>);

impl Extensions {
    /// Reads `SEQUENCE OF Extension`. An empty sequence is taken, since request builders send one.
    ///
    /// # Errors
    /// When it is malformed, repeats an extension, or has more than [`MAX_EXTENSIONS`].
    pub fn from_der(der: &[u8]) -> der::Result<Self> {
        let mut reader = sequence(der)?;
        let mut all: Vec<Extension> = Vec::new();
        while !reader.is_finished() {
            let extension = Extension::read(reader.expect(tag::SEQUENCE)?)?;
            if all.len() == MAX_EXTENSIONS || all.iter().any(|other| other.oid == extension.oid) {
                return Err(der::ErrorKind::Failed.into());
            }
            all.push(extension);
        }
        Ok(Self(all))
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Extension> {
        self.0.iter()
    }

    /// The value of one of them.
    #[must_use]
    pub fn value_of(&self, oid: ObjectIdentifier) -> Option<&[u8]> {
        self.0.iter().find(|extension| extension.oid == oid).map(|extension| extension.value.as_slice())
    }

    /// The names of the subjectAltName, none if there is none.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn subject_alt_names(&self) -> der::Result<Vec<GeneralName>> {
        self.value_of(rfc5280::ID_CE_SUBJECT_ALT_NAME).map_or_else(|| Ok(Vec::new()), GeneralName::read_sequence)
    }

    /// basicConstraints with cA TRUE?
    ///
    /// # Errors
    /// When it is malformed.
    pub fn is_ca(&self) -> der::Result<bool> {
        self.value_of(rfc5280::ID_CE_BASIC_CONSTRAINTS).map_or(Ok(false), read_ca)
    }

    /// pathLenConstraint (RFC 5280 §4.2.1.9): how many CAs may follow; `None` where it is not stated.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn path_len(&self) -> der::Result<Option<u8>> {
        self.value_of(rfc5280::ID_CE_BASIC_CONSTRAINTS).map_or(Ok(None), read_path_len)
    }

    /// keyUsage; `None` if there is none.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn key_usage(&self) -> der::Result<Option<KeyUsage>> {
        self.value_of(rfc5280::ID_CE_KEY_USAGE).map(KeyUsage::read).transpose()
    }

    /// The purposes of extKeyUsage; `None` if there is no such extension, which allows every purpose.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn extended_key_usage(&self) -> der::Result<Option<Vec<ExtendedKeyUsage>>> {
        self.value_of(rfc5280::ID_CE_EXT_KEY_USAGE).map(ExtendedKeyUsage::read_sequence).transpose()
    }

    /// The subjectKeyIdentifier's octets.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn subject_key_identifier(&self) -> der::Result<Option<Vec<u8>>> {
        self.value_of(rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER)
            .map(|value| {
                let mut reader = DerReader::new(value)?;
                let identifier = reader.expect(tag::OCTET_STRING)?.value.to_vec();
                reader.finish().map(|()| identifier)
            })
            .transpose()
    }
}

/// The bits of keyUsage (RFC 5280 §4.2.1.3).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// Bit 0.
    pub const DIGITAL_SIGNATURE: Self = Self(0x8000);
    /// Bit 2.
    pub const KEY_ENCIPHERMENT: Self = Self(0x2000);
    /// Bit 5: signs certificates.
    pub const KEY_CERT_SIGN: Self = Self(0x0400);
    /// Bit 6: signs CRLs.
    pub const CRL_SIGN: Self = Self(0x0200);

    /// Is any bit of `other` set?
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// No bit at all?
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// A named BIT STRING without trailing zero bits (X.690 §11.2.2).
    fn write(self, writer: &mut DerWriter) {
        let [first, second] = self.0.to_be_bytes();
        let octets: &[u8] = if second == 0 { &[first] } else { &[first, second] };
        let unused = octets.last().map_or(0, |last| last.trailing_zeros().min(7));
        let mut contents = vec![u8::try_from(unused).unwrap_or(0)];
        contents.extend_from_slice(octets);
        writer.tlv(tag::BIT_STRING, &contents);
    }

    fn read(der: &[u8]) -> der::Result<Self> {
        let tlv = Tlv::only(der)?;
        match (tlv.tag, tlv.value) {
            (tag::BIT_STRING, [unused @ 0..=7, octets @ ..]) if octets.len() <= 2 => {
                let first = octets.first().copied().unwrap_or(0);
                let second = octets.get(1).copied().unwrap_or(0);
                // Unused bits and absent octets count as zero; with no octet at all everything is shifted out.
                let absent = if octets.len() == 2 { 0 } else { 8 };
                let mask = u16::MAX.checked_shl(u32::from(*unused) + absent).unwrap_or(0);
                Ok(Self(u16::from_be_bytes([first, second]) & mask))
            }
            _ => Err(der::ErrorKind::Failed.into()),
        }
    }
}

impl BitOr for KeyUsage {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyUsage({:#06x})", self.0)
    }
}

/// A purpose of extKeyUsage (RFC 5280 §4.2.1.12, RFC 6402 §2.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExtendedKeyUsage {
    /// id-kp-serverAuth.
    ServerAuth,
    /// id-kp-clientAuth.
    ClientAuth,
    /// id-kp-codeSigning.
    CodeSigning,
    /// id-kp-emailProtection.
    EmailProtection,
    /// id-kp-timeStamping.
    TimeStamping,
    /// id-kp-OCSPSigning: speaks for the CA about revocation.
    OcspSigning,
    /// id-kp-cmcRA: speaks for other requesters.
    CmcRa,
    /// anyExtendedKeyUsage.
    Any,
    /// Any other.
    Other(ObjectIdentifier),
}

impl ExtendedKeyUsage {
    /// Those with a name.
    pub const KNOWN: [Self; 8] = [
        Self::ServerAuth,
        Self::ClientAuth,
        Self::CodeSigning,
        Self::EmailProtection,
        Self::TimeStamping,
        Self::OcspSigning,
        Self::CmcRa,
        Self::Any,
    ];

    /// Its object identifier.
    #[must_use]
    pub const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::ServerAuth => rfc5280::ID_KP_SERVER_AUTH,
            Self::ClientAuth => rfc5280::ID_KP_CLIENT_AUTH,
            Self::CodeSigning => rfc5280::ID_KP_CODE_SIGNING,
            Self::EmailProtection => rfc5280::ID_KP_EMAIL_PROTECTION,
            Self::TimeStamping => rfc5280::ID_KP_TIME_STAMPING,
            Self::OcspSigning => rfc5280::ID_KP_OCSP_SIGNING,
            Self::CmcRa => ID_KP_CMC_RA,
            Self::Any => rfc5280::ANY_EXTENDED_KEY_USAGE,
            Self::Other(oid) => oid,
        }
    }

    /// The purpose with this object identifier.
    #[must_use]
    pub fn from_oid(oid: ObjectIdentifier) -> Self {
        Self::KNOWN.into_iter().find(|known| known.oid() == oid).unwrap_or(Self::Other(oid))
    }

    fn read_sequence(der: &[u8]) -> der::Result<Vec<Self>> {
        let mut reader = sequence(der)?;
        let mut purposes = Vec::new();
        while !reader.is_finished() && purposes.len() < MAX_PURPOSES {
            purposes.push(Self::from_oid(reader.expect(tag::OID)?.oid()?));
        }
        reader.finish().map(|()| purposes)
    }
}

/// `serverAuth`, …: as `ekus` in the configuration spells it; an object identifier for what has no name.
impl fmt::Display for ExtendedKeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ServerAuth => "serverAuth",
            Self::ClientAuth => "clientAuth",
            Self::CodeSigning => "codeSigning",
            Self::EmailProtection => "emailProtection",
            Self::TimeStamping => "timeStamping",
            Self::OcspSigning => "OCSPSigning",
            Self::CmcRa => "cmcRA",
            Self::Any => "anyExtendedKeyUsage",
            Self::Other(oid) => return oid.fmt(f),
        })
    }
}

/// What a request's extensions ask for, read as far as certgate judges it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestedExtensions {
    /// Names of the subjectAltName.
    pub subject_alt_names: Vec<GeneralName>,
    /// keyUsage.
    pub key_usage: KeyUsage,
    /// extKeyUsage.
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// basicConstraints with cA TRUE?
    pub ca: bool,
    /// All other extensions.
    pub others: Vec<ObjectIdentifier>,
}

impl RequestedExtensions {
    /// Reads them.
    ///
    /// # Errors
    /// When one that is judged is malformed.
    pub fn read(extensions: &Extensions) -> der::Result<Self> {
        let mut requested = Self::default();
        for extension in extensions.iter() {
            match extension.oid {
                rfc5280::ID_CE_SUBJECT_ALT_NAME => {
                    requested.subject_alt_names = GeneralName::read_sequence(&extension.value)?;
                }
                rfc5280::ID_CE_KEY_USAGE => requested.key_usage = KeyUsage::read(&extension.value)?,
                rfc5280::ID_CE_EXT_KEY_USAGE => {
                    requested.extended_key_usage = ExtendedKeyUsage::read_sequence(&extension.value)?;
                }
                rfc5280::ID_CE_BASIC_CONSTRAINTS => requested.ca = read_ca(&extension.value)?,
                other => requested.others.push(other),
            }
        }
        Ok(requested)
    }
}

/// A reader over the contents of the only SEQUENCE in `der`.
fn sequence(der: &[u8]) -> der::Result<DerReader<'_>> {
    let mut reader = DerReader::new(der)?;
    let sequence = reader.expect(tag::SEQUENCE)?;
    reader.finish()?;
    sequence.contents()
}

/// A BOOLEAN DEFAULT FALSE. Any octet but 0x00 is TRUE in BER (X.690 §8.2.2), and counts as TRUE here.
fn read_boolean(reader: &mut DerReader<'_>) -> der::Result<bool> {
    match reader.optional(tag::BOOLEAN)? {
        None => Ok(false),
        Some(Tlv { value: [octet], .. }) => Ok(*octet != 0),
        Some(_) => Err(der::ErrorKind::Failed.into()),
    }
}

/// cA of BasicConstraints.
fn read_ca(der: &[u8]) -> der::Result<bool> {
    let mut reader = sequence(der)?;
    let ca = read_boolean(&mut reader)?;
    reader.optional(tag::INTEGER)?;
    reader.finish().map(|()| ca)
}

/// One of more than 255 is no limit to chains that are read here.
fn read_path_len(der: &[u8]) -> der::Result<Option<u8>> {
    let mut reader = sequence(der)?;
    read_boolean(&mut reader)?;
    let length = reader.optional(tag::INTEGER)?;
    reader.finish()?;
    match length.map(|length| length.value) {
        None => Ok(None),
        Some([length @ 0..=0x7f] | [0, length @ 0x80..=0xff]) => Ok(Some(*length)),
        Some([] | [0x80..=0xff, ..] | [0, ..]) => Err(der::ErrorKind::Failed.into()),
        Some(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
