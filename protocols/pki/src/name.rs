//! Distinguished names (RFC 5280 §4.1.2.4, §4.1.2.6).

use std::fmt;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc4519;

use crate::asn1::{DerWriter, Tlv, tag};
use crate::limits::{MAX_NAME_ATTRIBUTES, MAX_NAME_VALUE};

/// The kind of one attribute of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameAttributeType {
    /// CN, commonName.
    CommonName,
    /// C, countryName.
    Country,
    /// ST, stateOrProvinceName.
    State,
    /// L, localityName.
    Locality,
    /// O, organizationName.
    Organization,
    /// OU, organizationalUnitName.
    OrganizationalUnit,
    /// serialNumber: the subject's, as devices carry it; not the certificate's.
    SerialNumber,
    /// Any other; never issued.
    Other(ObjectIdentifier),
}

impl NameAttributeType {
    /// Those that may be issued.
    pub const KNOWN: [Self; 7] = [
        Self::CommonName,
        Self::Country,
        Self::State,
        Self::Locality,
        Self::Organization,
        Self::OrganizationalUnit,
        Self::SerialNumber,
    ];

    /// Its object identifier.
    #[must_use]
    pub const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::CommonName => rfc4519::COMMON_NAME,
            Self::Country => rfc4519::COUNTRY_NAME,
            Self::State => rfc4519::ST,
            Self::Locality => rfc4519::LOCALITY_NAME,
            Self::Organization => rfc4519::ORGANIZATION_NAME,
            Self::OrganizationalUnit => rfc4519::ORGANIZATIONAL_UNIT_NAME,
            Self::SerialNumber => rfc4519::SERIAL_NUMBER,
            Self::Other(oid) => oid,
        }
    }

    /// The kind with this object identifier.
    #[must_use]
    pub fn from_oid(oid: ObjectIdentifier) -> Self {
        Self::KNOWN.into_iter().find(|kind| kind.oid() == oid).unwrap_or(Self::Other(oid))
    }

    /// Its short name in RFC 4514 text, case aside.
    #[must_use]
    pub fn from_short_name(name: &str) -> Option<Self> {
        Self::KNOWN.into_iter().find(|kind| kind.to_string().eq_ignore_ascii_case(name))
    }

    /// A PrintableString always (RFC 5280 Appendix A.1)?
    const fn is_printable(self) -> bool {
        matches!(self, Self::Country | Self::SerialNumber)
    }

    /// Upper bound of its value in characters (RFC 5280 Appendix A.1, ub-*).
    #[must_use]
    pub const fn upper_bound(self) -> usize {
        match self {
            Self::Country => 2,
            Self::CommonName | Self::Organization | Self::OrganizationalUnit | Self::SerialNumber => 64,
            Self::State | Self::Locality => 128,
            Self::Other(_) => MAX_NAME_VALUE,
        }
    }
}

impl fmt::Display for NameAttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommonName => f.write_str("CN"),
            Self::Country => f.write_str("C"),
            Self::State => f.write_str("ST"),
            Self::Locality => f.write_str("L"),
            Self::Organization => f.write_str("O"),
            Self::OrganizationalUnit => f.write_str("OU"),
            Self::SerialNumber => f.write_str("serialNumber"),
            Self::Other(oid) => oid.fmt(f),
        }
    }
}

/// The string type of a value (RFC 5280 §4.1.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StringType {
    /// UTF8String.
    Utf8,
    /// PrintableString.
    Printable,
    /// Another one, which is read and never written.
    Other,
}

/// One AttributeTypeAndValue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAttribute {
    /// Which attribute.
    pub kind: NameAttributeType,
    /// Its value as text.
    pub value: String,
    /// Which string type it came in.
    pub string_type: StringType,
}

impl NameAttribute {
    /// A value that comes from nobody's DER.
    #[must_use]
    pub fn new(kind: NameAttributeType, value: impl Into<String>) -> Self {
        let string_type = if kind.is_printable() { StringType::Printable } else { StringType::Utf8 };
        Self { kind, value: value.into(), string_type }
    }

    /// The string type in which it is written. RFC 5280 §4.1.2.6: "MUST use either PrintableString or UTF8String"; whichever of them a
    /// requester has used, since it will compare. countryName and serialNumber are PrintableString (Appendix A.1).
    #[must_use]
    pub fn written_type(&self) -> StringType {
        let is_kept = self.string_type == StringType::Printable && self.value.bytes().all(is_printable);
        if is_kept || self.kind.is_printable() { StringType::Printable } else { StringType::Utf8 }
    }

    fn write(&self, writer: &mut DerWriter) {
        let string = if self.written_type() == StringType::Printable { tag::PRINTABLE_STRING } else { tag::UTF8_STRING };
        writer.nested(tag::SET, |w| {
            w.sequence(|w| {
                w.oid(&self.kind.oid()).tlv(string, self.value.as_bytes());
            });
        });
    }

    /// Can the value be written, within the bounds of RFC 5280 Appendix A.1?
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        let characters = self.value.chars().count();
        let printable = || self.value.bytes().all(is_printable);
        characters > 0
            && characters <= self.kind.upper_bound()
            && !self.value.chars().any(char::is_control)
            && match self.kind {
                // X.520: an ISO 3166 code of two letters.
                NameAttributeType::Country => characters == 2 && self.value.bytes().all(|byte| byte.is_ascii_alphabetic()),
                NameAttributeType::SerialNumber => printable(),
                _ => true,
            }
    }
}

