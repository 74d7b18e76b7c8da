//! `[limits]`: bounds on what anyone can make certgate do.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ConfigError, Period, Source};

/// Most threads of a pool.
const MOST_THREADS: usize = 64;

/// Most validations at one time.
const MOST_VALIDATIONS: usize = 1024;

/// Fewest and most octets of a request's head: a client certificate or a SCEP message in a URL needs some.
const HEAD_BYTES: std::ops::RangeInclusive<u32> = 4096..=1 << 20;

/// Most requests at one time on a connection of HTTP/2.
const MOST_STREAMS: u32 = 1024;

/// Fewest and most octets of OCSP responses.
const OCSP_BYTES: std::ops::RangeInclusive<usize> = 65_536..=1 << 40;

/// The section.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at one time, all listeners together.
    #[schemars(range(min = 1))]
    pub connections: usize,
    /// Octets of a request's head; beyond, 431.
    #[schemars(range(min = *HEAD_BYTES.start(), max = *HEAD_BYTES.end()))]
    pub head_bytes: u32,
    /// Requests at one time on one connection of HTTP/2; more wait with their client.
    #[schemars(range(min = 1, max = MOST_STREAMS))]
    pub http2_streams: u32,
    /// Octets of a request body.
    #[schemars(range(min = 1))]
    pub body_bytes: usize,
    /// Octets of all bodies that are being read; beyond, requests are answered 503.
    pub bodies_bytes: usize,
    /// Octets of a larger body that are read and dropped before it is refused.
    pub discard_bytes: usize,
    /// Octets a second: a body that is slower makes way for new connections when there is no room for them; 0 lets none do so.
    pub body_rate: u32,
    /// For a TLS handshake.
    pub handshake: Period,
    /// For a request's head; also how long a connection may idle.
    pub head: Period,
    /// For a request's body.
    pub body: Period,
    /// How long a client may keep an answer waiting that it does not read.
    pub write: Period,
    /// For what is under way when certgate stops.
    pub drain: Period,
    /// Threads that verify passwords which people chose (Argon2id), each with 19 MiB.
    #[schemars(range(min = 1, max = MOST_THREADS))]
    pub password_threads: usize,
    /// Passwords that may wait for them; one more is answered 503.
    #[schemars(range(min = 1))]
    pub password_queue: usize,
    /// Threads that decrypt and sign with RSA keys, for SCEP.
    #[schemars(range(min = 1, max = MOST_THREADS))]
    pub rsa_threads: usize,
    /// Messages that may wait for them; one more is answered 503.
    #[schemars(range(min = 1))]
    pub rsa_queue: usize,
    /// Challenges that are validated at one time.
    #[schemars(range(min = 1, max = MOST_VALIDATIONS))]
    pub validations: usize,
    /// Challenges that may wait for that; one more is answered 503.
    #[schemars(range(min = 1))]
    pub validation_queue: usize,
    /// Octets of OCSP responses that are kept, for each authority.
    #[schemars(range(min = *OCSP_BYTES.start(), max = *OCSP_BYTES.end()))]
    pub ocsp_bytes: usize,
    /// For one validation, from its first DNS query to the end of the last answer.
    pub validation: Period,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            head_bytes: 32 * 1024,
            http2_streams: 32,
            body_bytes: 128 * 1024,
            bodies_bytes: 64 * 1024 * 1024,
            discard_bytes: 16 * 1024 * 1024,
            body_rate: 250,
            handshake: Period::seconds(10),
            head: Period::seconds(30),
            body: Period::seconds(20),
            write: Period::seconds(20),
            drain: Period::seconds(30),
            password_threads: 1,
            password_queue: 64,
            rsa_threads: 2,
            rsa_queue: 256,
            validations: 64,
            validation_queue: 1024,
            ocsp_bytes: 16 * 1024 * 1024,
            validation: Period::seconds(10),
        }
    }
}

impl Limits {
    pub(super) fn check(&self, source: &Source) -> Result<(), ConfigError> {
        let above_0 = 1..=usize::MAX;
        let ranges = [
            ("connections", self.connections, above_0.clone()),
            ("head_bytes", self.head_bytes as usize, *HEAD_BYTES.start() as usize..=*HEAD_BYTES.end() as usize),
            ("http2_streams", self.http2_streams as usize, 1..=MOST_STREAMS as usize),
            ("body_bytes", self.body_bytes, above_0.clone()),
            ("password_threads", self.password_threads, 1..=MOST_THREADS),
            ("password_queue", self.password_queue, above_0.clone()),
            ("rsa_threads", self.rsa_threads, 1..=MOST_THREADS),
            ("rsa_queue", self.rsa_queue, above_0.clone()),
            ("validations", self.validations, 1..=MOST_VALIDATIONS),
            ("validation_queue", self.validation_queue, above_0),
            ("ocsp_bytes", self.ocsp_bytes, OCSP_BYTES),
        ];
        if let Some((key, value, range)) = ranges.into_iter().find(|(_, value, range)| !range.contains(value)) {
            let right = match (*range.start(), *range.end()) {
                (least, usize::MAX) => format!("is {least} at least"),
                (least, most) => format!("is from {least} to {most}"),
            };
            return Err(source.error_in_key("limits", key, format!("{key} {right}, not {value}")));
        }
        if self.bodies_bytes < self.body_bytes {
            let message = format!("bodies_bytes is for all bodies together, and at least body_bytes ({})", self.body_bytes);
            return Err(source.error_in_key("limits", "bodies_bytes", message));
        }
        Ok(())
    }
}
