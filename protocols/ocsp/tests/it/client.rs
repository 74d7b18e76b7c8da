//! What a client has, and the writing of requests that no client would write.

use certgate_pki::asn1::{DerWriter, tag};
use certgate_pki::{Certificate, ObjectIdentifier, Provider};

pub(crate) const NULL: [u8; 2] = [tag::NULL, 0];
/// The serial number in most fixtures.
pub(crate) const SERIAL: [u8; 16] = [1, 0x93, 0xa1, 0xb2, 0xc3, 0xd4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

pub(crate) fn provider() -> Provider {
    certgate_crypto::provider()
}

pub(crate) fn read(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

pub(crate) fn certificate(name: &str) -> Certificate {
    Certificate::from_der(&read(name)).unwrap()
}

/// What `write` writes.
pub(crate) fn der(write: impl FnOnce(&mut DerWriter)) -> Vec<u8> {
    let mut writer = DerWriter::default();
    write(&mut writer);
    writer.finish()
}

pub(crate) fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    der(|w| {
        w.tlv(tag, value);
    })
}

pub(crate) fn explicit(number: u8, value: &[u8]) -> Vec<u8> {
    tlv(tag::context_constructed(number), value)
}

/// An object identifier under id-pkix-ocsp.
pub(crate) fn ocsp_oid(last_arc: u8) -> ObjectIdentifier {
    ObjectIdentifier::new(&format!("1.3.6.1.5.5.7.48.1.{last_arc}")).unwrap()
}

/// An Extension; `critical` is the octet of its BOOLEAN.
pub(crate) fn extension(oid: &ObjectIdentifier, critical: Option<u8>, value: &[u8]) -> Vec<u8> {
    der(|w| {
        w.sequence(|w| {
            w.oid(oid);
            if let Some(octet) = critical {
                w.tlv(tag::BOOLEAN, &[octet]);
            }
            w.tlv(tag::OCTET_STRING, value);
        });
    })
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(tag::SEQUENCE, &parts.concat())
}

/// A CertID of SHA-1 with this INTEGER's contents.
pub(crate) fn cert_id(serial: &[u8]) -> Vec<u8> {
    let algorithm = sequence(&[&tlv(tag::OID, &[0x2b, 0x0e, 3, 2, 0x1a]), &NULL]);
    sequence(&[&algorithm, &tlv(tag::OCTET_STRING, &[1; 20]), &tlv(tag::OCTET_STRING, &[2; 20]), &tlv(tag::INTEGER, serial)])
}

/// A request for this CertID, with these extensions; `None` leaves the field out.
pub(crate) fn request(cert_id: &[u8], extensions: Option<&[Vec<u8>]>) -> Vec<u8> {
    let list = sequence(&[&sequence(&[cert_id])]);
    let extensions = extensions.map(|all| explicit(2, &tlv(tag::SEQUENCE, &all.concat()))).unwrap_or_default();
    sequence(&[&sequence(&[&list, &extensions])])
}
