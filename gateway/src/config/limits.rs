//! `[limits]`: bounds on what anyone can make certgate do.

use serde::Deserialize;

use super::{ConfigError, Period, Source};

/// The section.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at one time, all listeners together.
    pub connections: usize,
    /// Octets of a request body.
    pub body_bytes: usize,
    /// Octets of all bodies that are being read; beyond, requests are answered 503.
    pub bodies_bytes: usize,
    /// Octets of a larger body that are read and dropped before it is refused.
    pub discard_bytes: usize,
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
    pub password_threads: usize,
    /// Passwords that may wait for them; one more is answered 503.
    pub password_queue: usize,
    /// Threads that decrypt and sign with RSA keys, for SCEP.
    pub rsa_threads: usize,
    /// Messages that may wait for them; one more is answered 503.
    pub rsa_queue: usize,
    /// Challenges that are validated at one time.
    pub validations: usize,
    /// Challenges that may wait for that; one more is answered 503.
    pub validation_queue: usize,
    /// Octets of OCSP responses that are kept, for each authority.
    pub ocsp_bytes: usize,
    /// For one validation, from its first DNS query to the end of the last answer.
    pub validation: Period,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            body_bytes: 128 * 1024,
            bodies_bytes: 64 * 1024 * 1024,
            discard_bytes: 16 * 1024 * 1024,
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
        if !(1..=64).contains(&self.password_threads) || self.password_queue == 0 {
            return Err(source.error_in("limits", "password_threads is from 1 to 64, and password_queue above 0"));
        }
        if !(1..=64).contains(&self.rsa_threads) || self.rsa_queue == 0 {
            return Err(source.error_in("limits", "rsa_threads is from 1 to 64, and rsa_queue above 0"));
        }
        if !(1..=1024).contains(&self.validations) || self.validation_queue == 0 {
            return Err(source.error_in("limits", "validations is from 1 to 1024, and validation_queue above 0"));
        }
        if !(65_536..=1 << 40).contains(&self.ocsp_bytes) {
            return Err(source.error_in("limits", "ocsp_bytes is from 65536 (64 KiB) to 1099511627776 (1 TiB)"));
        }
        if self.bodies_bytes < self.body_bytes {
            return Err(source.error_in("limits", "bodies_bytes is for all bodies together, and at least body_bytes"));
        }
        if self.connections == 0 || self.body_bytes == 0 {
            return Err(source.error_in("limits", "connections and body_bytes must be above 0, or nobody could be served"));
        }
        Ok(())
    }
}
