//! Whatever is written is read again, octet for octet.

use certgate_crl::{Crl, CrlNumber, Entry, Kind, Listed};
use certgate_pki::{CrlReason, Serial, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::lists::{ED25519, Parts, encoded};

fn date() -> impl Strategy<Value = Timestamp> {
    // The years 1970 to 9999, half of them before 2050.
    prop_oneof![0..2_524_608_000_u64, 2_524_608_000..253_402_300_800_u64].prop_map(Timestamp::from_seconds)
}

fn entry() -> impl Strategy<Value = Entry> {
    let serial = vec(any::<u8>(), 1..=20).prop_map(|mut octets| {
        octets[0] = (octets[0] & 0x7f).max(1);
        Serial::from_octets(&octets).unwrap()
    });
    (serial, date(), option::of(select(CrlReason::ALL.to_vec())), option::of(date())).prop_map(
        |(serial, revocation_date, reason, invalidity_date)| Entry { serial, revocation_date, reason, invalidity_date },
    )
}

proptest! {
    #[test]
    fn lists(
        entries in vec(entry(), 0..40),
        size in 1..9_usize,
        signature in vec(any::<u8>(), 0..400),
        number in 1..u64::MAX,
        this in date(),
        later in 1..100_000_000_u64,
        is_delta: bool,
    ) {
        let parts = Parts { number: CrlNumber::from(number), ..Parts::new() };
        let base = CrlNumber::from(1);
        let mut fields = parts.fields();
        fields.this_update = this;
        fields.next_update = Timestamp::from_seconds(this.seconds() + later);
        prop_assume!(fields.next_update > this);
        if is_delta {
            fields.kind = Kind::Delta { base: &base };
        }
        let pieces: Vec<_> = entries.chunks(size).map(encoded).collect();
        let draft = fields.prepare(ED25519, pieces.iter().map(Vec::as_slice)).unwrap();
        let to_be_signed = draft.to_be_signed().to_vec();
        let der = draft.assemble(&signature);
        let crl = Crl::parse(&der).unwrap();
        prop_assert_eq!((crl.to_be_signed(), crl.as_der()), (to_be_signed.as_slice(), der.as_slice()));
        prop_assert_eq!((crl.this_update, crl.next_update), (this, fields.next_update));
        prop_assert_eq!((crl.number.as_ref(), crl.is_delta(), crl.entry_count()), (Some(&parts.number), is_delta, entries.len()));
        prop_assert_eq!(crl.encoded_entries(), pieces.concat());
        prop_assert_eq!(crl.entries().collect::<Vec<_>>(), entries.into_iter().map(Listed::Revoked).collect::<Vec<_>>());
    }

    #[test]
    fn any_octets(octets in vec(any::<u8>(), 0..200)) {
        let _ = Crl::parse(&octets);
    }

    /// One octet of a list is another one: it is refused, or all of it can be gone through.
    #[test]
    fn any_octet_changed(entries in vec(entry(), 0..4), at in any::<prop::sample::Index>(), to: u8) {
        let mut der = crate::lists::made(&Parts::new().fields(), &encoded(&entries)).unwrap();
        let at = at.index(der.len());
        der[at] = to;
        if let Ok(crl) = Crl::parse(&der) {
            prop_assert_eq!(crl.entries().count(), crl.entry_count());
        }
    }
}
