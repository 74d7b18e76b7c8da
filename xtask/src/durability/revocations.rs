//! Thousands of certificates are revoked while others ask by OCSP and fetch CRLs, and `kill -9` comes in between: nobody is told `good` of
//! what was revoked, no revocation is missing in the next CRL, and numbers of CRLs only grow.

use anyhow::Result;

use super::steps::GATEWAY;
use crate::cargo;
use crate::python::{self, Needs, Script, Stage};
use crate::report::{Outcome, Report};

/// HTTP, OCSP and CRLs as far as scripts need them.
pub(super) const WIRE: Script = ("wire.py", include_str!("revocations/wire.py"));
/// What takes part, and what plays.
const LISTS: Script = ("lists.py", include_str!("revocations/lists.py"));
const RACE: Script = ("race.py", include_str!("revocations/race.py"));
const NEEDS: Needs = Needs { programs: &["openssl"], modules: "multiprocessing" };
/// How many certificates are revoked, and how many when it is to be quick.
const REVOKED: [u32; 2] = [10_000, 1000];
/// How long it may take.
const SECONDS: u32 = 300;

pub(super) fn all(report: &mut Report, quick: bool) {
    report.check("revocations race with queries, CRL builds and kill -9", || race(REVOKED[usize::from(quick)]));
}

fn race(revoked: u32) -> Result<Outcome> {
    if let Some(skipped) = NEEDS.missing() {
        return Ok(skipped);
    }
    let stage = Stage::new([GATEWAY, WIRE, LISTS, RACE])?;
    let mut command = stage.command(SECONDS, RACE.0)?;
    python::play(command.env("COUNT", revoked.to_string()).env("CERTGATE_LOAD", cargo::tool("certgate-load")?))
}
