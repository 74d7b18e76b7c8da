//! CPU a certificate by SCEP: the gateway's beside that of a raw server and the cryptography that comes on top of it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{
    LOAD_CORE, SERVER_CORE,
    load::{Amount, Measurement, RawServer, generator, json},
    rows::Row,
    series::{Round, Series, both},
    start_gateway,
};
use crate::gateway::Gateway;

/// The row of this file.
pub(super) const ID: &str = "scep-pkcsreq";
/// Rounds of which the median is taken.
const ROUNDS: usize = 5;
/// Requests of a round.
const AMOUNT: Amount = Amount::warm(16, 600);
/// Times the raw costs.
const LIMIT: f64 = 1.3;
/// Certificates that the challenge is good for: more than are asked for.
const USES: &str = "1000000";

/// Measures it.
pub(super) fn measure(work: &Path) -> Result<Row> {
    let gateway = start_gateway(work, "scep")?;
    let load = ScepLoad::new(&gateway, work)?;
    let exchange = work.join("scep.exchange");
    let own = (gateway.http_url()?, gateway.run().pid);
    load.run(&own, Amount::ONE, false, Some(&exchange))?;
    let serve = |work: Option<&str>| {
        RawServer::start(|command| {
            command.arg("--exchange").arg(&exchange).args(work);
        })
    };
    let (bare, working) = (serve(None)?, serve(Some("--rsa"))?);
    let ask = |server: &RawServer| load.run(&(format!("http://{}", server.address), server.pid()), AMOUNT, true, None);
    let mut series = Series::default();
    for round in 0..ROUNDS {
        println!("SCEP, round {} of {ROUNDS}", round + 1);
        let loop_us = Costs::measure()?.total_us();
        let (gateway, raw) = both(round.is_multiple_of(2), || load.run(&own, AMOUNT, false, None), || ask(&bare))?;
        series.add(&Round { gateway, raw, loop_us, in_place: Some(ask(&working)?) });
    }
    gateway.stop()?;
    Ok(series.row(ID, AMOUNT, Some(LIMIT)))
}

/// The load generator as a client of SCEP.
pub(super) struct ScepLoad {
    challenge_file: PathBuf,
}

impl ScepLoad {
    /// With a challenge that is good for all of its requests.
    pub(super) fn new(gateway: &Gateway, work: &Path) -> Result<Self> {
        let answer = gateway.admin(&["scep", "challenge", "new", "--uses", USES, "--ttl", "24h"])?;
        let challenge_file = work.join("challenge");
        std::fs::write(&challenge_file, answer["challenge"].as_str().context("no challenge")?)?;
        Ok(Self { challenge_file })
    }

    /// Enrolls at the gateway. Every answer must be right.
    pub(super) fn enroll(&self, gateway: &Gateway, amount: Amount) -> Result<Measurement> {
        self.run(&(gateway.http_url()?, gateway.run().pid), amount, false, None)
    }

    fn run(&self, (url, pid): &(String, u32), amount: Amount, is_raw: bool, record: Option<&Path>) -> Result<Measurement> {
        let mut command = generator(&LOAD_CORE)?;
        command.args(["scep", "--url", &format!("{url}/scep/default"), "--server-pid", &pid.to_string()]);
        command.arg("--challenge-file").arg(&self.challenge_file).args(is_raw.then_some("--unchecked"));
        amount.add_to(&mut command);
        if let Some(path) = record {
            command.arg("--record").arg(path);
        }
        Measurement::take(&mut command)
    }
}

/// Raw cryptography of one request, in nanoseconds.
#[derive(Deserialize)]
struct Costs {
    decrypt_ns: f64,
    rsa_sign_ns: f64,
    verify_ns: f64,
    sign_ns: f64,
}

impl Costs {
    /// Measures it on the servers' core.
    fn measure() -> Result<Self> {
        json(generator(&SERVER_CORE)?.args(["raw-rsa", "--seconds", "0.3"]))
    }

    /// All of it, in microseconds.
    fn total_us(&self) -> f64 {
        (self.decrypt_ns + self.rsa_sign_ns + self.verify_ns + self.sign_ns) / 1000.0
    }
}
