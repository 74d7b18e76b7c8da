//! The server certificate changes under load: it is renewed by itself when the clock moves, and by the operator's hand. Nobody's request
//! fails, and what is broken is not shown.

use anyhow::Result;

use super::steps::GATEWAY;
use crate::faketime;
use crate::python::{self, Needs, Script, Stage};
use crate::report::{Outcome, Report};

/// Who asks meanwhile, and what plays.
const LOAD: Script = ("load.py", include_str!("tls/load.py"));
const RENEWAL: Script = ("renewal.py", include_str!("tls/renewal.py"));
const NEEDS: Needs = Needs { programs: &["openssl"], modules: "http.client, ssl" };
/// How long it may take.
const SECONDS: u32 = 240;

pub(super) fn all(report: &mut Report) {
    report.check("the server certificate is renewed and reloaded under load, and no request fails", renewed);
}

fn renewed() -> Result<Outcome> {
    if let Some(skipped) = NEEDS.missing() {
        return Ok(skipped);
    }
    let stage = Stage::new([GATEWAY, LOAD, RENEWAL])?;
    let offset = stage.path().join("offset");
    std::fs::write(&offset, "+0\n")?;
    let Some(clock) = faketime::environment(&offset)? else {
        return Ok(Outcome::Skipped("libfaketime is not installed".to_owned()));
    };
    // All that the script starts lives by the same clock: clients verify what they are shown as they would on that day.
    python::play(stage.command(SECONDS, RENEWAL.0)?.env("OFFSET", &offset).envs(clock))
}
