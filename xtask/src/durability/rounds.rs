//! Fifty times `kill -9` while 16 clients enroll, by EST, SCEP and ACME, and two operators revoke: every certificate that a client holds is in the
//! ledger, no serial number is given twice, nothing that was revoked is good again, and nothing that is good for once is good for twice.

use std::process::Command;

use anyhow::Result;

use super::{
    revocations::WIRE,
    steps::{ACME, ACME_MODULES, GATEWAY, SCEP},
};
use crate::{
    cargo,
    process::{self, PYTHON},
    report::{Outcome, Report},
};

/// What takes part.
const SCRIPTS: [(&str, &str); 5] = [
    ("gateway.py", GATEWAY),
    ("acme_steps.py", ACME),
    ("scep_steps.py", SCEP),
    ("wire.py", WIRE),
    ("rounds.py", include_str!("rounds/rounds.py")),
];
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
    if let Some(missing) = ["pki", "openssl"].iter().find(|program| !process::found(program)) {
        return Ok(Outcome::Skipped(format!("{missing} is not installed")));
    }
    if !process::succeeds(Command::new(PYTHON).arg("-c").arg(format!("import {ACME_MODULES}"))) {
        return Ok(Outcome::Skipped(format!("{PYTHON} cannot import {ACME_MODULES}")));
    }
    let work = tempfile::tempdir()?;
    for (name, script) in SCRIPTS {
        std::fs::write(work.path().join(name), script)?;
    }
    let mut command = process::limited(SECONDS, PYTHON);
    command.arg(work.path().join("rounds.py")).env("WORK", work.path()).env("ROUNDS", rounds.to_string());
    command.env("CERTGATE", cargo::release_binary("certgate")?);
    for line in process::stdout(&mut command)?.lines() {
        println!("        {line}");
    }
    Ok(Outcome::Passed)
}
