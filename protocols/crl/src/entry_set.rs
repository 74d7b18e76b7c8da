//! What a complete list has, encoded once and kept in order: a certificate that is revoked costs the octets of its entry and four more.

use std::cmp::Ordering;
use std::mem::size_of;

use certgate_pki::{Serial, Timestamp};

use crate::Entry;

/// Most octets of a piece. Whoever puts an entry in the middle moves half of a piece at the most.
const PIECE: usize = 8192;

/// Entries in DER, in the order of their serial numbers as numbers, each with the end of its certificate.
///
/// They are kept in pieces of a few kilobytes, which are what [`crate::CrlFields::prepare`] takes. An entry is found by a binary search
/// over pieces and a walk through one of them. No piece has room that it does not use, but for the last one while entries come in order.
#[derive(Clone, Debug, Default)]
pub struct EntrySet {
    /// None of them is empty.
    pieces: Vec<Piece>,
    len: usize,
    octets: usize,
}

impl EntrySet {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self { pieces: Vec::new(), len: 0, octets: 0 }
    }

    /// How many entries there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// None at all?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many octets all entries have, as a list has them.
    #[must_use]
    pub const fn octets(&self) -> usize {
        self.octets
    }

    /// How many octets of memory they take, whatever the allocator adds.
    #[must_use]
    pub fn held_octets(&self) -> usize {
        let held = |piece: &Piece| piece.octets.capacity() + piece.ends.capacity() * size_of::<u32>();
        self.pieces.capacity() * size_of::<Piece>() + self.pieces.iter().map(held).sum::<usize>()
    }

    /// The entries, as whole entries each, in order.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.pieces.iter().map(|piece| piece.octets.as_slice())
    }

    /// Adds the entry of a certificate whose last second is `not_after`, in the place of the one of the same serial number, if there is
    /// one.
    pub fn put(&mut self, entry: &Entry, not_after: Timestamp) {
        let mut encoded = Vec::with_capacity(96);
        entry.encode_into(&mut encoded);
        let end = Minute::of(not_after);
        let serial = entry.serial.as_octets();
        self.octets += encoded.len();
        self.len += 1;
        let at = self.piece_of(serial);
        let Some(piece) = self.pieces.get_mut(at) else {
            self.pieces.push(Piece::of(encoded, end));
            return;
        };
        match piece.place_of(serial) {
            Place::There(place) => {
                self.octets -= piece.replace(&place, &encoded, end);
                self.len -= 1;
            }
            Place::Before(place) => piece.insert(&place, &encoded, end),
            Place::AtTheEnd if piece.octets.len() + encoded.len() <= PIECE => piece.append(&encoded, end),
            Place::AtTheEnd => {
                piece.shrink();
                self.pieces.insert(at + 1, Piece::of(encoded, end));
                return;
            }
        }
        if let Some(rest) = piece.split_if_full() {
            self.pieces.insert(at + 1, rest);
        }
    }

    /// Takes the entry of this serial number away. False when there is none.
    pub fn remove(&mut self, serial: &Serial) -> bool {
        let at = self.piece_of(serial.as_octets());
        let Some(piece) = self.pieces.get_mut(at) else { return false };
        let Place::There(place) = piece.place_of(serial.as_octets()) else { return false };
        let octets = piece.replace(&place, &[], Minute(0));
        if piece.octets.is_empty() {
            self.pieces.remove(at);
        }
        self.octets -= octets;
        self.len -= 1;
        true
    }

    /// Is there an entry of this serial number?
    #[must_use]
    pub fn contains(&self, serial: &Serial) -> bool {
        let piece = self.pieces.get(self.piece_of(serial.as_octets()));
        piece.is_some_and(|piece| matches!(piece.place_of(serial.as_octets()), Place::There(_)))
    }

    /// Takes those away whose certificate ended before that time, but for what ended in the same minute, which is left for the next time;
    /// how many they were. An entry is to stay until it was in one list that was made after its certificate's end (RFC 5280 §3.3).
    pub fn prune(&mut self, before: Timestamp) -> usize {
        let kept = Minute::of(before);
        for piece in self.pieces.iter_mut().filter(|piece| piece.ends.iter().any(|end| *end < kept)) {
            piece.keep_from(kept);
        }
        self.pieces.retain(|piece| !piece.octets.is_empty());
        self.pieces.shrink_to(self.pieces.len() * 2);
        let before = self.len;
        self.len = self.pieces.iter().map(|piece| piece.ends.len()).sum();
        self.octets = self.pieces.iter().map(|piece| piece.octets.len()).sum();
        before - self.len
    }

    /// The last piece that begins at that serial number or before it, else the first one.
    fn piece_of(&self, serial: &[u8]) -> usize {
        let begins_by = |piece: &Piece| order(first_serial(&piece.octets), serial).is_le();
        self.pieces.partition_point(begins_by).saturating_sub(1)
    }
}

