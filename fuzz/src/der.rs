//! DER by the fuzzer's choice: names, extensions and requests that are right more often than changed octets are.
//!
//! Every function takes its choices from the input; what is encoded is well formed but for the pieces that the fuzzer writes itself.

use certgate_pki::asn1::{DerWriter, Tlv, oid_tlv, tag};
use certgate_pki::{Csr, ExtendedKeyUsage, NameAttributeType, ObjectIdentifier, SignatureAlgorithm};

use crate::octets::Octets;

/// extensionRequest, RFC 2985 §5.4.2.
const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");
/// challengePassword, RFC 2985 §5.4.1.
pub const CHALLENGE_PASSWORD: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.7");
/// id-cmc-changeSubjectName, RFC 6402 §2.8.
pub const CHANGE_SUBJECT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.7.36");
/// subjectAltName.
pub const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

/// Requests of the fixtures of certgate-pki whose keys are used.
const KEYS: [&[u8]; 4] = [
    include_bytes!("../../protocols/pki/tests/fixtures/csr/p256.der"),
    include_bytes!("../../protocols/pki/tests/fixtures/csr/p384.der"),
    include_bytes!("../../protocols/pki/tests/fixtures/csr/ed25519.der"),
    include_bytes!("../../protocols/pki/tests/fixtures/csr/rsa2048.der"),
];

/// What a writer has written.
pub fn written(write: impl FnOnce(&mut DerWriter)) -> Vec<u8> {
    let mut writer = DerWriter::default();
    write(&mut writer);
    writer.finish()
}

/// A value with these contents.
#[must_use]
pub fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    written(|w| {
        w.tlv(tag, value);
    })
}

/// A SEQUENCE of these values.
#[must_use]
pub fn sequence(values: &[&[u8]]) -> Vec<u8> {
    tlv(tag::SEQUENCE, &values.concat())
}

/// The elements of a SEQUENCE or SET, DER; nothing when `der` is malformed.
#[must_use]
pub fn elements(der: &[u8]) -> Vec<&[u8]> {
    let mut elements = Vec::new();
    let Ok(mut reader) = Tlv::only(der).and_then(|outer| outer.contents()) else { return elements };
    while let Ok(element) = reader.any() {
        elements.push(element.raw);
    }
    elements
}

/// A good key: its SubjectPublicKeyInfo.
pub fn spki(octets: &mut Octets<'_>) -> Vec<u8> {
    Csr::from_der(octets.choose(&KEYS)).map(|csr| csr.public_key().spki().to_vec()).unwrap_or_default()
}

/// A text that is granted, one that is not, or the fuzzer's own.
fn text<'d>(octets: &mut Octets<'d>) -> &'d [u8] {
    const TEXTS: [&str; 7] = ["device-1", "device-2", "admin", "Example", "DE", "*", "7"];
    let which = usize::from(octets.below(16));
    TEXTS.get(which).map_or_else(|| octets.piece(), |text| text.as_bytes())
}

/// A text of whatever string type.
fn string(octets: &mut Octets<'_>) -> Vec<u8> {
    const TYPES: [u8; 8] = [
        tag::UTF8_STRING,
        tag::PRINTABLE_STRING,
        tag::UTF8_STRING,
        tag::PRINTABLE_STRING,
        tag::TELETEX_STRING,
        tag::IA5_STRING,
        tag::BMP_STRING,
        tag::INTEGER,
    ];
    let (string, text) = (octets.choose(&TYPES), text(octets));
    if string == tag::BMP_STRING {
        let wide: Vec<u8> = String::from_utf8_lossy(text).encode_utf16().flat_map(u16::to_be_bytes).collect();
        tlv(string, &wide)
    } else {
        tlv(string, text)
    }
}

/// A Name.
pub fn name(octets: &mut Octets<'_>) -> Vec<u8> {
    const TITLE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.12");
    let mut rdns = Vec::new();
    for _ in 0..octets.below(5) {
        let mut rdn = Vec::new();
        for _ in 0..=octets.below(8) / 6 {
            let known = NameAttributeType::KNOWN.get(usize::from(octets.below(8)));
            let kind = known.map_or(TITLE, |kind| kind.oid());
            rdn.extend(sequence(&[&oid_tlv(&kind), &string(octets)]));
        }
        rdns.extend(tlv(tag::SET, &rdn));
    }
    sequence(&[&rdns])
}

