//! Metrics in the OpenMetrics text format. Handles are resolved once, so that counting costs nanoseconds.

mod ocsp;
mod refusals;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use certgate_enrollment::Blame;
use certgate_est::Lenience;

use super::{AuditMetrics, CrlMetrics};
use crate::validate::ValidationFailure;

use ocsp::OcspFamilies;
pub use ocsp::{OcspMetrics, OcspOutcome};
pub use refusals::{BodyRefusal, ConnectionEnd, Refusals};

/// How a request for a certificate ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A certificate was issued.
    Issued,
    /// A certificate was served that a person had approved.
    Served,
    /// It waits for a person.
    Pending,
    /// The client proved nothing about who it is.
    Unauthenticated,
    /// There is no certificate, and somebody has to act first.
    Failed(Blame),
}

impl Outcome {
    /// Its label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Served => "served",
            Self::Pending => "pending",
            Self::Unauthenticated => "unauthenticated",
            Self::Failed(blame) => blame.name(),
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EnrollmentLabels {
    protocol: &'static str,
    endpoint: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LenienceLabels {
    endpoint: String,
    lenience: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ValidationLabels {
    challenge: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CertificateLabels {
    certificate: String,
}

/// All metrics.
pub struct Metrics {
    registry: Registry,
    enrollments: Family<EnrollmentLabels, Counter>,
    enrollment_seconds: Histogram,
    leniences: Family<LenienceLabels, Counter>,
    validations: Family<ValidationLabels, Counter>,
    ocsp: OcspFamilies,
    not_after: Family<CertificateLabels, Gauge>,
    /// Connections that are open.
    pub connections: Gauge,
    /// Connections that were turned away, at the limit.
    pub connections_refused: Counter,
    /// Connections over which nothing was asked, or whose bodies came too slowly, that were closed at the limit for others.
    pub connections_displaced: Counter,
    /// What was turned away.
    pub refusals: Arc<Refusals>,
    /// TLS handshakes that failed.
    pub handshakes_failed: Counter,
    /// Writes that wait in the ledger's queue.
    pub ledger_queue: Gauge<u64, AtomicU64>,
    /// 1 while the ledger can be written.
    pub ledger_writable: Gauge,
    /// Events in the audit trail.
    pub audit_events: Gauge<u64, AtomicU64>,
    /// Lines of the log that were dropped.
    pub log_lines_dropped: Gauge<u64, AtomicU64>,
    /// What there is to be seen of CRLs.
    pub crls: CrlMetrics,
    /// What there is to be seen of signed heads of the audit trail.
    pub audit: AuditMetrics,
}

impl Metrics {
    /// All of them, at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("certgate");
        let metrics = Self {
            enrollments: Family::default(),
            enrollment_seconds: Histogram::new([0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]),
            leniences: Family::default(),
            validations: Family::default(),
            ocsp: OcspFamilies::default(),
            not_after: Family::default(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            connections_displaced: Counter::default(),
            refusals: Arc::new(Refusals::registered(&mut registry)),
            handshakes_failed: Counter::default(),
            ledger_queue: Gauge::default(),
            ledger_writable: Gauge::default(),
            audit_events: Gauge::default(),
            log_lines_dropped: Gauge::default(),
            crls: CrlMetrics::registered(&mut registry),
            audit: AuditMetrics::registered(&mut registry),
            registry: Registry::default(),
        };
        registry.register("enrollments", "Requests for certificates, by how they ended", metrics.enrollments.clone());
        registry.register_with_unit(
            "enrollment",
            "Time from a request's head to its answer",
            Unit::Seconds,
            metrics.enrollment_seconds.clone(),
        );
        registry.register("leniences", "Requests that strict reading would have refused", metrics.leniences.clone());
        registry.register("validations", "Validations of challenges, by how they ended", metrics.validations.clone());
        metrics.ocsp.register(&mut registry);
        let help = "notAfter of certgate's own certificates, seconds since 1970";
        registry.register_with_unit("certificate_not_after", help, Unit::Seconds, metrics.not_after.clone());
        registry.register("connections", "Connections that are open", metrics.connections.clone());
        registry.register("connections_refused", "Connections turned away at the limit", metrics.connections_refused.clone());
        let help = "Connections over which nothing was asked, or too slowly, closed at the limit for others";
        registry.register("connections_displaced", help, metrics.connections_displaced.clone());
        registry.register("tls_handshakes_failed", "TLS handshakes that failed", metrics.handshakes_failed.clone());
        registry.register("ledger_queue", "Writes that wait to be committed", metrics.ledger_queue.clone());
        registry.register("ledger_writable", "1 while the ledger can be written", metrics.ledger_writable.clone());
        let help = "Lines of the log that were dropped, since nobody read those before them";
        registry.register("log_lines_dropped", help, metrics.log_lines_dropped.clone());
        registry.register("audit_events", "Events in the audit trail", metrics.audit_events.clone());
        Self { registry, ..metrics }
    }

    /// The handles of one endpoint.
    #[must_use]
    pub fn enrollment(&self, protocol: &'static str, endpoint: &str) -> EnrollmentMetrics {
        let counter = |outcome: Outcome| {
            let labels = EnrollmentLabels { protocol, endpoint: endpoint.to_owned(), outcome: outcome.name() };
            self.enrollments.get_or_create_owned(&labels)
        };
        let lenience = |lenience: Lenience| {
            let labels = LenienceLabels { endpoint: endpoint.to_owned(), lenience: lenience.name() };
            self.leniences.get_or_create_owned(&labels)
        };
        EnrollmentMetrics {
            issued: counter(Outcome::Issued),
            served: counter(Outcome::Served),
            pending: counter(Outcome::Pending),
            unauthenticated: counter(Outcome::Unauthenticated),
            failed: Blame::ALL.map(|blame| (blame, counter(Outcome::Failed(blame)))),
            seconds: self.enrollment_seconds.clone(),
            leniences: Lenience::ALL.map(|kind| (kind, lenience(kind))),
        }
    }

    /// The handles of one type of challenge, such as `http-01`.
    #[must_use]
    pub fn validation(&self, challenge: &'static str) -> ValidationMetrics {
        let counter = |outcome| self.validations.get_or_create_owned(&ValidationLabels { challenge, outcome });
        ValidationMetrics {
            valid: counter("valid"),
            dns: counter("dns"),
            connection: counter("connection"),
            incorrect_response: counter("incorrect-response"),
            tls: counter("tls"),
            unsuitable: counter("unsuitable"),
            busy: counter("busy"),
        }
    }

    /// The handles of an authority's OCSP responder.
    #[must_use]
    pub fn ocsp(&self, authority: &str) -> OcspMetrics {
        self.ocsp.of(authority)
    }

    /// Says until when one of certgate's own certificates is good.
    pub fn set_not_after(&self, certificate: &str, not_after: certgate_pki::Timestamp) {
        let labels = CertificateLabels { certificate: certificate.to_owned() };
        self.not_after.get_or_create(&labels).set(i64::try_from(not_after.seconds()).unwrap_or(i64::MAX));
    }

    /// The text that a scraper gets.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::new();
        // Writing to a String does not fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// The handles of one endpoint, resolved.
pub struct EnrollmentMetrics {
    issued: Counter,
    served: Counter,
    pending: Counter,
    unauthenticated: Counter,
    failed: [(Blame, Counter); Blame::ALL.len()],
    seconds: Histogram,
    leniences: [(Lenience, Counter); Lenience::ALL.len()],
}

impl EnrollmentMetrics {
    /// Counts a request that has ended.
    pub fn ended(&self, outcome: Outcome, took: std::time::Duration) {
        self.seconds.observe(took.as_secs_f64());
        match outcome {
            Outcome::Issued => self.issued.inc(),
            Outcome::Served => self.served.inc(),
            Outcome::Pending => self.pending.inc(),
            Outcome::Unauthenticated => self.unauthenticated.inc(),
            Outcome::Failed(blame) => self.failed.iter().find(|(one, _)| *one == blame).map_or(0, |(_, count)| count.inc()),
        };
    }

    /// Counts what compatible reading let pass.
    pub fn lenient(&self, lenience: Lenience) {
        count(&self.leniences, lenience);
    }
}

/// Counts one of several.
fn count<T: Copy + PartialEq>(counters: &[(T, Counter)], what: T) {
    if let Some((_, counter)) = counters.iter().find(|(one, _)| *one == what) {
        counter.inc();
    }
}

/// The handles of one type of challenge, resolved.
pub struct ValidationMetrics {
    valid: Counter,
    dns: Counter,
    connection: Counter,
    incorrect_response: Counter,
    tls: Counter,
    unsuitable: Counter,
    busy: Counter,
}

impl ValidationMetrics {
    /// Counts a validation that has ended.
    pub fn ended(&self, outcome: &Result<(), ValidationFailure>) {
        let counter = match outcome {
            Ok(()) => &self.valid,
            Err(ValidationFailure::Dns(_)) => &self.dns,
            Err(ValidationFailure::Connection(_)) => &self.connection,
            Err(ValidationFailure::IncorrectResponse(_)) => &self.incorrect_response,
            Err(ValidationFailure::Tls(_)) => &self.tls,
            Err(ValidationFailure::Unsuitable(_)) => &self.unsuitable,
            Err(ValidationFailure::Busy(_)) => &self.busy,
        };
        counter.inc();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn docs(file: &str) -> String {
        std::fs::read_to_string(format!("{}/../docs/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    #[test]
    fn what_operators_are_told_to_watch_is_there() {
        let metrics = Metrics::new();
        // Of what has labels, something is shown once there are some.
        metrics.set_not_after("tls", certgate_pki::Timestamp::from_seconds(0));
        drop((metrics.enrollment("est", "default"), metrics.validation("http-01"), metrics.ocsp("default")));
        metrics.refusals.request("none", hyper::StatusCode::NOT_FOUND);
        drop((metrics.crls.builds("default"), metrics.crls.list("default", 0, false)));
        let all = metrics.encode();
        for file in ["operations.md", "reliability.md", "samples/alerts.yml"] {
            let text = docs(file);
            let words = text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'));
            let names: BTreeSet<&str> = words.filter(|word| word.starts_with("certgate_")).collect();
            assert!(names.len() > 10, "{file}");
            for name in names {
                let stem = name.trim_end_matches("_total");
                assert!(all.contains(&format!("# HELP {stem} ")), "{file}: {name}");
            }
        }
    }

    #[test]
    fn every_alert_names_a_part_of_the_guide() {
        let (alerts, guide) = (docs("samples/alerts.yml"), docs("operator-guide.md"));
        let named: Vec<&str> = alerts.split("guide: \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(named.len(), alerts.matches("- alert:").count());
        for heading in named {
            assert!(guide.contains(&format!("\n### {heading}\n")), "{heading}");
        }
    }
}
