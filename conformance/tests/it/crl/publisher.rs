//! One scope: who is revoked in it, and the lists that were made of that.

use super::{
    lists::{self, Entry, Head},
    server::Fault,
};
use crate::authority::Authority;

/// Seconds from thisUpdate to nextUpdate.
const VALIDITY: i64 = 40;
/// Seconds before nextUpdate when the next list is made.
const OVERLAP: i64 = 10;
/// Every so manieth change makes a complete list, the others a delta.
const COMPLETE_EVERY: u64 = 3;
/// reasonCode removeFromCRL (RFC 5280 §5.3.1).
const REMOVE_FROM_CRL: u8 = 8;

/// A list that is published.
#[derive(Clone, Default)]
pub(super) struct Published {
    pub(super) der: Vec<u8>,
    pub(super) number: u64,
    /// Seconds since 1970.
    pub(super) made: i64,
}

/// A scope.
pub(super) struct Publisher {
    pub(super) complete_url: String,
    /// Where its deltas are; none makes a complete list of each change.
    pub(super) delta_url: Option<String>,
    is_shard: bool,
    fault: Option<Fault>,
    number: u64,
    changes: u64,
    revoked: Vec<Revoked>,
    /// The number of the last complete list.
    base: u64,
    /// Serial numbers whose status changed since then.
    changed: Vec<Vec<u8>>,
    pub(super) complete: Published,
    pub(super) delta: Published,
}

struct Revoked {
    entry: Entry,
    not_after: i64,
}

impl Publisher {
    pub(super) fn new(complete_url: String, delta_url: Option<String>, is_shard: bool, fault: Option<Fault>) -> Self {
        Self {
            complete_url,
            delta_url,
            is_shard,
            fault,
            number: 0,
            changes: 0,
            revoked: Vec::new(),
            base: 0,
            changed: Vec::new(),
            complete: Published::default(),
            delta: Published::default(),
        }
    }

    /// Makes lists where the old ones are about to end, or there are none.
    pub(super) fn tick(&mut self, authority: &Authority, now: i64) {
        let is_due = now + OVERLAP >= self.complete.made + VALIDITY && self.fault != Some(Fault::ServesStale);
        if is_due || self.number == 0 {
            self.make_complete(authority, now);
            self.make_delta(authority, now);
        } else if now + OVERLAP >= self.delta.made + VALIDITY {
            self.make_delta(authority, now);
        }
    }

    /// Notes a revocation, and makes a list.
    pub(super) fn revoke(&mut self, entry: Entry, not_after: i64, authority: &Authority) {
        self.changes += 1;
        if self.fault == Some(Fault::LosesHalf) && self.changes.is_multiple_of(2) {
            return;
        }
        self.revoked.retain(|one| one.entry.serial != entry.serial);
        let (serial, now) = (entry.serial.clone(), entry.date);
        self.revoked.push(Revoked { entry, not_after });
        self.publish(serial, authority, now);
    }

    /// Notes a release, and makes a list.
    pub(super) fn release(&mut self, serial: &[u8], authority: &Authority, now: i64) {
        self.changes += 1;
        if self.fault != Some(Fault::KeepsReleased) {
            self.revoked.retain(|one| one.entry.serial != serial);
        }
        self.publish(serial.to_vec(), authority, now);
    }

    /// Begins to count again.
    pub(super) fn forget_numbers(&mut self) {
        self.number = 0;
    }

    fn publish(&mut self, serial: Vec<u8>, authority: &Authority, now: i64) {
        self.changed.push(serial);
        if self.delta_url.is_none() || self.changes.is_multiple_of(COMPLETE_EVERY) {
            self.make_complete(authority, now);
        } else {
            self.make_delta(authority, now);
        }
    }

    fn make_complete(&mut self, authority: &Authority, now: i64) {
        let drops_expired = |revoked: &mut Vec<Revoked>| revoked.retain(|one| one.not_after >= now);
        if self.fault == Some(Fault::DropsExpired) {
            drops_expired(&mut self.revoked);
        }
        let entries: Vec<Entry> = self.revoked.iter().map(|one| one.entry.clone()).collect();
        self.complete = self.make(authority, now, None, &entries);
        self.base = self.number;
        self.changed.clear();
        // RFC 5280 §3.3: once on a list issued beyond its validity period, an entry may go.
        drops_expired(&mut self.revoked);
    }

    fn make_delta(&mut self, authority: &Authority, now: i64) {
        if self.delta_url.is_none() {
            return;
        }
        let mut serials = self.changed.clone();
        serials.sort();
        serials.dedup();
        let entry_of = |serial: Vec<u8>| {
            let listed = self.revoked.iter().find(|one| one.entry.serial == serial);
            let drops = self.fault == Some(Fault::DropsExpired);
            match listed {
                Some(one) if !drops || one.not_after >= now => one.entry.clone(),
                _ => Entry { serial, date: now, reason: Some(REMOVE_FROM_CRL), invalid_since: None },
            }
        };
        let entries: Vec<Entry> = serials.into_iter().map(entry_of).collect();
        self.delta = self.make(authority, now, Some(self.base), &entries);
    }

    fn make(&mut self, authority: &Authority, now: i64, base: Option<u64>, entries: &[Entry]) -> Published {
        self.number += 1;
        let head = Head {
            number: self.number,
            base,
            period: (now, now + VALIDITY),
            point: self.is_shard.then_some(self.complete_url.as_str()),
            freshest: if base.is_none() { self.delta_url.as_deref() } else { None },
        };
        Published { der: lists::encode(&head, entries, authority), number: self.number, made: now }
    }
}
