//! The load generator and the raw server, as processes.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, de::DeserializeOwned};

use super::{LOAD_CORE, SERVER_CORE};
use crate::{cargo, process};

/// Longest a single measurement may take.
const LIMIT_SECONDS: u32 = 300;

/// The program, and what all its runs have in common.
pub(super) struct LoadGenerator {
    program: PathBuf,
    /// Trust anchor of the servers.
    pub(super) ca_file: PathBuf,
    /// Who enrolls.
    pub(super) user: String,
    /// A file with the user's password.
    pub(super) password_file: PathBuf,
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// `simpleenroll`, with a new key each time.
    Enroll,
    /// `cacerts`.
    CaCerts,
}

/// How much of it.
#[derive(Clone, Copy)]
pub(super) struct Amount {
    /// Connections, each with one request in flight.
    pub(super) connections: u32,
    /// Requests that count.
    pub(super) requests: u32,
    /// Requests before those.
    pub(super) warm_up: u32,
    /// A full handshake for each.
    pub(super) cold: bool,
}

/// What one run measured.
#[derive(Deserialize)]
pub(super) struct Measurement {
    requests: u32,
    errors: u32,
    first_error: Option<String>,
    wall_seconds: f64,
    server_cpu_ns: u64,
    p99_us: u64,
}

impl Measurement {
    /// CPU time of the server for one request, in microseconds.
    pub(super) fn cpu_us(&self) -> f64 {
        self.server_cpu_ns as f64 / 1000.0 / f64::from(self.requests)
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

/// Raw cryptography of one enrollment, in nanoseconds.
#[derive(Deserialize)]
pub(super) struct Crypto {
    parse_ns: f64,
    verify_ns: f64,
    sign_ns: f64,
}

impl Crypto {
    /// All of it, in microseconds.
    pub(super) fn total_us(&self) -> f64 {
        (self.parse_ns + self.verify_ns + self.sign_ns) / 1000.0
    }
}

impl LoadGenerator {
    /// The program as it was built.
    pub(super) fn new(ca_file: PathBuf, user: String, password_file: PathBuf) -> Result<Self> {
        Ok(Self { program: cargo::release_binary("certgate-load")?, ca_file, user, password_file })
    }

    /// Sends requests to the server at `url`, whose process is `pid`. Every answer must be right.
    pub(super) fn run(
        &self,
        operation: Operation,
        url: &str,
        pid: u32,
        amount: Amount,
        save: Option<&Path>,
    ) -> Result<Measurement> {
        let mut command = self.pinned(&LOAD_CORE);
        command.arg(match operation {
            Operation::Enroll => "enroll",
            Operation::CaCerts => "get",
        });
        command.args(["--url", url]).arg("--ca-file").arg(&self.ca_file).args(["--server-pid", &pid.to_string()]);
        if operation == Operation::Enroll {
            command.args(["--user", &self.user]).arg("--password-file").arg(&self.password_file);
        }
        let Amount { connections, requests, warm_up, cold } = amount;
        for (flag, count) in [("--connections", connections), ("--requests", requests), ("--warm-up", warm_up)] {
            command.arg(flag).arg(count.to_string());
        }
        command.args(cold.then_some("--cold"));
        if let Some(path) = save {
            command.arg("--save").arg(path);
        }
        let measured: Measurement = json(&mut command)?;
        ensure!(
            measured.errors == 0,
            "{} wrong answers, the first: {}",
            measured.errors,
            measured.first_error.unwrap_or_default()
        );
        Ok(measured)
    }

    /// Measures the raw cryptography on the servers' core, with the certificate in `issued`.
    pub(super) fn crypto(&self, issued: &Path) -> Result<Crypto> {
        json(self.pinned(&SERVER_CORE).arg("raw-crypto").arg("--issued").arg(issued).args(["--seconds", "0.5"]))
    }

    /// Starts a raw server that shows the certificate in the folder `tls` and answers with the content of `response`; with
    /// `enrolls` it does the cryptography of an enrollment for each.
    pub(super) fn raw_server(&self, tls: &Path, response: &Path, enrolls: bool) -> Result<RawServer> {
        let mut command = Command::new(SERVER_CORE[0]);
        command.args(&SERVER_CORE[1..]).arg(&self.program).arg("raw-server");
        let files =
            [("--cert", tls.join("server.pem")), ("--key", tls.join("server.key")), ("--response", response.to_owned())];
        for (flag, path) in files {
            command.arg(flag).arg(path);
        }
        command.args(enrolls.then_some("--enroll"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("start the raw server")?;
        RawServer::introduced(child)
    }

    fn pinned(&self, core: &[&str; 3]) -> Command {
        let mut command = process::limited(LIMIT_SECONDS, core[0]);
        command.args(&core[1..]).arg::<&OsStr>(self.program.as_ref());
        command
    }
}

/// A raw server that runs. Dropping it kills it.
pub(super) struct RawServer {
    child: Child,
    /// Base URL, as that of the default EST endpoint.
    pub(super) url: String,
}

impl RawServer {
    /// Reads the line in which a raw server says where it listens.
    fn introduced(child: Child) -> Result<Self> {
        let mut server = Self { child, url: String::new() };
        let mut line = String::new();
        BufReader::new(server.child.stdout.take().context("no stdout")?).read_line(&mut line)?;
        let said: serde_json::Value = serde_json::from_str(&line).context("the raw server ended before it listened")?;
        let address = said["address"].as_str().context("the raw server named no address")?;
        server.url = format!("https://{address}/.well-known/est");
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

fn json<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let text = process::stdout(command)?;
    serde_json::from_str(&text).with_context(|| format!("`{}` printed {text:?}", process::describe(command)))
}
