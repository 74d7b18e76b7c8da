//! Signed heads of the audit trail. Whoever keeps copies of them elsewhere can tell when the trail was truncated or rewritten; those in the
//! data directory tell when the ledger is an older one.

mod checkpoints;
mod heads_file;
mod key;
mod signed_head;

pub use checkpoints::{CheckpointParts, Checkpoints, Pace};
pub use heads_file::HeadsFile;
pub use key::{AuditKey, KeyId};
pub(crate) use signed_head::{CheckedHeads, check};
pub use signed_head::{HeadFault, SignedHead, Statement};
