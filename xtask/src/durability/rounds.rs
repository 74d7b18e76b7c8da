//! Fifty times `kill -9` while 16 clients enroll, by EST, SCEP and ACME, and two operators revoke: every certificate that a client holds is in the
//! ledger, no serial number is given twice, nothing that was revoked is good again, and nothing that is good for once is good for twice.

use anyhow::Result;

use super::{
    revocations::WIRE,
    steps::{ACME, ACME_MODULES, GATEWAY, SCEP},
};
use crate::python::{self, Needs, Script, Stage};
use crate::report::{Outcome, Report};

/// What plays.
const KILLS: Script = ("rounds.py", include_str!("rounds/rounds.py"));
const NEEDS: Needs = Needs { programs: &["pki", "openssl"], modules: ACME_MODULES };
/// How often the gateway is killed, and how often when it is to be quick.
const ROUNDS: [u32; 2] = [50, 5];
/// How long it may take.
const SECONDS: u32 = 600;

pub(super) fn all(report: &mut Report, quick: bool) {
    let rounds = ROUNDS[usize::from(quick)];
    let name = format!("{rounds} times kill -9 under 16 who enroll by EST, SCEP and ACME and 2 who revoke");
    report.check(&name, || run(rounds));
}

fn run(rounds: u32) -> Result<Outcome> {
    if let Some(skipped) = NEEDS.missing() {
        return Ok(skipped);
    }
    let stage = Stage::new([GATEWAY, ACME, SCEP, WIRE, KILLS])?;
    python::play(stage.command(SECONDS, KILLS.0)?.env("ROUNDS", rounds.to_string()))
}
