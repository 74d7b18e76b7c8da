//! File descriptors: one a connection, some for each validation, and some for everything else.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Limits;
use crate::validate;

/// For the ledger, listeners, the operator's socket, health and metrics, logs.
const RESERVE: u64 = 160;

/// Raises the process's limit as far as it may, and says for how many of `limits.connections` it leaves room.
#[must_use]
pub fn affordable_connections(limits: &Limits) -> usize {
    let wanted = u64::try_from(limits.connections).unwrap_or(u64::MAX);
    let reserve = reserve(limits);
    let needed = wanted.saturating_add(reserve);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < needed) {
        let raised = maximum.map_or(needed, |maximum| maximum.min(needed));
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
            tracing::warn!(%error, "the limit of open files cannot be raised");
        }
    }
    let room = getrlimit(Resource::Nofile).current.map_or(wanted, |current| current.saturating_sub(reserve).max(1));
    if room < wanted {
        tracing::warn!(
            wanted,
            room,
            "fewer connections than configured: raise the limit of open files (ulimit -n, LimitNOFILE=)"
        );
    }
    usize::try_from(room.min(wanted)).unwrap_or(usize::MAX)
}

/// What is kept free of connections.
fn reserve(limits: &Limits) -> u64 {
    let validations = u64::try_from(limits.validations).unwrap_or(u64::MAX);
    RESERVE.saturating_add(validations.saturating_mul(validate::DESCRIPTORS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validations_have_descriptors_of_their_own() {
        let limits = Limits { validations: 10, ..Limits::default() };
        assert_eq!(reserve(&limits), 160 + 10 * 7);
    }
}
