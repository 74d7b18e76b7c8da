//! Outbound validation: does whoever asks for a certificate control the name?
//!
//! The answer is fetched from where the name leads, so that a stranger decides whom certgate connects to and what it reads there.
//! `networks` says where to, `target` which URLs, `exchange` how much; all of it within one deadline.

mod exchange;
mod failure;
mod http01;
mod networks;
mod own_listeners;
mod reach;
mod resolver;
mod target;
mod tls;

use std::io;
use std::net::SocketAddr;

use certgate_pki::GeneralName;
use hickory_resolver::net::NetError;
use rustix::io::Errno;
use tokio::sync::{Semaphore, SemaphorePermit};

pub use failure::{Detail, ValidationFailure};

use crate::config::{Limits, ValidationConfig};
use crate::telemetry::ValidationMetrics;
use http01::Http01;
use networks::Networks;
use own_listeners::OwnListeners;
use reach::Reach;
use resolver::Resolver;

/// File descriptors that one validation has open at most: its connection, or the look at a route, and its DNS queries.
pub(crate) const DESCRIPTORS: u64 = 1 + resolver::SOCKETS;

/// Parts of `limits.validation` of which one is for connecting to one address, or for one DNS query: an address or a name server that is
/// silent leaves time for the next.
const SHARES: u32 = 5;

/// Validates challenges: a bounded number at one time, and a bounded number that wait.
pub struct Validator {
    reach: Reach,
    http01: Http01,
    /// Of those that wait or are under way.
    room: Semaphore,
    /// Of those that are under way.
    slots: Semaphore,
    metrics: ValidationMetrics,
}

/// A validator cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ValidatorError {
    /// No resolver can be made.
    #[error("the resolver of validations: {0}; see resolver in [validation]")]
    Resolver(#[from] NetError),
    /// rustls has no client.
    #[error("TLS for validations: {0}")]
    Tls(#[from] rustls::Error),
}

impl Validator {
    /// As configured; `own` is what certgate listens on, and does not connect to.
    ///
    /// # Errors
    /// [`ValidatorError`].
    pub fn new(
        config: &ValidationConfig,
        limits: &Limits,
        own: Vec<SocketAddr>,
        metrics: ValidationMetrics,
    ) -> Result<Self, ValidatorError> {
        let time = limits.validation.duration();
        let share = time / SHARES;
        let queries = limits.validations.saturating_mul(2);
        let reach = Reach {
            resolver: Resolver::new(config.resolver, share, queries)?,
            networks: Networks::new(config, OwnListeners::new(own)),
            tls: tls::connector()?,
            connect: share,
        };
        let permits = |permits: usize| Semaphore::new(permits.min(Semaphore::MAX_PERMITS));
        Ok(Self {
            reach,
            http01: Http01 { port: config.http01_port, time },
            room: permits(limits.validations.saturating_add(limits.validation_queue)),
            slots: permits(limits.validations),
            metrics,
        })
    }

    /// Validates http-01 (RFC 8555 §8.3) for a DNS name, or an address (RFC 8738 §4): the server there answers a GET of
    /// `/.well-known/acme-challenge/TOKEN` with the key authorization. It takes at most `limits.validation` once its turn has come, and
    /// ends at once when it is dropped.
    ///
    /// # Errors
    /// [`ValidationFailure`]. [`ValidationFailure::Busy`] says nothing of the challenge: try again later.
    pub async fn http01(&self, name: &GeneralName, token: &str, key_authorization: &str) -> Result<(), ValidationFailure> {
        let outcome = match self.enter().await {
            Some(_turn) => self.http01.validate(&self.reach, name, token, key_authorization).await,
            None => Err(ValidationFailure::busy("too many validations are under way")),
        };
        self.metrics.ended(&outcome);
        outcome
    }

    /// Waits for a turn, which lasts until what this returns is dropped. `None` when too many wait.
    async fn enter(&self) -> Option<(SemaphorePermit<'_>, SemaphorePermit<'_>)> {
        let room = self.room.try_acquire().ok()?;
        let slot = self.slots.acquire().await.ok()?;
        Some((room, slot))
    }
}

/// Is it certgate that has no file descriptor, rather than somebody else who does not answer?
fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

#[cfg(test)]
mod tests;