/// A minute since 1970. What ended in an earlier minute than another time's has ended before that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Minute(u32);

impl Minute {
    fn of(time: Timestamp) -> Self {
        Self(u32::try_from(time.seconds() / 60).unwrap_or(u32::MAX))
    }
}

/// Where an entry is, or would be, within a piece.
enum Place {
    /// There it is.
    There(Span),
    /// Before this one.
    Before(Span),
    /// After the last one.
    AtTheEnd,
}

/// One entry of a piece.
struct Span {
    /// Its number.
    index: usize,
    /// Where its octets begin.
    start: usize,
    /// How many they are.
    octets: usize,
}

#[derive(Clone, Debug)]
struct Piece {
    octets: Vec<u8>,
    ends: Vec<Minute>,
    /// Where the last entry begins: entries that come in order are compared with that one alone.
    last: usize,
}

impl Piece {
    fn of(octets: Vec<u8>, end: Minute) -> Self {
        Self { octets, ends: vec![end], last: 0 }
    }

    fn place_of(&self, serial: &[u8]) -> Place {
        if order(self.octets.get(self.last..).map_or(&[], first_serial), serial).is_lt() {
            return Place::AtTheEnd;
        }
        let mut start = 0;
        for (index, entry) in entries(&self.octets).enumerate() {
            let span = Span { index, start, octets: entry.len() };
            match order(first_serial(entry), serial) {
                Ordering::Less => start += entry.len(),
                Ordering::Equal => return Place::There(span),
                Ordering::Greater => return Place::Before(span),
            }
        }
        Place::AtTheEnd
    }

    fn append(&mut self, entry: &[u8], end: Minute) {
        self.last = self.octets.len();
        self.octets.extend_from_slice(entry);
        self.ends.push(end);
    }

    fn insert(&mut self, before: &Span, entry: &[u8], end: Minute) {
        self.octets.reserve_exact(entry.len());
        self.octets.splice(before.start..before.start, entry.iter().copied());
        self.ends.reserve_exact(1);
        self.ends.insert(before.index, end);
        self.last += entry.len();
    }

    /// Puts an entry, or nothing, where that one is; how many octets that one had.
    fn replace(&mut self, old: &Span, entry: &[u8], end: Minute) -> usize {
        self.octets.reserve_exact(entry.len().saturating_sub(old.octets));
        self.octets.splice(old.start..old.start + old.octets, entry.iter().copied());
        if entry.is_empty() {
            self.ends.remove(old.index);
        } else if let Some(known) = self.ends.get_mut(old.index) {
            *known = end;
        }
        self.shrink();
        self.find_last();
        old.octets
    }

    /// The second half of a piece that has more octets than a piece may have.
    fn split_if_full(&mut self) -> Option<Self> {
        if self.octets.len() <= PIECE {
            return None;
        }
        let (mut at, mut count) = (0, 0);
        for entry in entries(&self.octets) {
            (at, count) = (at + entry.len(), count + 1);
            if at >= self.octets.len() / 2 {
                break;
            }
        }
        let mut rest = Self { octets: self.octets.split_off(at), ends: self.ends.split_off(count), last: 0 };
        for half in [&mut *self, &mut rest] {
            half.shrink();
            half.find_last();
        }
        Some(rest)
    }

    fn keep_from(&mut self, kept: Minute) {
        let mut octets = Vec::with_capacity(self.octets.len());
        for (entry, _) in entries(&self.octets).zip(&self.ends).filter(|(_, end)| **end >= kept) {
            octets.extend_from_slice(entry);
        }
        self.octets = octets;
        self.ends.retain(|end| *end >= kept);
        self.shrink();
        self.find_last();
    }

    fn shrink(&mut self) {
        self.octets.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    fn find_last(&mut self) {
        let last = entries(&self.octets).last().map_or(0, <[u8]>::len);
        self.last = self.octets.len().saturating_sub(last);
    }
}

/// Entries, one by one. Each is a SEQUENCE of less than 128 octets, as [`Entry::encode_into`] makes them, so its length is its second
/// octet.
fn entries(mut octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (entry, rest) = octets.split_at_checked(2 + usize::from(*octets.get(1)?))?;
        octets = rest;
        Some(entry)
    })
}

/// The content octets of the serial number of the first entry: what the INTEGER has with which its SEQUENCE begins.
fn first_serial(octets: &[u8]) -> &[u8] {
    match octets {
        [_, _, _, length, rest @ ..] => rest.get(..usize::from(*length)).unwrap_or_default(),
        _ => &[],
    }
}

/// By number: none is negative and all are minimal, so the longer one is the greater one.
fn order(one: &[u8], other: &[u8]) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests;
