//! A list as its octets say it is (RFC 5280 §5.1): every field kept raw, nothing judged beyond DER.

use std::fmt;

use const_oid::ObjectIdentifier;

use crate::{
    asn1::{Element, Fault, tag},
    certificate::{Extension, Time, hex, read_extension},
    pointers::{self, FRESHEST_CRL},
    target::Url,
};

/// Object identifiers of the extensions of lists and of their entries (RFC 5280 §5.2, §5.3).
pub mod extension {
    use const_oid::ObjectIdentifier;

    /// CRL number (RFC 5280 §5.2.3).
    pub const CRL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");
    /// Delta CRL indicator (RFC 5280 §5.2.4).
    pub const DELTA_CRL_INDICATOR: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.27");
    /// Issuing distribution point (RFC 5280 §5.2.5).
    pub const ISSUING_DISTRIBUTION_POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");
    /// Authority key identifier (RFC 5280 §5.2.1).
    pub const AUTHORITY_KEY_IDENTIFIER: ObjectIdentifier = crate::certificate::extension::AUTHORITY_KEY_IDENTIFIER;
    /// Reason code, of an entry (RFC 5280 §5.3.1).
    pub const REASON_CODE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.21");
    /// Invalidity date, of an entry (RFC 5280 §5.3.2).
    pub const INVALIDITY_DATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.24");
}

/// A CertificateList (RFC 5280 §5.1), field by field.
#[derive(Clone, Debug)]
pub struct RevocationList {
    /// The whole encoding.
    pub der: Vec<u8>,
    /// The encoding of the `TBSCertList`: what was signed.
    pub tbs: Vec<u8>,
    /// Content octets of the version; `None` when it is absent, which means v1.
    pub version: Option<Vec<u8>>,
    /// The encoding of the `AlgorithmIdentifier` inside the `TBSCertList`.
    pub tbs_algorithm: Vec<u8>,
    /// The issuer's name.
    pub issuer: Element,
    /// When the list was issued.
    pub this_update: Time,
    /// By when the next one will be.
    pub next_update: Option<Time>,
    /// The entries; `None` when `revokedCertificates` is absent.
    pub revoked: Option<Vec<Entry>>,
    /// The extensions, in their order.
    pub extensions: Vec<Extension>,
    /// The `AlgorithmIdentifier` outside the `TBSCertList`.
    pub algorithm: Element,
    /// The bits of the signature.
    pub signature: Vec<u8>,
}

/// An entry of `revokedCertificates`.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Content octets of the serial number.
    pub serial: Vec<u8>,
    /// `revocationDate`.
    pub date: Time,
    /// The extensions, in their order.
    pub extensions: Vec<Extension>,
}

/// A CRLNumber or BaseCRLNumber (RFC 5280 §5.2.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number {
    /// Compared first: a number of more octets is the greater one.
    length: usize,
    octets: Vec<u8>,
}

impl Number {
    /// The number that these content octets of an INTEGER are; `None` when it is negative.
    #[must_use]
    pub fn new(octets: &[u8]) -> Option<Self> {
        if octets.first().is_none_or(|first| *first >= 0x80) {
            return None;
        }
        let octets: Vec<u8> = octets.iter().copied().skip_while(|octet| *octet == 0).collect();
        Some(Self { length: octets.len(), octets })
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.length > 16 {
            return write!(formatter, "0x{}", hex(&self.octets));
        }
        let value = self.octets.iter().fold(0_u128, |sum, octet| sum << 8 | u128::from(*octet));
        write!(formatter, "{value}")
    }
}

impl RevocationList {
    /// Reads a list, with nothing behind it.
    ///
    /// # Errors
    /// Octets that are not DER or not of the shape of RFC 5280 §5.1.
    pub fn parse(der: &[u8]) -> Result<Self, Fault> {
        let whole = Element::parse(der)?;
        let [tbs, algorithm, signature] = whole.expect_tag(tag::SEQUENCE, "CertificateList")?.elements() else {
            return Err(Fault::new("a CertificateList is a SEQUENCE of three"));
        };
        let (version, fields) = match tbs.expect_tag(tag::SEQUENCE, "TBSCertList")?.elements() {
            [first, rest @ ..] if first.tag == tag::INTEGER => (Some(first.octets().to_vec()), rest),
            all => (None, all),
        };
        let [tbs_algorithm, issuer, this_update, optional @ ..] = fields else {
            return Err(Fault::new("a TBSCertList without all its fields"));
        };
        let (next_update, optional) = match optional {
            [first, rest @ ..] if matches!(first.tag, tag::UTC_TIME | tag::GENERALIZED_TIME) => {
                (Some(Time::read(first)?), rest)
            }
            all => (None, all),
        };
        let (revoked, optional) = match optional {
            [first, rest @ ..] if first.tag == tag::SEQUENCE => {
                (Some(first.elements().iter().map(Entry::read).collect::<Result<_, _>>()?), rest)
            }
            all => (None, all),
        };
        Ok(Self {
            der: whole.encode(),
            tbs: tbs.encode(),
            version,
            tbs_algorithm: tbs_algorithm.encode(),
            issuer: issuer.expect_tag(tag::SEQUENCE, "issuer")?.clone(),
            this_update: Time::read(this_update)?,
            next_update,
            revoked,
            extensions: read_extensions(optional)?,
            algorithm: algorithm.expect_tag(tag::SEQUENCE, "signatureAlgorithm")?.clone(),
            signature: signature.expect_tag(tag::BIT_STRING, "signatureValue")?.octets().get(1..).unwrap_or_default().to_vec(),
        })
    }

