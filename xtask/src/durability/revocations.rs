//! Thousands of certificates are revoked while others ask by OCSP and fetch CRLs, and `kill -9` comes in between: nobody is told `good` of
//! what was revoked, no revocation is missing in the next CRL, and numbers of CRLs only grow.

use std::process::Command;

use anyhow::Result;

use super::steps::GATEWAY;
use crate::{
    cargo,
    process::{self, PYTHON},
    report::{Outcome, Report},
};

/// HTTP, OCSP and CRLs as far as scripts need them.
pub(super) const WIRE: &str = include_str!("revocations/wire.py");
/// What takes part, and what it is told by.
const SCRIPTS: [(&str, &str); 4] = [
    ("gateway.py", GATEWAY),
    ("wire.py", WIRE),
    ("lists.py", include_str!("revocations/lists.py")),
    ("race.py", include_str!("revocations/race.py")),
];
/// How many certificates are revoked, and how many when it is to be quick.
const REVOKED: [u32; 2] = [10_000, 1000];
/// How long it may take.
const SECONDS: u32 = 300;

pub(super) fn all(report: &mut Report, quick: bool) {
    report.check("revocations race with queries, CRL builds and kill -9", || race(REVOKED[usize::from(quick)]));
}

fn race(revoked: u32) -> Result<Outcome> {
    if !process::succeeds(Command::new(PYTHON).args(["-c", "import multiprocessing"])) {
        return Ok(Outcome::Skipped(format!("there is no {PYTHON}")));
    }
    if !process::found("openssl") {
        return Ok(Outcome::Skipped("openssl is not installed".to_owned()));
    }
    let work = tempfile::tempdir()?;
    for (name, script) in SCRIPTS {
        std::fs::write(work.path().join(name), script)?;
    }
    let mut command = process::limited(SECONDS, PYTHON);
    command.arg(work.path().join("race.py")).env("WORK", work.path()).env("COUNT", revoked.to_string());
    command.env("CERTGATE", cargo::release_binary("certgate")?);
    command.env("CERTGATE_LOAD", cargo::tool("certgate-load")?);
    for line in process::stdout(&mut command)?.lines() {
        println!("        {line}");
    }
    Ok(Outcome::Passed)
}
