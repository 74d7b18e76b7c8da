//! When heads are signed, and where they go: to the file, the log, the metrics.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use certgate_enrollment::{AuditHead, AuditTrail, Clock};
use certgate_pki::Timestamp;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{AuditKey, CheckedHeads, HeadsFile, SignedHead, Statement, check};
use crate::telemetry::{AuditMetrics, CHECKPOINT};

/// How often it is looked whether a head is to be signed, where they are signed less often. It is the clock of the wall that counts.
const LOOK: Duration = Duration::from_secs(10);
/// How long after a failure it is tried again.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is said when a head that was signed is not in the trail.
const BEHIND: &str = "the audit trail lacks a head that was signed: the ledger is an older one, or was changed";

/// How often heads are signed, where anything was appended since.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// After this time,
    pub period: Duration,
    /// or after so many events.
    pub events: u64,
}

impl Pace {
    fn is_due(&self, last: &Statement, head: AuditHead, now: Timestamp) -> bool {
        let events = head.events.saturating_sub(last.head.events);
        events >= self.events || now >= last.at.after(self.period) || now < last.at
    }
}

/// What it takes to sign heads.
pub struct CheckpointParts {
    /// What is signed.
    pub trail: Arc<dyn AuditTrail>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who signs.
    pub key: AuditKey,
    /// Where heads are kept.
    pub file: HeadsFile,
    /// How often.
    pub pace: Pace,
    /// Where it is seen.
    pub metrics: AuditMetrics,
}

/// Signs heads. What was signed last is what the file has last: there is no other state.
pub struct Checkpoints(CheckpointParts);

impl Checkpoints {
    /// Of these parts; nothing is signed yet.
    #[must_use]
    pub const fn new(parts: CheckpointParts) -> Self {
        Self(parts)
    }

    /// Says whether the trail lacks a head that was signed, signs the present one, and goes on until told to stop.
    pub async fn run(self: Arc<Self>, stopping: CancellationToken) {
        if let Err(error) = self.look_back().await {
            tracing::error!(error = format!("{error:#}"), "signed heads of the audit trail cannot be looked up");
        }
        let mut ticks = tokio::time::interval(LOOK.min(self.0.pace.period));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_begun = false;
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                _ = ticks.tick() => match self.sign(!is_begun).await {
                    Ok(()) => is_begun = true,
                    Err(error) => {
                        complain(&error);
                        ticks.reset_after(PATIENCE);
                    }
                }
            }
        }
    }

    /// Signs the last head, when nothing is appended any more.
    pub async fn end(&self) {
        if let Err(error) = self.sign(true).await {
            complain(&error);
        }
    }

    /// The lines of the file, or of a copy of it, as far as they are in order.
    pub(crate) async fn check(&self, copy: Option<String>) -> anyhow::Result<CheckedHeads> {
        let (file, key) = (self.0.file.clone(), self.0.key.clone());
        let read = move || copy.map_or_else(|| file.read(), Ok).map(|text| check(&text, &key));
        self.on_file(read).await
    }

    /// Looks each signed head up in the trail, without hashing anything.
    async fn look_back(&self) -> anyhow::Result<()> {
        let file = self.0.file.clone();
        let text = self.on_file(move || file.read()).await?;
        let stated = |line| SignedHead::read(line).ok()?.statement.parse::<Statement>().ok();
        let statements: Vec<Statement> = text.lines().filter_map(stated).collect();
        self.0.metrics.behind.set(0);
        self.find(&statements).await
    }

    /// Says so if the trail lacks one of these.
    async fn find(&self, statements: &[Statement]) -> anyhow::Result<()> {
        let heads = statements.iter().map(|statement| statement.head).collect();
        let missing = self.0.trail.first_missing(heads).await?;
        if let Some(lost) = missing.and_then(|place| statements.get(place)) {
            self.0.metrics.behind.set(1);
            let events = self.0.trail.head().await?.events;
            tracing::error!(signed_events = lost.head.events, signed_at = %lost.at, events, "{BEHIND}");
        }
        Ok(())
    }

    /// Signs the present head if something was appended since the last one, and enough of it or long ago unless it is to be signed `now`.
    async fn sign(&self, now: bool) -> anyhow::Result<()> {
        let CheckpointParts { trail, clock, key, file, pace, metrics } = &self.0;
        let head = trail.head().await?;
        let (opened, at) = (file.clone(), clock.now().floor_to_second());
        let last = self.on_file(move || opened.last()).await?;
        if let Some(last) = &last {
            metrics.signed(last.head.events, last.at);
        }
        let is_due =
            last.as_ref().map_or(head != AuditHead::NOTHING, |last| last.head != head && (now || pace.is_due(last, head, at)));
        if !is_due {
            return Ok(());
        }
        // At the start all of them were looked up.
        if !now {
            self.find(last.as_slice()).await?;
        }
        let signed = SignedHead::sign(&Statement { head, at, key: key.id() }, key)?;
        let (opened, line) = (file.clone(), signed.clone());
        self.on_file(move || opened.append(&line)).await?;
        metrics.signed(head.events, at);
        let SignedHead { statement, signature } = signed;
        tracing::info!(target: CHECKPOINT, statement, signature, "the head of the audit trail was signed");
        Ok(())
    }

    /// Does something with the file where it keeps nobody waiting.
    async fn on_file<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let name = || self.0.file.path().display().to_string();
        tokio::task::spawn_blocking(work).await.with_context(name)?.with_context(name)
    }
}

fn complain(error: &anyhow::Error) {
    let message = "the head of the audit trail could not be signed and kept; trying again";
    tracing::error!(error = format!("{error:#}"), "{message}");
}

#[cfg(test)]
mod tests;
