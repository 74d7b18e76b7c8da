//! File descriptors: one a connection, and some for everything else.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For the ledger, listeners, the operator's socket, health and metrics, logs.
const RESERVE: u64 = 160;

/// Raises the process's limit as far as it may, and says how many of these connections it leaves room for.
#[must_use]
pub fn affordable_connections(wanted: usize) -> usize {
    let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
    let needed = wanted.saturating_add(RESERVE);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < needed) {
        let raised = maximum.map_or(needed, |maximum| maximum.min(needed));
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
            tracing::warn!(%error, "the limit of open files cannot be raised");
        }
    }
    let room = getrlimit(Resource::Nofile).current.map_or(wanted, |current| current.saturating_sub(RESERVE).max(1));
    if room < wanted {
        tracing::warn!(
            wanted,
            room,
            "fewer connections than configured: raise the limit of open files (ulimit -n, LimitNOFILE=)"
        );
    }
    usize::try_from(room.min(wanted)).unwrap_or(usize::MAX)
}
