//! What a backup says of itself: the first thing in it.

use certgate_store::Inspection;
use serde::{Deserialize, Serialize};

/// The form that is written and read here.
pub(super) const FORMAT: u32 = 1;

/// What is in a backup, and of when.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Manifest {
    /// Form of the archive, [`FORMAT`].
    pub format: u32,
    /// Version of the certgate that made it.
    pub certgate: String,
    /// When, RFC 3339.
    pub made_at: String,
    /// Schema of its ledger.
    pub schema: usize,
    /// How many events its audit trail has.
    pub events: u64,
    /// Hash of the last of them, lowercase hex.
    pub head: String,
    /// How many certificates it knows.
    pub certificates: u64,
    /// How many of them are revoked or on hold.
    pub not_good: u64,
    /// The greatest CRL number of each scope.
    pub crl_numbers: Vec<CrlNumber>,
    /// Are private keys in it?
    pub has_keys: bool,
    /// Where its `certgate.toml` was, if that was not in the data directory.
    pub config: Option<String>,
    /// All other files of it, in their order.
    pub files: Vec<Member>,
}

/// How far CRLs of one scope were numbered.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CrlNumber {
    /// Whose CRLs.
    pub authority: String,
    /// The shard; 0 is all of them.
    pub shard: u32,
    /// cRLNumber of the last one.
    pub number: u64,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Member {
    /// Its path in the data directory.
    pub name: String,
    /// How long it is.
    pub octets: u64,
    /// SHA-256 of it, lowercase hex.
    pub sha256: String,
}

impl Manifest {
    /// Of a ledger that was looked at; without files.
    pub(super) fn of(ledger: &Inspection, made_at: String) -> Self {
        let numbers = ledger.crl_numbers.iter();
        Self {
            format: FORMAT,
            certgate: env!("CARGO_PKG_VERSION").to_owned(),
            made_at,
            schema: ledger.schema,
            events: ledger.audit.head.events,
            head: base16ct::lower::encode_string(&ledger.audit.head.hash),
            certificates: ledger.certificates,
            not_good: ledger.not_good,
            crl_numbers: numbers
                .map(|(scope, number)| CrlNumber { authority: scope.authority.clone(), shard: scope.shard, number: *number })
                .collect(),
            has_keys: true,
            config: None,
            files: Vec::new(),
        }
    }
}
