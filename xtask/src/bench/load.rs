//! The load generator and the raw server, as processes.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, de::DeserializeOwned};

use super::SERVER_CORE;
use crate::{cargo, process};

/// Longest a single measurement may take.
const LIMIT_SECONDS: u32 = 300;

/// How much is asked for.
#[derive(Clone, Copy)]
pub(super) struct Amount {
    /// Connections, each with one request in flight.
    pub(super) connections: u32,
    /// Requests that count.
    pub(super) requests: u32,
    /// Requests before those.
    pub(super) warm_up: u32,
    /// A new connection for each, over TLS with a full handshake.
    pub(super) cold: bool,
}

impl Amount {
    /// A single request.
    pub(super) const ONE: Self = Self { connections: 1, requests: 1, warm_up: 0, cold: false };

    /// Requests over connections that are kept.
    pub(super) const fn warm(connections: u32, requests: u32) -> Self {
        Self { connections, requests, warm_up: requests / 10, cold: false }
    }

    /// Requests with a connection each.
    pub(super) const fn cold(connections: u32, requests: u32) -> Self {
        Self { cold: true, ..Self::warm(connections, requests) }
    }

    /// As the load generator takes it.
    pub(super) fn add_to(self, command: &mut Command) {
        let Self { connections, requests, warm_up, cold } = self;
        for (flag, count) in [("--connections", connections), ("--requests", requests), ("--warm-up", warm_up)] {
            command.arg(flag).arg(count.to_string());
        }
        command.args(cold.then_some("--cold"));
    }
}

/// What one run measured.
#[derive(Deserialize)]
pub(super) struct Measurement {
    requests: u32,
    exchanges: u32,
    errors: u32,
    first_error: Option<String>,
    wall_seconds: f64,
    server_cpu_ns: u64,
    p99_us: u64,
}

impl Measurement {
    /// Runs the load generator. Every answer must be right.
    pub(super) fn take(command: &mut Command) -> Result<Self> {
        let measured: Self = json(command)?;
        ensure!(
            measured.errors == 0,
            "{} wrong answers, the first: {}",
            measured.errors,
            measured.first_error.unwrap_or_default()
        );
        Ok(measured)
    }

    /// Requests that counted.
    pub(super) const fn requests(&self) -> u32 {
        self.requests
    }

    /// CPU time of the server for one request, in microseconds.
    pub(super) fn cpu_us(&self) -> f64 {
        self.server_cpu_ns as f64 / 1000.0 / f64::from(self.requests)
    }

    /// Requests of HTTP for one that counts.
    pub(super) fn exchanges_each(&self) -> f64 {
        f64::from(self.exchanges) / f64::from(self.requests)
    }

    /// Requests a second.
    pub(super) fn rate(&self) -> f64 {
        f64::from(self.requests) / self.wall_seconds
    }

    /// Time until the answer that 99 of 100 requests keep, in milliseconds.
    pub(super) fn p99_ms(&self) -> f64 {
        self.p99_us as f64 / 1000.0
    }
}

/// The load generator on this core, to be told what to do.
pub(super) fn generator(core: &[&str; 3]) -> Result<Command> {
    let mut command = process::limited(LIMIT_SECONDS, core[0]);
    command.args(&core[1..]).arg(cargo::tool("certgate-load")?);
    Ok(command)
}

/// What a command prints, as JSON.
pub(super) fn json<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let text = process::stdout(command)?;
    serde_json::from_str(&text).with_context(|| format!("`{}` printed {text:?}", process::describe(command)))
}

/// A raw server that runs. Dropping it kills it.
pub(super) struct RawServer {
    child: Child,
    /// Where it listens: `ADDRESS:PORT`.
    pub(super) address: String,
}

impl RawServer {
    /// Starts it on the servers' core; `tell` adds what it is told.
    pub(super) fn start(tell: impl FnOnce(&mut Command)) -> Result<Self> {
        let mut command = Command::new(SERVER_CORE[0]);
        command.args(&SERVER_CORE[1..]).arg(cargo::tool("certgate-load")?).arg("raw-server");
        tell(&mut command);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("start the raw server")?;
        let mut server = Self { child, address: String::new() };
        let mut line = String::new();
        BufReader::new(server.child.stdout.take().context("no stdout")?).read_line(&mut line)?;
        let said: serde_json::Value = serde_json::from_str(&line).context("the raw server ended before it listened")?;
        said["address"].as_str().context("the raw server named no address")?.clone_into(&mut server.address);
        Ok(server)
    }

    /// Its process.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