/// PrintableString's repertoire, X.680 §41.4.
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte)
}

/// A distinguished name with the bytes it came as. Multi-valued RDNs are kept in the bytes; [`Self::attributes`] lists all in order.
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    der: Vec<u8>,
    attributes: Vec<NameAttribute>,
}

impl Name {
    /// A name of single-valued RDNs in the order given (which is DER order: the most general first), each value in the string type in
    /// which it is written.
    #[must_use]
    pub fn from_attributes(mut attributes: Vec<NameAttribute>) -> Self {
        for attribute in &mut attributes {
            attribute.string_type = attribute.written_type();
        }
        let mut writer = DerWriter::with_capacity(64);
        writer.sequence(|w| {
            for attribute in &attributes {
                attribute.write(w);
            }
        });
        Self { der: writer.finish(), attributes }
    }

    /// Reads a Name.
    ///
    /// # Errors
    /// When it is malformed, has a value that is no text, or more attributes than [`MAX_NAME_ATTRIBUTES`].
    pub fn from_der(der: &[u8]) -> der::Result<Self> {
        Self::read(Tlv::only(der)?)
    }

    pub(crate) fn read(tlv: Tlv<'_>) -> der::Result<Self> {
        if tlv.tag != tag::SEQUENCE {
            return Err(der::ErrorKind::Failed.into());
        }
        let mut rdns = tlv.contents()?;
        let mut attributes = Vec::new();
        while !rdns.is_finished() {
            let mut rdn = rdns.expect(tag::SET)?.contents()?;
            // X.501: a RelativeDistinguishedName is SET SIZE (1..MAX).
            loop {
                attributes.push(read_attribute(rdn.expect(tag::SEQUENCE)?)?);
                if attributes.len() > MAX_NAME_ATTRIBUTES {
                    return Err(der::ErrorKind::Overlength.into());
                }
                if rdn.is_finished() {
                    break;
                }
            }
        }
        Ok(Self { der: tlv.raw.to_vec(), attributes })
    }

    /// DER, byte for byte as received.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// All attributes in DER order.
    #[must_use]
    pub fn attributes(&self) -> &[NameAttribute] {
        &self.attributes
    }

    /// The name as a set: two names have the same octets here exactly when they hold the same attributes, string types included (but all
    /// that are neither UTF8String nor PrintableString count as one), in whatever order and in whatever RDNs.
    #[must_use]
    pub fn as_set(&self) -> Vec<u8> {
        let element = |attribute: &NameAttribute| {
            let string = match attribute.string_type {
                StringType::Utf8 => tag::UTF8_STRING,
                StringType::Printable => tag::PRINTABLE_STRING,
                StringType::Other => tag::TELETEX_STRING,
            };
            let mut writer = DerWriter::default();
            writer.sequence(|w| {
                w.oid(&attribute.kind.oid()).tlv(string, attribute.value.as_bytes());
            });
            writer.finish()
        };
        let elements: Vec<Vec<u8>> = self.attributes.iter().map(element).collect();
        let mut writer = DerWriter::default();
        writer.set_of(tag::SET, elements.iter().map(Vec::as_slice).collect());
        writer.finish()
    }

    /// The empty sequence?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }
}

fn read_attribute(tlv: Tlv<'_>) -> der::Result<NameAttribute> {
    let mut reader = tlv.contents()?;
    let kind = NameAttributeType::from_oid(reader.expect(tag::OID)?.oid()?);
    let value = reader.any()?;
    reader.finish()?;
    if value.value.len() > MAX_NAME_VALUE {
        return Err(der::ErrorKind::Overlength.into());
    }
    let string_type = match value.tag {
        tag::UTF8_STRING => StringType::Utf8,
        tag::PRINTABLE_STRING => StringType::Printable,
        _ => StringType::Other,
    };
    Ok(NameAttribute { kind, value: read_string(value)?, string_type })
}

/// The text of a DirectoryString (RFC 5280 §4.1.2.4) or of the IA5String that old requests use.
pub(crate) fn read_string(tlv: Tlv<'_>) -> der::Result<String> {
    let malformed = || der::Error::from(der::ErrorKind::Failed);
    match tlv.tag {
        tag::UTF8_STRING => std::str::from_utf8(tlv.value).map(str::to_owned).map_err(|_| malformed()),
        tag::PRINTABLE_STRING | tag::IA5_STRING if tlv.value.is_ascii() => Ok(latin1(tlv.value)),
        // Read as ISO 8859-1, which is what writers of T61String meant.
        tag::TELETEX_STRING => Ok(latin1(tlv.value)),
        tag::BMP_STRING if tlv.value.len().is_multiple_of(2) => {
            let units =
                tlv.value.chunks_exact(2).map(|pair| pair.iter().fold(0, |unit: u16, byte| unit << 8 | u16::from(*byte)));
            char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| malformed())
        }
        _ => Err(malformed()),
    }
}

fn latin1(octets: &[u8]) -> String {
    octets.iter().map(|byte| char::from(*byte)).collect()
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}
