//! The load generator as a relying party.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

use super::{
    LOAD_CORE, SERVER_CORE,
    load::{Amount, Measurement, RawServer, generator, json},
    seeded::FIRST_SERIAL,
};
use crate::gateway::Gateway;

/// How a certificate is asked about.
#[derive(Clone, Copy)]
pub(super) struct Question {
    /// GET or POST.
    pub(super) get: bool,
    /// With a nonce, so that the answer is made for it alone.
    pub(super) nonce: bool,
}

/// Which certificates are asked about.
#[derive(Clone, Copy)]
pub(super) struct Range {
    /// This many, from the first that was filled in.
    pub(super) serials: u32,
    /// The place in their order at which to begin.
    pub(super) skip: u32,
}

/// Who is asked.
pub(super) struct Responder {
    /// Where.
    pub(super) url: String,
    /// Its process.
    pub(super) pid: u32,
    /// A raw server gives the same answer always.
    pub(super) is_raw: bool,
}

impl Responder {
    /// The gateway, for its default authority.
    pub(super) fn gateway(gateway: &Gateway) -> Result<Self> {
        Ok(Self { url: format!("{}/ocsp/default", gateway.http_url()?), pid: gateway.run().pid, is_raw: false })
    }

    /// A raw server in its place.
    pub(super) fn raw(server: &RawServer) -> Self {
        Self { url: format!("http://{}/ocsp/default", server.address), pid: server.pid(), is_raw: true }
    }
}

/// Asks about certificates of one issuer.
pub(super) struct Asker {
    issuer: PathBuf,
}

/// An answer as two files, from which a raw server gives it again.
pub(super) struct Sample {
    /// Its content.
    pub(super) content: PathBuf,
    /// Its status and header fields.
    pub(super) head: PathBuf,
}

impl Sample {
    /// In the folder of a run.
    pub(super) fn new(work: &Path, name: &str) -> Self {
        Self { content: work.join(name), head: work.join(format!("{name}.head")) }
    }

    /// A raw server that gives it; `work` is what it does for each request, as options.
    pub(super) fn serve(&self, work: &[String]) -> Result<RawServer> {
        RawServer::start(|command| {
            command.arg("--response").arg(&self.content).arg("--head").arg(&self.head).args(work);
        })
    }
}

impl Asker {
    /// Asks what the default authority has issued.
    pub(super) fn new(data_dir: &Path) -> Self {
        Self { issuer: data_dir.join("ca/default.pem") }
    }

    /// Asks. Every answer must be right.
    pub(super) fn ask(&self, question: Question, range: Range, responder: &Responder, amount: Amount) -> Result<Measurement> {
        self.ask_and_save(question, range, responder, amount, None)
    }

    /// Asks once, and keeps the answer.
    pub(super) fn sample(&self, question: Question, responder: &Responder, sample: &Sample) -> Result<()> {
        let range = Range { serials: 1, skip: 0 };
        self.ask_and_save(question, range, responder, Amount::ONE, Some(sample)).map(drop)
    }

    fn ask_and_save(
        &self,
        question: Question,
        range: Range,
        responder: &Responder,
        amount: Amount,
        save: Option<&Sample>,
    ) -> Result<Measurement> {
        let mut command = generator(&LOAD_CORE)?;
        command.args(["ocsp", "--url", &responder.url, "--server-pid", &responder.pid.to_string()]);
        command.arg("--issuer").arg(&self.issuer).args(range.option()).args(["--skip", &range.skip.to_string()]);
        command.args(question.get.then_some("--get")).args(question.nonce.then_some("--nonce"));
        command.args(responder.is_raw.then_some("--unchecked"));
        amount.add_to(&mut command);
        if let Some(Sample { content, head }) = save {
            command.arg("--save").arg(content).arg("--save-head").arg(head);
        }
        Measurement::take(&mut command)
    }
}

impl Range {
    /// The serial numbers as the load generator takes them.
    pub(super) fn option(self) -> [String; 2] {
        ["--serials".to_owned(), format!("{FIRST_SERIAL}+{}", self.serials)]
    }
}

/// What an answer that is made anew cannot do without, in nanoseconds.
#[derive(Deserialize)]
pub(super) struct Costs {
    sign_ns: f64,
    read_ns: f64,
}

impl Costs {
    /// Measures it on the servers' core: over the answer in `response`, in the ledger of `data_dir`.
    pub(super) fn measure(response: &Path, data_dir: &Path, range: Range) -> Result<Self> {
        let mut command = generator(&SERVER_CORE)?;
        command.arg("raw-status").arg("--response").arg(response).arg("--ledger").arg(data_dir.join("ledger.db"));
        json(command.args(range.option()).args(["--seconds", "0.1"]))
    }

    /// A signature, in microseconds.
    pub(super) fn sign_us(&self) -> f64 {
        self.sign_ns / 1000.0
    }

    /// A look into the ledger, in microseconds.
    pub(super) fn read_us(&self) -> f64 {
        self.read_ns / 1000.0
    }
}
