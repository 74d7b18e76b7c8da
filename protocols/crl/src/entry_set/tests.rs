use std::collections::BTreeMap;

use certgate_pki::CrlReason;
use proptest::prelude::*;

use super::*;

/// 2026-09-21T14:13:20Z.
const DATE: Timestamp = Timestamp::from_seconds(1_790_000_000);

fn entry(serial: &[u8], reason: Option<CrlReason>) -> Entry {
    let serial = Serial::from_octets(serial).unwrap();
    Entry { serial, revocation_date: DATE, reason, invalidity_date: None }
}

/// A serial number of `octets` octets that says so much.
fn serial(number: u64, octets: usize) -> Vec<u8> {
    let mut serial = vec![1; octets.max(9) - 8];
    serial.extend(number.to_be_bytes());
    serial
}

fn end(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// What is in a set, whatever its pieces are.
fn contents(set: &EntrySet) -> Vec<u8> {
    set.pieces().collect::<Vec<_>>().concat()
}

/// A million entries with serial numbers of 16 octets and a reason: what a list of that size costs between builds.
#[test]
fn an_entry_costs_less_than_64_octets() {
    const MANY: u64 = 1_000_000;
    let mut in_order = EntrySet::new();
    for number in 0..MANY {
        in_order.put(&entry(&serial(number, 16), Some(CrlReason::Superseded)), end(number));
    }
    assert_eq!((in_order.len(), in_order.octets()), (1_000_000, 49_000_000));
    // 53.6: 49 of the entry, 4 of its certificate's end, and the rest for the pieces.
    assert!(in_order.held_octets() < 54 * 1_000_000, "{}", in_order.held_octets());
    assert!(in_order.pieces().count() < 6100, "full pieces: {}", in_order.pieces().count());

    let mut in_disorder = EntrySet::new();
    for number in 0..100_000_u64 {
        // An odd multiplier visits every number of a power of two once.
        let number = number.wrapping_mul(48_271) % 131_072;
        in_disorder.put(&entry(&serial(number, 16), Some(CrlReason::Superseded)), end(number));
    }
    assert_eq!(in_disorder.len(), 100_000);
    assert!(in_disorder.held_octets() < 64 * 100_000, "{}", in_disorder.held_octets());
}

#[test]
fn serial_numbers_are_ordered_as_numbers() {
    let mut set = EntrySet::new();
    let serials = [&[2][..], &[0, 0x80], &[1, 0], &[1, 0, 0], &[1; 20], &[&[0][..], &[0xff; 20]].concat()].map(<[u8]>::to_vec);
    // In the ledger, which compares octets, [1, 0] comes before [2].
    for serial in serials.iter().rev() {
        set.put(&entry(serial, None), DATE);
    }
    assert_eq!(contents(&set), encoded(serials.iter().map(|serial| entry(serial, None))));
}

#[test]
fn nothing_is_taken_away_before_its_end() {
    for (not_after, before, is_kept) in [
        (120, 120, true),
        (120, 121, true),
        // Later than it could be, and never earlier.
        (120, 179, true),
        (120, 180, false),
        (119, 120, false),
        (Timestamp::NO_EXPIRATION.seconds(), Timestamp::NO_EXPIRATION.seconds(), true),
    ] {
        let mut set = EntrySet::new();
        set.put(&entry(&[1], None), end(not_after));
        assert_eq!(set.prune(end(before)), usize::from(!is_kept), "{not_after} {before}");
        assert_eq!((set.len(), set.pieces().count()), (usize::from(is_kept), usize::from(is_kept)));
    }
}

fn encoded(entries: impl Iterator<Item = Entry>) -> Vec<u8> {
    let mut octets = Vec::new();
    entries.for_each(|entry| entry.encode_into(&mut octets));
    octets
}

#[derive(Clone, Debug)]
enum Op {
    Put(u64, usize, bool, u64),
    Remove(u64, usize),
    Prune(u64),
}

fn op() -> impl Strategy<Value = Op> {
    // Few numbers, so that they come again.
    prop_oneof![
        8 => (0..600_u64, 9..12_usize, any::<bool>(), 0..1000_u64).prop_map(|(n, octets, why, end)| Op::Put(n, octets, why, end)),
        3 => (0..600_u64, 9..12_usize).prop_map(|(number, octets)| Op::Remove(number, octets)),
        1 => (0..400_u64).prop_map(Op::Prune),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The same as a map that is ordered by number, of which every entry is encoded anew.
    #[test]
    fn as_a_map_would_have_it(in_order in 0..1000_u64, ops in proptest::collection::vec(op(), 0..1500)) {
        let (mut set, mut model) = (EntrySet::new(), BTreeMap::new());
        let loaded = (0..in_order).map(|number| Op::Put(number, 9, false, 2000));
        for op in loaded.chain(ops) {
            match op {
                Op::Put(number, octets, why, minutes) => {
                    let entry = entry(&serial(number, octets), why.then_some(CrlReason::KeyCompromise));
                    set.put(&entry, end(minutes * 60));
                    model.insert((octets, serial(number, octets)), (entry, minutes * 60));
                }
                Op::Remove(number, octets) => {
                    let serial = serial(number, octets);
                    let was_there = model.remove(&(octets, serial.clone())).is_some();
                    prop_assert_eq!(set.remove(&Serial::from_octets(&serial).unwrap()), was_there);
                }
                Op::Prune(minutes) => {
                    let before = model.len();
                    model.retain(|_, (_, not_after)| *not_after >= minutes * 60);
                    prop_assert_eq!(set.prune(end(minutes * 60)), before - model.len());
                }
            }
            prop_assert_eq!(set.len(), model.len());
        }
        for number in 0..600 {
            let serial = serial(number, 9);
            let is_there = model.contains_key(&(9, serial.clone()));
            prop_assert_eq!(set.contains(&Serial::from_octets(&serial).unwrap()), is_there);
        }
        let expected = encoded(model.values().map(|(entry, _)| entry.clone()));
        prop_assert_eq!(set.octets(), expected.len());
        prop_assert_eq!(contents(&set), expected);
        prop_assert!(set.pieces().all(|piece| !piece.is_empty() && piece.len() <= PIECE));
        prop_assert_eq!(set.is_empty(), model.is_empty());
    }
}
