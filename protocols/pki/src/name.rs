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

/// One AttributeTypeAndValue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAttribute {
    /// Which attribute.
    pub kind: NameAttributeType,
    /// Its value as text.
    pub value: String,
}

impl NameAttribute {
    /// countryName and serialNumber are PrintableString (RFC 5280 Appendix A.1); the others are UTF8String (§4.1.2.6: "MUST use either
    /// PrintableString or UTF8String").
    fn write(&self, writer: &mut DerWriter) {
        let string = match self.kind {
            NameAttributeType::Country | NameAttributeType::SerialNumber => tag::PRINTABLE_STRING,
            _ => tag::UTF8_STRING,
        };
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
    /// A name of single-valued RDNs in the order given (which is DER order: the most general first).
    #[must_use]
    pub fn from_attributes(attributes: Vec<NameAttribute>) -> Self {
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
    Ok(NameAttribute { kind, value: read_string(value)? })
}

/// The text of a DirectoryString (RFC 5280 §4.1.2.4) or of the IA5String that old requests use.
fn read_string(tlv: Tlv<'_>) -> der::Result<String> {
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
