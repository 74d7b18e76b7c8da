//! The seam between checks and server: a real one over sockets, and layers over it that change what comes back.

use crate::http::{Malformed, Request, Response};

pub mod mutation;
pub mod socket;

/// Carries requests to the server under test. Answers pass here decrypted, so that a layer can change them.
pub trait Transport {
    /// Sends a request over TLS and waits for its answer.
    ///
    /// # Errors
    /// [`Failure`], when no answer came.
    fn exchange(&mut self, request: &Request) -> Result<Response, Failure>;

    /// Sends octets over a bare TCP connection and gives the first octets that come back; none when the server closes.
    ///
    /// # Errors
    /// [`Failure`], when there was no connection or the server stayed silent.
    fn probe(&mut self, opening: &[u8]) -> Result<Vec<u8>, Failure>;
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No TCP connection.
    #[error("no connection: {0}")]
    Connect(String),
    /// The TLS handshake or record layer failed.
    #[error("TLS: {0}")]
    Tls(String),
    /// The connection was closed before an answer.
    #[error("closed without an answer")]
    Closed,
    /// Nothing came in time.
    #[error("no answer in time")]
    Silent,
    /// The answer is no HTTP/1.1.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}
