//! What certgate remembers. The ledger is durable: what it has accepted is committed and synced when the call returns.
//!
//! [`SqliteLedger`] is the embedded default: one file, one writer that commits for many at once, readers beside it. It implements the
//! ports of `certgate-enrollment`, one file an aggregate.

mod sqlite;

pub use sqlite::{OpenError, SqliteLedger};
