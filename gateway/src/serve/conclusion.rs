//! How a request for a certificate has ended: counted, and one line of the log, at the level of who has to act. The same for every
//! protocol.

use std::fmt::Display;

use certgate_enrollment::{Blame, Outcome, Recorded};

use crate::listen::Peer;
use crate::telemetry::{EnrollmentMetrics, Outcome as Counted, Stopwatch};

/// An attempt to get a certificate, as the log tells of it.
pub(super) struct Attempt {
    /// What it asks.
    pub(super) operation: &'static str,
    /// Whose it is; empty where that is not known.
    pub(super) principal: String,
    /// What its requester calls it, where the protocol has a name for it.
    pub(super) transaction: Option<String>,
    /// Where it came from.
    pub(super) peer: Peer,
    /// Since when.
    pub(super) watch: Stopwatch,
}

/// Why there is no certificate.
pub(super) trait Failure: Display {
    /// Who has to act.
    fn blame(&self) -> Blame;

    /// Has the client proved nothing about who it is?
    fn is_unauthenticated(&self) -> bool {
        false
    }
}

impl Attempt {
    /// Counts and logs what came of it.
    pub(super) fn conclude(
        &self,
        (endpoint, metrics): (&str, &EnrollmentMetrics),
        outcome: &Result<Recorded<Outcome>, impl Failure>,
    ) {
        let counted = match outcome {
            Ok(outcome) => self.log_outcome(endpoint, outcome),
            Err(failure) => {
                self.log_failure(endpoint, failure);
                if failure.is_unauthenticated() { Counted::Unauthenticated } else { Counted::Failed(failure.blame()) }
            }
        };
        metrics.ended(counted, self.watch.elapsed());
    }

    fn log_outcome(&self, endpoint: &str, outcome: &Outcome) -> Counted {
        let Self { operation, principal, transaction, peer, .. } = self;
        let peer = peer.address;
        match outcome {
            Outcome::Issued(issued) => {
                tracing::info!(endpoint, operation, principal, transaction, %peer, serial = %issued.serial, "certificate issued");
                Counted::Issued
            }
            Outcome::Served(issued) => {
                tracing::info!(endpoint, operation, principal, transaction, %peer, serial = %issued.serial, "certificate served");
                Counted::Served
            }
            Outcome::Pending(waits) => {
                tracing::info!(endpoint, operation, principal, transaction, %peer, enrollment = %waits.id, "waiting for approval");
                Counted::Pending
            }
        }
    }

    fn log_failure(&self, endpoint: &str, failure: &impl Failure) {
        let Self { operation, principal, transaction, peer, .. } = self;
        let (peer, blame) = (peer.address, failure.blame());
        match blame {
            Blame::Client | Blame::Policy => {
                tracing::info!(endpoint, operation, principal, transaction, %peer, blame = blame.name(), reason = %failure, "enrollment refused");
            }
            Blame::Backend | Blame::Store | Blame::Bug => {
                tracing::error!(endpoint, operation, principal, transaction, %peer, blame = blame.name(), reason = %failure, "enrollment failed");
            }
        }
    }
}
