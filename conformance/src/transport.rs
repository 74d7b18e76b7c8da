//! The seam between checks and server: a real one over sockets, and layers over it that change what comes back.

use std::time::Duration;

use self::command::Running;
use crate::{
    channel::{Channel, Dial},
    clock,
    http::{Malformed, Request, Response},
};

pub mod command;
pub mod finished;
pub mod mutation;
pub mod socket;
mod stream;

/// All that a check reaches outside of the suite: the server under test, whoever operates it, and the time. Answers pass here
/// decrypted, so that a layer can change them.
pub trait Transport {
    /// Sends a request over TLS and waits for its answer.
    ///
    /// # Errors
    /// [`Failure`], when no answer came.
    fn exchange(&mut self, request: &Request) -> Result<Response, Failure>;

    /// Opens a TLS connection, closing one opened before, for a request on [`crate::http::Connection::Opened`] whose content is made
    /// from what the connection is bound to.
    ///
    /// # Errors
    /// [`Failure`], when the handshake failed.
    fn open(&mut self, dial: &Dial) -> Result<Channel, Failure>;

    /// Sends octets over a bare TCP connection and gives the first octets that come back; none when the server closes.
    ///
    /// # Errors
    /// [`Failure`], when there was no connection or the server stayed silent.
    fn probe(&mut self, opening: &[u8]) -> Result<Vec<u8>, Failure>;

    /// Runs a command that acts on the server from outside the protocols, and gives what it printed.
    ///
    /// # Errors
    /// What went wrong, with what the command said of it.
    fn command(&mut self, argv: &[String]) -> anyhow::Result<String> {
        command::run(argv)
    }

    /// Begins such a command: others run beside it.
    fn start(&mut self, argv: Vec<String>) -> Running {
        Running::start(argv)
    }

    /// Seconds since 1970-01-01T00:00:00Z, at this moment.
    fn now(&self) -> i64 {
        clock::unix_now()
    }

    /// Lets time pass.
    fn wait(&mut self, time: Duration) {
        std::thread::sleep(time);
    }
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
