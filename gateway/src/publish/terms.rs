//! What a publisher is given.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use certgate_crl::IssuingDistributionPoint;
use certgate_enrollment::{Authority, Clock, Ledger};
use certgate_pki::{DistributionPointName, Provider};

use super::ListId;
use crate::telemetry::CrlMetrics;

/// What one publisher is given.
pub struct PublisherParts {
    /// Who signs and records.
    pub authority: Arc<Authority>,
    /// What became of certificates, and which lists there were.
    pub ledger: Arc<dyn Ledger>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Cryptography.
    pub provider: Provider,
    /// The data directory: lists are kept in `crl/` of it.
    pub directory: PathBuf,
    /// When lists are made, and for what.
    pub terms: CrlTerms,
    /// How fast it works.
    pub pace: Pace,
    /// What is to be seen of it.
    pub metrics: CrlMetrics,
}

/// The lists of an authority.
#[derive(Clone, Debug)]
pub struct CrlTerms {
    /// From thisUpdate to nextUpdate of a complete list.
    pub validity: Duration,
    /// A complete list is made at least this often.
    pub interval: Duration,
    /// Deltas are made, and at least this often.
    pub delta: Option<Duration>,
    /// What there are lists of, that of all certificates first.
    pub scopes: Vec<ScopeTerms>,
}

/// The lists of one scope.
#[derive(Clone, Debug)]
pub struct ScopeTerms {
    /// The shard; 0 is all of them.
    pub shard: u32,
    /// What its lists say that they are for; none for the one of all certificates.
    pub point: Option<IssuingDistributionPoint>,
    /// Where deltas are found: freshestCRL of its complete lists.
    pub freshest: Option<DistributionPointName>,
    /// Where lists of all kinds are found first, without what [`ListId::path`] adds; none where there is no public URL.
    pub base_url: Option<String>,
}

impl CrlTerms {
    /// The same lists, complete ones alone.
    #[must_use]
    pub fn without_deltas(self) -> Self {
        let scopes = self.scopes.into_iter().map(|scope| ScopeTerms { freshest: None, ..scope }).collect();
        Self { delta: None, scopes, ..self }
    }

    /// Every list that there is to be.
    pub fn lists(&self) -> impl Iterator<Item = ListId> {
        let list = |shard, is_delta| ListId { shard, is_delta };
        let has_deltas = self.delta.is_some();
        self.scopes
            .iter()
            .flat_map(move |scope| std::iter::once(list(scope.shard, false)).chain(has_deltas.then(|| list(scope.shard, true))))
    }

    /// How often such a list is made at least.
    pub(super) fn period(&self, is_delta: bool) -> Duration {
        self.delta.filter(|_| is_delta).unwrap_or(self.interval)
    }

    /// For how long such a list is good: a delta for the next one but one, so that one that could not be made in time does no harm.
    pub(super) fn validity(&self, is_delta: bool) -> Duration {
        self.delta.filter(|_| is_delta).map_or(self.validity, |period| self.validity.min(2 * period))
    }
}

/// How fast a publisher works.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long a change waits for company.
    pub company: Duration,
    /// How long there is rest at least after a build that changes have asked for, and before the next one.
    pub rest: Duration,
    /// The rest, as a multiple of how long the last build took: bounds what revocations cost when there are many.
    pub rest_factor: u32,
    /// The longest rest, however long a build took.
    pub longest_rest: Duration,
    /// How often the clock is looked at.
    pub look: Duration,
    /// After how long a build that has failed is tried again, doubled each time.
    pub retry: Duration,
    /// The longest of those.
    pub longest_retry: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            company: Duration::from_secs(1),
            rest: Duration::from_secs(1),
            rest_factor: 20,
            longest_rest: Duration::from_secs(10),
            look: Duration::from_secs(1),
            retry: Duration::from_secs(1),
            longest_retry: Duration::from_secs(30),
        }
    }
}
