//! What certgate remembers. The ledger is durable: what it has accepted is committed and synced when the call returns.
//!
//! [`SqliteLedger`] is the embedded default: one file, one writer that commits for many at once, readers beside it. It implements the
//! ports of `certgate-enrollment`, one file an aggregate.
//!
//! What backups need looks at files, whether a gateway runs or not: [`copy_ledger`], [`inspect_ledger`], [`divergence`], [`unlike`].

mod sqlite;

pub use sqlite::{
    Divergence, Ended, Inspection, Issued, OpenError, SqliteLedger, Unlike, copy_ledger, divergence, inspect_ledger, unlike,
};
