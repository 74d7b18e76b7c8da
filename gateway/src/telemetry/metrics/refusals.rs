//! What was turned away before, or instead of, being answered in its protocol's own words: connections, requests, bodies. Every label is one of a
//! few that are written here.

use hyper::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::count;

/// Why a connection was ended though its client had not ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// Nothing was ever asked over it.
    Silent,
    /// For long nothing more was asked over it.
    Idle,
    /// A head did not come to its end in time.
    HeadTimeout,
    /// A head is none: 400.
    HeadMalformed,
    /// A head is too large: 431.
    HeadTooLarge,
    /// It ended, or was ended by the client, amid a request.
    CutShort,
    /// The client did not read what it was sent.
    WriteTimeout,
    /// Frames of HTTP/2 that are none.
    Http2Malformed,
    /// Frames of HTTP/2 that are right, and too many.
    Http2Abuse,
}

impl ConnectionEnd {
    const ALL: [Self; 9] = [
        Self::Silent,
        Self::Idle,
        Self::HeadTimeout,
        Self::HeadMalformed,
        Self::HeadTooLarge,
        Self::CutShort,
        Self::WriteTimeout,
        Self::Http2Malformed,
        Self::Http2Abuse,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Idle => "idle",
            Self::HeadTimeout => "head-timeout",
            Self::HeadMalformed => "head-malformed",
            Self::HeadTooLarge => "head-too-large",
            Self::CutShort => "cut-short",
            Self::WriteTimeout => "write-timeout",
            Self::Http2Malformed => "http2-malformed",
            Self::Http2Abuse => "http2-abuse",
        }
    }
}

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyRefusal {
    /// It is too large: 413.
    TooLarge,
    /// All bodies together are too large: 503.
    NoRoom,
    /// It did not arrive in time: 408.
    TooSlow,
    /// It was the slowest when there was no room for connections: 408.
    Displaced,
    /// It ended early, or its chunks are malformed: 400.
    Broken,
}

impl BodyRefusal {
    const ALL: [Self; 5] = [Self::TooLarge, Self::NoRoom, Self::TooSlow, Self::Displaced, Self::Broken];

    const fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::NoRoom => "no-room",
            Self::TooSlow => "too-slow",
            Self::Displaced => "displaced",
            Self::Broken => "broken",
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    protocol: &'static str,
    status: u16,
}

/// Counts refusals.
pub struct Refusals {
    connections: [(ConnectionEnd, Counter); ConnectionEnd::ALL.len()],
    bodies: [(BodyRefusal, Counter); BodyRefusal::ALL.len()],
    requests: Family<RequestLabels, Counter>,
}

impl Refusals {
    /// All of them, at zero.
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let (connections, bodies) = (Family::<ReasonLabels, Counter>::default(), Family::<ReasonLabels, Counter>::default());
        let requests = Family::default();
        let help = "Connections that were ended, and not by their clients";
        registry.register("connections_ended", help, connections.clone());
        registry.register("bodies_refused", "Bodies of requests that were not taken", bodies.clone());
        registry.register("requests_refused", "Requests that were answered with a status of 400 or above", requests.clone());
        let counter = |family: &Family<_, _>, reason| family.get_or_create_owned(&ReasonLabels { reason });
        Self {
            connections: ConnectionEnd::ALL.map(|end| (end, counter(&connections, end.name()))),
            bodies: BodyRefusal::ALL.map(|why| (why, counter(&bodies, why.name()))),
            requests,
        }
    }

    /// Counts a connection that was ended.
    pub fn connection(&self, end: ConnectionEnd) {
        count(&self.connections, end);
    }

    /// Counts a body that was not taken.
    pub fn body(&self, why: BodyRefusal) {
        count(&self.bodies, why);
    }

    /// Counts a request of a protocol, or `none`, that was answered with this.
    pub fn request(&self, protocol: &'static str, status: StatusCode) {
        self.requests.get_or_create(&RequestLabels { protocol, status: status.as_u16() }).inc();
    }
}