    /// The entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        self.revoked.as_deref().unwrap_or_default()
    }

    /// The first entry of this serial number.
    #[must_use]
    pub fn entry(&self, serial: &[u8]) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.serial == serial)
    }

    /// The first extension with this identifier.
    #[must_use]
    pub fn extension(&self, oid: ObjectIdentifier) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.oid == oid)
    }

    /// The CRL number.
    ///
    /// # Errors
    /// None, or a value that is none.
    pub fn number(&self) -> Result<Number, Fault> {
        self.number_in(extension::CRL_NUMBER, "cRLNumber")?.ok_or_else(|| Fault::new("no cRLNumber"))
    }

    /// The number of the base of a delta; `None` for a complete list.
    ///
    /// # Errors
    /// A value that is no number.
    pub fn base(&self) -> Result<Option<Number>, Fault> {
        self.number_in(extension::DELTA_CRL_INDICATOR, "deltaCRLIndicator")
    }

    fn number_in(&self, oid: ObjectIdentifier, what: &str) -> Result<Option<Number>, Fault> {
        let Some(extension) = self.extension(oid) else { return Ok(None) };
        let value = extension.element()?;
        let number = Number::new(value.expect_tag(tag::INTEGER, what)?.octets());
        number.map(Some).ok_or_else(|| Fault(format!("{what} is negative")))
    }

    /// `keyIdentifier` of the authority key identifier.
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<Vec<u8>> {
        let value = self.extension(extension::AUTHORITY_KEY_IDENTIFIER)?.element().ok()?;
        let identifier = value.elements().iter().find(|element| element.tag == tag::context_primitive(0))?;
        Some(identifier.octets().to_vec())
    }

    /// `distributionPoint` of the issuing distribution point, its tag and all.
    #[must_use]
    pub fn distribution_point(&self) -> Option<Element> {
        let value = self.extension(extension::ISSUING_DISTRIBUTION_POINT)?.element().ok()?;
        value.elements().iter().find(|field| field.tag == tag::context(0)).cloned()
    }

    /// Where the deltas of this list are.
    ///
    /// # Errors
    /// A `freshestCRL` that is no list of distribution points.
    pub fn freshest(&self) -> Result<Vec<Url>, Fault> {
        pointers::urls_in(self.extension(FRESHEST_CRL))
    }
}

impl Entry {
    fn read(element: &Element) -> Result<Self, Fault> {
        let (serial, date, extensions) = match element.expect_tag(tag::SEQUENCE, "entry")?.elements() {
            [serial, date] => (serial, date, Vec::new()),
            // RFC 5280 §5.1: "crlEntryExtensions Extensions OPTIONAL", and "Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension".
            [_, _, list] if list.tag != tag::SEQUENCE || list.elements().is_empty() => {
                return Err(Fault::new("crlEntryExtensions is no SEQUENCE of one or more"));
            }
            [serial, date, list] => (serial, date, list.elements().iter().map(read_extension).collect::<Result<Vec<_>, _>>()?),
            _ => return Err(Fault::new("an entry is a SEQUENCE of two or three")),
        };
        let serial = serial.expect_tag(tag::INTEGER, "serial number of an entry")?.octets().to_vec();
        Ok(Self { serial, date: Time::read(date)?, extensions })
    }

    /// The first extension with this identifier.
    #[must_use]
    pub fn extension(&self, oid: ObjectIdentifier) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.oid == oid)
    }

    /// The reason; `None` where no `reasonCode` of one octet is there.
    #[must_use]
    pub fn reason(&self) -> Option<u8> {
        let value = self.extension(extension::REASON_CODE)?.element().ok()?;
        match value.octets() {
            [code] if value.tag == tag::ENUMERATED => Some(*code),
            _ => None,
        }
    }
}

fn read_extensions(optional: &[Element]) -> Result<Vec<Extension>, Fault> {
    match optional {
        [] => Ok(Vec::new()),
        [wrapper] if wrapper.tag == tag::context(0) => match wrapper.elements() {
            [list] if list.tag == tag::SEQUENCE && !list.elements().is_empty() => {
                list.elements().iter().map(read_extension).collect()
            }
            _ => Err(Fault::new("crlExtensions: [0] holds one SEQUENCE of one or more")),
        },
        [other, ..] => Err(Fault(format!("a TBSCertList with identifier octet {:02x}", other.tag))),
    }
}

#[cfg(test)]
mod tests;
