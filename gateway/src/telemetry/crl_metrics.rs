//! Metrics of CRLs. Handles are resolved once.

use certgate_enrollment::CrlRecord;
use certgate_pki::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ListLabels {
    authority: String,
    shard: u32,
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BuildLabels {
    authority: String,
    outcome: &'static str,
}

/// Those of all authorities.
#[derive(Clone, Default)]
pub struct CrlMetrics {
    next_update: Family<ListLabels, Gauge>,
    number: Family<ListLabels, Gauge>,
    entries: Family<ListLabels, Gauge>,
    overdue: Family<ListLabels, Gauge>,
    import_due: Family<ListLabels, Gauge>,
    builds: Family<BuildLabels, Counter>,
}

impl CrlMetrics {
    /// All of them, registered.
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let help = "nextUpdate of the CRL that is served, seconds since 1970";
        registry.register_with_unit("crl_next_update", help, Unit::Seconds, metrics.next_update.clone());
        registry.register("crl_number", "Number of the CRL that is served", metrics.number.clone());
        registry.register("crl_entries", "Entries of the CRL that is served", metrics.entries.clone());
        registry.register("crl_overdue", "1 while the CRL that is served is past its nextUpdate", metrics.overdue.clone());
        let help = "1 while the next CRL of an authority whose key is offline is to be signed and imported";
        registry.register("crl_import_due", help, metrics.import_due.clone());
        registry.register("crl_builds", "Builds of CRLs, by how they ended", metrics.builds.clone());
        metrics
    }

    /// The handles of one authority's builds.
    #[must_use]
    pub fn builds(&self, authority: &str) -> BuildMetrics {
        let counter = |outcome| {
            let labels = BuildLabels { authority: authority.to_owned(), outcome };
            self.builds.get_or_create_owned(&labels)
        };
        BuildMetrics { published: counter("published"), raced: counter("raced"), failed: counter("failed") }
    }

    /// The handles of one list; shard 0 is all of them.
    #[must_use]
    pub fn list(&self, authority: &str, shard: u32, is_delta: bool) -> ListMetrics {
        let kind = if is_delta { "delta" } else { "complete" };
        let labels = ListLabels { authority: authority.to_owned(), shard, kind };
        ListMetrics {
            next_update: self.next_update.get_or_create_owned(&labels),
            number: self.number.get_or_create_owned(&labels),
            entries: self.entries.get_or_create_owned(&labels),
            overdue: self.overdue.get_or_create_owned(&labels),
            import_due: self.import_due.get_or_create_owned(&labels),
        }
    }
}

/// How builds of one authority have ended.
#[derive(Clone)]
pub struct BuildMetrics {
    /// Lists were published.
    pub published: Counter,
    /// Somebody else has recorded a list meanwhile; it was begun again.
    pub raced: Counter,
    /// Nothing was published; it is tried again.
    pub failed: Counter,
}

/// What there is to be seen of one list.
#[derive(Clone)]
pub struct ListMetrics {
    next_update: Gauge,
    number: Gauge,
    entries: Gauge,
    overdue: Gauge,
    import_due: Gauge,
}

impl ListMetrics {
    /// This list is served from now on.
    pub fn served(&self, record: &CrlRecord) {
        let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.next_update.set(gauge(record.next_update.seconds()));
        self.number.set(gauge(record.number));
        self.entries.set(gauge(record.entries));
    }

    /// Somebody has to sign the next one and bring it, or not.
    pub fn is_import_due(&self, is_due: bool) {
        self.import_due.set(i64::from(is_due));
    }

    /// Says whether the list is past its nextUpdate, and returns that.
    pub fn is_overdue(&self, record: &CrlRecord, now: Timestamp) -> bool {
        let is_overdue = now >= record.next_update;
        self.overdue.set(i64::from(is_overdue));
        is_overdue
    }
}
