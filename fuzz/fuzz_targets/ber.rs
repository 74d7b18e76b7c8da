//! BER to DER: what comes out is DER, and comes out of itself unchanged.
#![no_main]

use certgate_pki::asn1::{Tlv, ber};
use libfuzzer_sys::fuzz_target;
use x509_cert::der::{ErrorKind, Result};

fuzz_target!(|octets: &[u8]| {
    let Ok(der) = ber::to_der(octets) else { return };
    assert_eq!(ber::to_der(&der).as_ref(), Ok(&der));
    // Length octets may be longer in the definite form, by one a level; strings in segments only get shorter.
    assert!(der.len() <= octets.len() + ber::MAX_DEPTH + octets.len() / 2);
    walk(&der, 0);
});

/// Every length is definite and minimal, every string in one piece.
fn walk(der: &[u8], depth: usize) {
    let Some(value) = known(Tlv::only(der)) else { return };
    assert!(depth <= ber::MAX_DEPTH && value.raw == der);
    if value.tag & 0x20 == 0 {
        return;
    }
    assert!(matches!(value.tag, 0x30 | 0x31) || value.tag >= 0x40, "a string in segments");
    let mut contents = value.contents().expect("not that long");
    while !contents.is_finished() {
        let Some(value) = known(contents.any()) else { return };
        walk(value.raw, depth + 1);
    }
}

/// A value of a type that X.680 has no name for goes through, and is read by nobody.
fn known(read: Result<Tlv<'_>>) -> Option<Tlv<'_>> {
    match read {
        Err(error) if matches!(error.kind(), ErrorKind::TagUnknown { .. }) => None,
        read => Some(read.expect("a value in DER")),
    }
}