/// A GeneralName.
fn general_name(octets: &mut Octets<'_>) -> Vec<u8> {
    const NAMES: [(u8, &[u8]); 12] = [
        (2, b"a.fleet.example"),
        (2, b"B.fleet.EXAMPLE"),
        (7, &[192, 0, 2, 7]),
        (7, &[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        (2, b"c.fleet.example"),
        (2, b"evil.example"),
        (7, &[10, 0, 0, 1]),
        (2, b"*.fleet.example"),
        (1, b"root@fleet.example"),
        (6, b"spiffe://fleet.example/a"),
        (8, &[0x2a, 3]),
        (7, &[192, 0, 2, 0, 255, 255, 255, 0]),
    ];
    let which = usize::from(octets.below(16));
    match NAMES.get(which) {
        Some((number, value)) => tlv(tag::context(*number), value),
        None if which == 12 => tlv(tag::context_constructed(4), &name(octets)),
        None if which == 13 => tlv(octets.octet() & 0xbf, octets.piece()),
        None => tlv(tag::context(2), octets.piece()),
    }
}

/// What is in GeneralNames.
pub fn general_names(octets: &mut Octets<'_>) -> Vec<u8> {
    (0..octets.below(6)).flat_map(|_| general_name(octets)).collect()
}

/// One Extension: one of the kinds that are judged, with a value of that kind or the fuzzer's own, or another.
pub fn extension(octets: &mut Octets<'_>) -> Vec<u8> {
    const KINDS: [&str; 8] = [
        "2.5.29.17",
        "2.5.29.15",
        "2.5.29.37",
        "2.5.29.19",
        "2.5.29.14",
        "2.5.29.30",
        "1.3.6.1.5.5.7.48.1.5",
        "1.3.6.1.4.1.99999.1",
    ];
    let kind = octets.choose(&KINDS);
    let critical: &[u8] =
        octets.choose(&[&[][..], &[], &[tag::BOOLEAN, 1, 0xff], &[tag::BOOLEAN, 1, 0], &[tag::BOOLEAN, 1, 1]]);
    let value = match (octets.below(8), kind) {
        (0, _) => octets.piece().to_vec(),
        (_, "2.5.29.17") => sequence(&[&general_names(octets)]),
        (_, "2.5.29.15") => tlv(tag::BIT_STRING, &[&[octets.below(9)], octets.piece()].concat()),
        (_, "2.5.29.37") => purposes(octets),
        (_, "2.5.29.19") => basic_constraints(octets),
        _ => octets.piece().to_vec(),
    };
    sequence(&[&oid_tlv(&ObjectIdentifier::new_unwrap(kind)), critical, &tlv(tag::OCTET_STRING, &value)])
}

/// ExtKeyUsageSyntax.
pub fn purposes(octets: &mut Octets<'_>) -> Vec<u8> {
    const OTHER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.20.2.2");
    let purposes = (0..octets.below(4)).flat_map(|_| {
        let known = ExtendedKeyUsage::KNOWN.get(usize::from(octets.below(10)));
        oid_tlv(&known.map_or(OTHER, |purpose| purpose.oid()))
    });
    tlv(tag::SEQUENCE, &purposes.collect::<Vec<_>>())
}

/// BasicConstraints, with fields in any order and as often as it comes.
pub fn basic_constraints(octets: &mut Octets<'_>) -> Vec<u8> {
    let fields = (0..octets.below(4)).flat_map(|_| match octets.below(4) {
        0 => tlv(tag::BOOLEAN, &[octets.octet()]),
        1 => tlv(tag::BOOLEAN, &[0xff]),
        2 => tlv(tag::INTEGER, &[octets.octet()]),
        _ => tlv(octets.octet() & 0xbf, octets.piece()),
    });
    tlv(tag::SEQUENCE, &fields.collect::<Vec<_>>())
}

/// Extensions.
pub fn extensions(octets: &mut Octets<'_>) -> Vec<u8> {
    let all: Vec<Vec<u8>> = (0..octets.below(6)).map(|_| extension(octets)).collect();
    tlv(tag::SEQUENCE, &all.concat())
}

/// The extensionRequest of these Extensions.
#[must_use]
pub fn extension_request(extensions: &[u8]) -> Vec<u8> {
    attribute(&EXTENSION_REQUEST, extensions)
}

/// A challengePassword.
pub fn challenge(octets: &mut Octets<'_>) -> Vec<u8> {
    attribute(&CHALLENGE_PASSWORD, &string(octets))
}

/// A ChangeSubjectName in one of the forms that are about, with neither, one or both of its fields.
pub fn change_subject_name(octets: &mut Octets<'_>) -> Vec<u8> {
    let subject = if octets.flag() { name(octets) } else { Vec::new() };
    let names = general_names(octets);
    let names = match octets.below(5) {
        0 => Vec::new(),
        1 => sequence(&[&names]),
        2 => tlv(tag::context_constructed(1), &names),
        3 => tlv(tag::context_constructed(1), &sequence(&[&names])),
        _ => octets.piece().to_vec(),
    };
    attribute(&CHANGE_SUBJECT_NAME, &sequence(&[&subject, &names]))
}

/// An attribute with what is in its SET.
#[must_use]
pub fn attribute(oid: &ObjectIdentifier, values: &[u8]) -> Vec<u8> {
    sequence(&[&oid_tlv(oid), &tlv(tag::SET, values)])
}

/// The parts of a request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Name.
    pub subject: Vec<u8>,
    /// SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// Attributes, in the order in which they are written.
    pub attributes: Vec<Vec<u8>>,
    /// AlgorithmIdentifier.
    pub algorithm: Vec<u8>,
}

impl Request {
    /// The request, with something in place of a signature.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let attributes = tlv(tag::context_constructed(0), &self.attributes.concat());
        let info = sequence(&[&tlv(tag::INTEGER, &[0]), &self.subject, &self.spki, &attributes]);
        signed(&info, &self.algorithm)
    }

    /// The parts of a request that was read, as they are written.
    #[must_use]
    pub fn of(csr: &Csr) -> Self {
        let attributes = elements(csr.info()).get(3).map(|attributes| elements(attributes)).unwrap_or_default();
        Self {
            subject: csr.subject().as_der().to_vec(),
            spki: csr.public_key().spki().to_vec(),
            attributes: attributes.into_iter().map(<[u8]>::to_vec).collect(),
            algorithm: algorithm(),
        }
    }
}

/// A CertificationRequest of this certificationRequestInfo, with something in place of a signature.
#[must_use]
pub fn signed(info: &[u8], algorithm: &[u8]) -> Vec<u8> {
    sequence(&[info, algorithm, &tlv(tag::BIT_STRING, b"\0no signature")])
}

/// The AlgorithmIdentifier of ecdsa-with-SHA256.
#[must_use]
pub fn algorithm() -> Vec<u8> {
    written(|w| SignatureAlgorithm::EcdsaSha256.write(w))
}
