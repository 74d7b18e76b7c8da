//! A certificate as its octets say it is (RFC 5280 §4.1): every field kept raw, nothing judged beyond DER.

use const_oid::ObjectIdentifier;
use jiff::{civil::DateTime, tz::TimeZone};

use crate::asn1::{Element, Fault, tag};

/// Object identifiers of certificate extensions (RFC 5280 §4.2.1).
pub mod extension {
    use const_oid::ObjectIdentifier;

    /// Subject key identifier (RFC 5280 §4.2.1.2).
    pub const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
    /// Key usage (RFC 5280 §4.2.1.3).
    pub const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
    /// Subject alternative name (RFC 5280 §4.2.1.6).
    pub const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
    /// Basic constraints (RFC 5280 §4.2.1.9).
    pub const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
    /// Name constraints (RFC 5280 §4.2.1.10).
    pub const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
    /// Policy constraints (RFC 5280 §4.2.1.11).
    pub const POLICY_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.36");
    /// Inhibit anyPolicy (RFC 5280 §4.2.1.14).
    pub const INHIBIT_ANY_POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.54");
    /// Authority key identifier (RFC 5280 §4.2.1.1).
    pub const AUTHORITY_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
    /// Extended key usage (RFC 5280 §4.2.1.12).
    pub const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
}

/// A certificate (RFC 5280 §4.1), field by field, each field as its own encoding.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The whole encoding.
    pub der: Vec<u8>,
    /// The encoding of the `TBSCertificate`: what was signed.
    pub tbs: Vec<u8>,
    /// Content octets of the version; `None` when it is absent, which means v1.
    pub version: Option<Vec<u8>>,
    /// Content octets of the serial number.
    pub serial: Vec<u8>,
    /// The encoding of the `AlgorithmIdentifier` inside the `TBSCertificate`.
    pub tbs_algorithm: Vec<u8>,
    /// The encoding of the issuer's name.
    pub issuer: Element,
    /// Beginning of the validity period.
    pub not_before: Time,
    /// End of the validity period.
    pub not_after: Time,
    /// The encoding of the subject's name.
    pub subject: Element,
    /// The `SubjectPublicKeyInfo`.
    pub spki: Element,
    /// Whether `issuerUniqueID` or `subjectUniqueID` is there.
    pub has_unique_identifier: bool,
    /// The extensions, in their order.
    pub extensions: Vec<Extension>,
    /// The `AlgorithmIdentifier` outside the `TBSCertificate`.
    pub algorithm: Element,
    /// The bits of the signature.
    pub signature: Vec<u8>,
}

/// One extension (RFC 5280 §4.2).
#[derive(Clone, Debug)]
pub struct Extension {
    /// `extnID`.
    pub oid: ObjectIdentifier,
    /// `critical`.
    pub critical: bool,
    /// The contents of `extnValue`.
    pub value: Vec<u8>,
}

impl Extension {
    /// The contents of `extnValue`, which must themselves be DER (RFC 5280 §4.2).
    ///
    /// # Errors
    /// The first departure from DER.
    pub fn element(&self) -> Result<Element, Fault> {
        Element::parse(&self.value).map_err(|fault| Fault(format!("extension {}: {fault}", self.oid)))
    }

    /// The extension as it stands in a certificate.
    #[must_use]
    pub fn encode(&self) -> Element {
        let mut parts = vec![Element::object_identifier(self.oid)];
        if self.critical {
            parts.push(Element::primitive(tag::BOOLEAN, &[0xff]));
        }
        parts.push(Element::primitive(tag::OCTET_STRING, &self.value));
        Element::sequence(parts)
    }
}

/// A time as it is encoded (RFC 5280 §4.1.2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Time {
    /// Identifier octet: UTCTime or GeneralizedTime.
    pub tag: u8,
    /// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
    pub text: String,
}

impl Time {
    pub(crate) fn read(element: &Element) -> Result<Self, Fault> {
        if !matches!(element.tag, tag::UTC_TIME | tag::GENERALIZED_TIME) {
            return Err(Fault(format!("a time with identifier octet {:02x}", element.tag)));
        }
        Ok(Self { tag: element.tag, text: String::from_utf8_lossy(element.octets()).into_owned() })
    }

