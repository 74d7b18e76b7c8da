//! The load generator as a client of EST, and the raw server in its place.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

use super::{
    LOAD_CORE, SERVER_CORE,
    load::{Amount, Measurement, RawServer, generator, json},
};
use crate::gateway::Gateway;

/// What all runs have in common.
pub(super) struct EstLoad {
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

/// Raw cryptography of one enrollment, in nanoseconds.
#[derive(Deserialize)]
pub(super) struct Crypto {
    parse_ns: f64,
    verify_ns: f64,
    sign_ns: f64,
}

impl Crypto {
    /// Measures it on the servers' core, with the certificate in `issued`.
    pub(super) fn measure(issued: &Path) -> Result<Self> {
        json(generator(&SERVER_CORE)?.arg("raw-crypto").arg("--issued").arg(issued).args(["--seconds", "0.5"]))
    }

    /// All of it, in microseconds.
    pub(super) fn total_us(&self) -> f64 {
        (self.parse_ns + self.verify_ns + self.sign_ns) / 1000.0
    }
}

impl EstLoad {
    /// Sends requests to the server at `url`, whose process is `pid`. Every answer must be right.
    pub(super) fn run(
        &self,
        operation: Operation,
        url: &str,
        pid: u32,
        amount: Amount,
        save: Option<&Path>,
    ) -> Result<Measurement> {
        let mut command = generator(&LOAD_CORE)?;
        command.arg(match operation {
            Operation::Enroll => "enroll",
            Operation::CaCerts => "get",
        });
        command.args(["--url", url]).arg("--ca-file").arg(&self.ca_file).args(["--server-pid", &pid.to_string()]);
        if operation == Operation::Enroll {
            command.args(["--user", &self.user]).arg("--password-file").arg(&self.password_file);
        }
        amount.add_to(&mut command);
        if let Some(path) = save {
            command.arg("--save").arg(path);
        }
        Measurement::take(&mut command)
    }
}

/// A user of a gateway, who may enroll its own name; the password goes into a file in `work`.
pub(super) fn add_user(gateway: &Gateway, work: &Path, name: &str) -> Result<EstLoad> {
    let password_file = work.join(format!("{name}.password"));
    std::fs::write(&password_file, gateway.add_user(name)?)?;
    Ok(EstLoad { ca_file: gateway.run().ca_pem.clone(), user: name.to_owned(), password_file })
}

/// Base URL of the default EST endpoint, as a raw server stands for it.
pub(super) fn url_of(server: &RawServer) -> String {
    format!("https://{}/.well-known/est", server.address)
}

/// Starts a raw server that shows the certificate in the folder `tls` and answers with the content of `response`; with `enrolls` it does
/// the cryptography of an enrollment for each.
pub(super) fn raw_server(tls: &Path, response: &Path, enrolls: bool) -> Result<RawServer> {
    RawServer::start(|command| {
        let files =
            [("--cert", tls.join("server.pem")), ("--key", tls.join("server.key")), ("--response", response.to_owned())];
        for (flag, path) in files {
            command.arg(flag).arg(path);
        }
        command.args(enrolls.then_some("--enroll"));
    })
}
