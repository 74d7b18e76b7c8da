//! The server certificate changes under load: it is renewed by itself when the clock moves, and by the operator's hand. Nobody's request
//! fails, and what is broken is not shown.

use std::process::Command;

use anyhow::Result;

use super::steps::GATEWAY;
use crate::{
    cargo, faketime,
    process::{self, PYTHON},
    report::{Outcome, Report},
};

/// What takes part.
const SCRIPTS: [(&str, &str); 3] =
    [("gateway.py", GATEWAY), ("load.py", include_str!("tls/load.py")), ("renewal.py", include_str!("tls/renewal.py"))];
/// How long it may take.
const SECONDS: u32 = 240;

pub(super) fn all(report: &mut Report) {
    report.check("the server certificate is renewed and reloaded under load, and no request fails", renewed);
}

fn renewed() -> Result<Outcome> {
    if !process::succeeds(Command::new(PYTHON).args(["-c", "import http.client, ssl"])) {
        return Ok(Outcome::Skipped(format!("there is no {PYTHON}")));
    }
    if !process::found("openssl") {
        return Ok(Outcome::Skipped("openssl is not installed".to_owned()));
    }
    let work = tempfile::tempdir()?;
    let offset = work.path().join("offset");
    std::fs::write(&offset, "+0\n")?;
    let Some(clock) = faketime::environment(&offset)? else {
        return Ok(Outcome::Skipped("libfaketime is not installed".to_owned()));
    };
    for (name, script) in SCRIPTS {
        std::fs::write(work.path().join(name), script)?;
    }
    // All that the script starts lives by the same clock: clients verify what they are shown as they would on that day.
    let mut command = process::limited(SECONDS, PYTHON);
    command.arg(work.path().join("renewal.py")).env("WORK", work.path()).env("OFFSET", &offset).envs(clock);
    command.env("CERTGATE", cargo::release_binary("certgate")?);
    for line in process::stdout(&mut command)?.lines() {
        println!("        {line}");
    }
    Ok(Outcome::Passed)
}
