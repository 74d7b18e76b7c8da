//! The audit trail and its chain of hashes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use certgate_enrollment::{AuditHead, AuditReport, AuditTrail, AuditWalk, Event, ExpectedHeads, LedgerError};
use certgate_pki::DigestAlgorithm;

use super::{MemoryLedger, State, number};

impl State {
    fn head(&self) -> AuditHead {
        AuditHead { events: number(self.trail.len()), hash: self.trail.last().map_or([0; 32], |(_, hash)| *hash) }
    }

    pub(super) fn append(&mut self, event: Event) {
        let hash = link(self.head().hash, &event);
        self.trail.push((event, hash));
    }
}

/// The hash of an event that follows one of this hash.
fn link(previous: [u8; 32], event: &Event) -> [u8; 32] {
    let text = format!("{} {} {} {:?}", event.at.millis(), event.kind.name(), event.actor, event.details);
    let digest = certgate_crypto::provider().digest.digest(DigestAlgorithm::Sha256, &[&previous, text.as_bytes()].concat());
    digest.try_into().expect("32 octets")
}

#[async_trait]
impl AuditTrail for MemoryLedger {
    async fn head(&self) -> Result<AuditHead, LedgerError> {
        Ok(self.read().head())
    }

    async fn append(&self, event: Event) -> Result<(), LedgerError> {
        self.write()?.append(event);
        Ok(())
    }

    async fn first_missing(&self, heads: Vec<AuditHead>) -> Result<Option<usize>, LedgerError> {
        let state = self.read();
        let hash_of = |events: u64| match usize::try_from(events).ok()?.checked_sub(1) {
            None => Some(AuditHead::NOTHING.hash),
            Some(index) => state.trail.get(index).map(|(_, hash)| *hash),
        };
        Ok(heads.iter().position(|head| hash_of(head.events) != Some(head.hash)))
    }

    async fn verify(&self, expected: ExpectedHeads, walked: Arc<AtomicU64>) -> Result<AuditReport, LedgerError> {
        let state = self.read();
        let mut walk = AuditWalk::new(expected);
        for (event, hash) in &state.trail {
            if link(walk.head().hash, event) != *hash {
                walk.break_here();
                break;
            }
            walk.pass(AuditHead { events: walk.head().events + 1, hash: *hash });
            walked.store(walk.head().events, Ordering::Relaxed);
        }
        Ok(walk.end())
    }
}
