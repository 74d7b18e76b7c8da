//! CRLs: what is read can be gone through to its end, and what it says is written again in the same octets.
//!
//! The first octet says whether the rest is a list, DER, or octets of entries, around which a list is made.
#![no_main]

use std::sync::LazyLock;

use certgate_crl::{Crl, CrlFields, CrlNumber, Kind, Listed, MAX_CRL};
use certgate_fuzz::{Octets, der, provider};
use certgate_pki::asn1::{DerReader, Tlv, tag};
use certgate_pki::{Certificate, KeyIdentifier, Name, SignatureAlgorithm, Timestamp};
use libfuzzer_sys::fuzz_target;

static KEY: LazyLock<Certificate> = LazyLock::new(|| {
    let der = include_bytes!("../../protocols/crl/tests/fixtures/ca.der");
    Certificate::from_der(der).expect("a certificate")
});

/// Octets of reasonCode and of invalidityDate, as ours are written: `SEQUENCE { OID, OCTET STRING … }`.
const REASON_CODE: [u8; 10] = [0x30, 10, 6, 3, 0x55, 0x1d, 0x15, 4, 3, 0x0a];
const INVALIDITY_DATE: [u8; 10] = [0x30, 24, 6, 3, 0x55, 0x1d, 0x18, 4, 17, 0x18];

fuzz_target!(|data: &[u8]| {
    let mut octets = Octets::new(data);
    match octets.below(3) {
        0 => {
            look(octets.rest());
        }
        kind => {
            // A list around no matter what: it is read, or the entries are at fault.
            let made = list(octets.rest(), kind == 2);
            if let Some(crl) = look(&made) {
                assert_eq!(crl.encoded_entries(), octets.rest());
            }
        }
    }
});

/// A list with these entries, complete or a delta.
fn list(entries: &[u8], is_delta: bool) -> Vec<u8> {
    let issuer = Name::from_der(&[0x30, 13, 0x31, 11, 0x30, 9, 6, 3, 0x55, 4, 3, 0x0c, 2, b'C', b'A']).expect("a name");
    let (number, base) = (CrlNumber::from(2), CrlNumber::from(1));
    let fields = CrlFields {
        issuer: &issuer,
        this_update: Timestamp::from_seconds(1),
        next_update: Timestamp::from_seconds(2),
        authority_key: &KeyIdentifier::from_octets(vec![7; 20]),
        number: &number,
        distribution_point: None,
        kind: if is_delta { Kind::Delta { base: &base } } else { Kind::Complete { freshest: None } },
    };
    let draft = fields.prepare(SignatureAlgorithm::Ed25519, [entries]).expect("good fields");
    let to_be_signed = draft.to_be_signed().to_vec();
    assert!(Tlv::only(&to_be_signed).is_ok_and(|tlv| tlv.tag == tag::SEQUENCE));
    let made = draft.assemble(&[7; 64]);
    let outer = Tlv::only(&made).expect("one value");
    assert!(outer.value.starts_with(&to_be_signed));
    made
}

/// Reads a list; what comes out of it holds what it promises.
fn look(octets: &[u8]) -> Option<Crl<'_>> {
    let crl = Crl::parse(octets).ok()?;
    assert!(octets.len() <= MAX_CRL && crl.as_der() == octets);
    assert!(!crl.issuer.is_empty() && !(crl.is_delta() && !crl.freshest.is_empty()));
    assert!(Crl::parse(&octets[..octets.len() - 1]).is_err());
    let mut theirs = DerReader::new(crl.encoded_entries()).expect("not that long");
    let mut count = 0;
    for listed in crl.entries() {
        assert_written_again(&listed, theirs.any().expect("an entry").raw, crl.is_delta());
        count += 1;
    }
    assert!(theirs.is_finished() && count == crl.entry_count());
    if let Some(number) = &crl.number {
        assert_eq!(CrlNumber::from_octets(number.as_octets()).as_ref(), Some(number));
        assert!(number.successor().is_none_or(|next| next > *number));
        assert!(number.to_u64().is_none_or(|small| CrlNumber::from(small) == *number));
    }
    assert_listed_again(&crl);
    let _ = crl.verify_signed_by(KEY.public_key(), &provider());
    Some(crl)
}

/// An entry of nothing but what ours have, in the same order, is the same octets; any other one says the same when it is read again.
fn assert_written_again(listed: &Listed, theirs: &[u8], is_delta: bool) {
    let mut ours = Vec::new();
    match listed {
        Listed::Revoked(entry) => entry.encode_into(&mut ours),
        Listed::Removed(removal) => {
            assert!(is_delta);
            removal.encode_into(&mut ours);
        }
    }
    assert!(ours == theirs || has_more(listed, theirs), "{listed:?}: {theirs:02x?}");
    let made = list(&ours, is_delta);
    let again = Crl::parse(&made).expect("what was written is read");
    assert!(again.entries().eq([listed.clone()]));
}

/// Is there anything in the entry that ours do not have, or in another order?
fn has_more(listed: &Listed, entry: &[u8]) -> bool {
    let fields = der::elements(entry);
    let extensions = fields.get(2).map(|extensions| der::elements(extensions)).unwrap_or_default();
    let is_reason = |extension: &[u8]| extension.starts_with(&REASON_CODE);
    let is_date = |extension: &[u8]| extension.starts_with(&INVALIDITY_DATE);
    let others = extensions.iter().any(|extension| !is_reason(extension) && !is_date(extension));
    let unspecified = extensions.iter().any(|extension| is_reason(extension) && extension.ends_with(&[0]));
    let reversed = extensions.len() == 2 && is_date(extensions[0]);
    let dated_removal = matches!(listed, Listed::Removed(_)) && extensions.len() > 1;
    others || unspecified || reversed || dated_removal
}

/// The next list has the entries of this one, octet for octet.
fn assert_listed_again(crl: &Crl<'_>) {
    let made = list(crl.encoded_entries(), crl.is_delta());
    let again = Crl::parse(&made);
    // What was just short of the limit may be longer now.
    let Ok(again) = again else { return assert!(made.len() > MAX_CRL) };
    assert_eq!((again.entry_count(), again.encoded_entries()), (crl.entry_count(), crl.encoded_entries()));
    assert!(again.entries().eq(crl.entries()));
}
