//! The hash chain.
//!
//! `hash(n) = SHA-256("certgate audit 1" ‖ hash(n-1) ‖ n ‖ at ‖ len(kind) ‖ kind ‖ len(actor) ‖ actor ‖ len(details) ‖ details)`, numbers and
//! lengths as 8 octets, big endian, `details` the JSON text as it is stored, `hash(0)` 32 zero octets.

use certgate_enrollment::{AuditHead, Event};
use certgate_pki::{Digest, sha256};
use rusqlite::{Connection, params};
use serde_json::{Map, Value};

/// Keeps these hashes apart from any other use of SHA-256, and versions of the chain from each other.
const DOMAIN: &[u8] = b"certgate audit 1";

/// An event as it stands in the ledger.
pub(super) struct Entry<'e> {
    /// From 1.
    pub(super) number: u64,
    /// Milliseconds since 1970.
    pub(super) at: u64,
    /// What.
    pub(super) kind: &'e str,
    /// Who.
    pub(super) actor: &'e str,
    /// JSON text.
    pub(super) details: &'e str,
}

impl Entry<'_> {
    /// The hash of this event after the one whose hash is `before`.
    pub(super) fn hash(&self, digest: &dyn Digest, before: [u8; 32]) -> [u8; 32] {
        let mut input = Vec::with_capacity(DOMAIN.len() + 32 + 40 + self.kind.len() + self.actor.len() + self.details.len());
        input.extend_from_slice(DOMAIN);
        input.extend(before);
        input.extend(self.number.to_be_bytes());
        input.extend(self.at.to_be_bytes());
        for text in [self.kind, self.actor, self.details] {
            input.extend((text.len() as u64).to_be_bytes());
            input.extend_from_slice(text.as_bytes());
        }
        sha256(digest, &input)
    }
}

/// Appends an event behind `head`; gives the new head.
pub(super) fn append(
    connection: &Connection,
    digest: &dyn Digest,
    head: AuditHead,
    event: &Event,
) -> rusqlite::Result<AuditHead> {
    let details: Map<String, Value> =
        event.details.iter().map(|(key, value)| ((*key).to_owned(), Value::String(value.clone()))).collect();
    let details = Value::Object(details).to_string();
    let entry = Entry {
        number: head.events + 1,
        at: event.at.millis(),
        kind: event.kind.name(),
        actor: &event.actor,
        details: &details,
    };
    let hash = entry.hash(digest, head.hash);
    let mut insert =
        connection.prepare_cached("INSERT INTO audit (number, at, kind, actor, details, hash) VALUES (?, ?, ?, ?, ?, ?)")?;
    insert.execute(params![number(entry.number), number(entry.at), entry.kind, entry.actor, entry.details, hash])?;
    Ok(AuditHead { events: entry.number, hash })
}

/// As SQLite holds it; counts and times of this ledger stay far below 2^63.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