    /// The year, `YY` read as RFC 5280 §4.1.2.5.1 says: 50 and above is 19YY, below is 20YY.
    #[must_use]
    pub fn year(&self) -> Option<i16> {
        match self.tag {
            tag::UTC_TIME => {
                self.text.get(..2)?.parse().ok().map(|year: i16| if year >= 50 { 1900 + year } else { 2000 + year })
            }
            _ => self.text.get(..4)?.parse().ok(),
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z; `None` when there is no such day or hour.
    #[must_use]
    pub fn unix(&self) -> Option<i64> {
        let rest = self.text.get(if self.tag == tag::UTC_TIME { 2 } else { 4 }..)?;
        let part = |index: usize| rest.get(2 * index..2 * index + 2).and_then(|digits| digits.parse::<i8>().ok());
        let moment = DateTime::new(self.year()?, part(0)?, part(1)?, part(2)?, part(3)?, part(4)?, 0).ok()?;
        moment.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_second())
    }
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    /// Octets that are not DER or not of the shape of RFC 5280 §4.1.
    pub fn parse(der: &[u8]) -> Result<Self, Fault> {
        let whole = Element::parse(der)?;
        Self::from_element(&whole)
    }

    /// Reads a certificate that is part of a larger structure.
    ///
    /// # Errors
    /// As [`Certificate::parse`].
    pub fn from_element(whole: &Element) -> Result<Self, Fault> {
        let [tbs, algorithm, signature] = whole.expect_tag(tag::SEQUENCE, "certificate")?.elements() else {
            return Err(Fault::new("a certificate is a SEQUENCE of three"));
        };
        let (version, fields) = match tbs.elements() {
            [first, rest @ ..] if first.tag == tag::context(0) => {
                (first.elements().first().map(|number| number.octets().to_vec()), rest)
            }
            all => (None, all),
        };
        let [serial, tbs_algorithm, issuer, validity, subject, spki, optional @ ..] = fields else {
            return Err(Fault::new("a TBSCertificate without all its fields"));
        };
        let [not_before, not_after] = validity.elements() else {
            return Err(Fault::new("a validity is a SEQUENCE of two"));
        };
        Ok(Self {
            der: whole.encode(),
            tbs: tbs.encode(),
            version,
            serial: serial.expect_tag(tag::INTEGER, "serial number")?.octets().to_vec(),
            tbs_algorithm: tbs_algorithm.encode(),
            issuer: issuer.expect_tag(tag::SEQUENCE, "issuer")?.clone(),
            not_before: Time::read(not_before)?,
            not_after: Time::read(not_after)?,
            subject: subject.expect_tag(tag::SEQUENCE, "subject")?.clone(),
            spki: spki.expect_tag(tag::SEQUENCE, "subjectPublicKeyInfo")?.clone(),
            has_unique_identifier: optional.iter().any(|field| matches!(field.tag & 0x1f, 1 | 2)),
            extensions: read_extensions(optional)?,
            algorithm: algorithm.expect_tag(tag::SEQUENCE, "signatureAlgorithm")?.clone(),
            signature: signature.expect_tag(tag::BIT_STRING, "signatureValue")?.octets().get(1..).unwrap_or_default().to_vec(),
        })
    }

    /// The first extension with this identifier.
    #[must_use]
    pub fn extension(&self, oid: ObjectIdentifier) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.oid == oid)
    }

    /// Whether issuer and subject are the same octets (RFC 5280 §3.2: self-issued).
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether `basicConstraints` says `cA TRUE` (RFC 5280 §4.2.1.9).
    #[must_use]
    pub fn is_authority(&self) -> bool {
        let constraints = self.extension(extension::BASIC_CONSTRAINTS).and_then(|extension| extension.element().ok());
        constraints.is_some_and(|constraints| {
            constraints.elements().first().is_some_and(|first| first.tag == tag::BOOLEAN && first.octets() == [0xff])
        })
    }

    /// `pathLenConstraint` (RFC 5280 §4.2.1.9).
    #[must_use]
    pub fn path_length(&self) -> Option<u64> {
        let constraints = self.extension(extension::BASIC_CONSTRAINTS)?.element().ok()?;
        let length = constraints.elements().iter().find(|element| element.tag == tag::INTEGER)?;
        Some(length.octets().iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet)))
    }

    /// Whether bit `bit` of `keyUsage` is set (RFC 5280 §4.2.1.3: 5 is keyCertSign); `None` without the extension.
    #[must_use]
    pub fn key_usage(&self, bit: usize) -> Option<bool> {
        let usage = self.extension(extension::KEY_USAGE)?.element().ok()?;
        let octet = usage.octets().get(1 + bit / 8).copied().unwrap_or(0);
        Some(octet & (0x80 >> (bit % 8)) != 0)
    }

    /// The key purposes of `extKeyUsage` (RFC 5280 §4.2.1.12).
    #[must_use]
    pub fn key_purposes(&self) -> Vec<ObjectIdentifier> {
        let purposes = self.extension(extension::EXTENDED_KEY_USAGE).and_then(|extension| extension.element().ok());
        purposes.map(|purposes| purposes.elements().iter().filter_map(Element::oid).collect()).unwrap_or_default()
    }

    /// `keyIdentifier` of the authority key identifier (RFC 5280 §4.2.1.1).
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<Vec<u8>> {
        let value = self.extension(extension::AUTHORITY_KEY_IDENTIFIER)?.element().ok()?;
        value
            .elements()
            .iter()
            .find(|element| element.tag == tag::context_primitive(0))
            .map(|element| element.octets().to_vec())
    }

    /// The subject key identifier (RFC 5280 §4.2.1.2).
    #[must_use]
    pub fn subject_key_identifier(&self) -> Option<Vec<u8>> {
        let value = self.extension(extension::SUBJECT_KEY_IDENTIFIER)?.element().ok()?;
        (value.tag == tag::OCTET_STRING).then(|| value.octets().to_vec())
    }

    /// The serial number in lower-case hexadecimal, without the octet that only keeps it positive.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        let digits = match self.serial.as_slice() {
            [0, rest @ ..] if !rest.is_empty() => rest,
            all => all,
        };
        hex(digits)
    }

    /// The general names of `subjectAltName` (RFC 5280 §4.2.1.6).
    #[must_use]
    pub fn alternative_names(&self) -> Vec<Element> {
        let names = self.extension(extension::SUBJECT_ALT_NAME).and_then(|extension| extension.element().ok());
        names.map(|names| names.elements().to_vec()).unwrap_or_default()
    }

    /// The `dNSName`s of `subjectAltName`.
    #[must_use]
    pub fn dns_names(&self) -> Vec<String> {
        let names = self.alternative_names();
        names
            .iter()
            .filter(|name| name.tag == tag::context_primitive(2))
            .map(|name| String::from_utf8_lossy(name.octets()).into_owned())
            .collect()
    }

    /// The values of attribute `oid` in the subject.
    #[must_use]
    pub fn subject_values(&self, oid: ObjectIdentifier) -> Vec<String> {
        let attributes = self.subject.elements().iter().flat_map(Element::elements);
        let values = attributes.filter_map(|attribute| match attribute.elements() {
            [kind, value] if kind.oid() == Some(oid) => Some(String::from_utf8_lossy(value.octets()).into_owned()),
            _ => None,
        });
        values.collect()
    }
}

/// Octets in lower-case hexadecimal.
#[must_use]
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn read_extensions(optional: &[Element]) -> Result<Vec<Extension>, Fault> {
    let Some(wrapper) = optional.iter().find(|field| field.tag == tag::context(3)) else { return Ok(Vec::new()) };
    let [list] = wrapper.elements() else { return Err(Fault::new("extensions: [3] holds one SEQUENCE")) };
    list.elements().iter().map(read_extension).collect()
}

pub(crate) fn read_extension(element: &Element) -> Result<Extension, Fault> {
    let (oid, critical, value) = match element.elements() {
        [oid, value] => (oid, false, value),
        // X.690 §11.5: a component equal to its default value is not encoded.
        [_, critical, _] if critical.octets() != [0xff] => {
            return Err(Fault::new("an extension with critical FALSE written out"));
        }
        [oid, _, value] => (oid, true, value),
        _ => return Err(Fault::new("an extension is a SEQUENCE of two or three")),
    };
    let oid = oid.oid().ok_or_else(|| Fault::new("an extension without extnID"))?;
    let value = value.expect_tag(tag::OCTET_STRING, "extnValue")?.octets().to_vec();
    Ok(Extension { oid, critical, value })
}
