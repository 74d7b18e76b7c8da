//! `kill -9` between each two steps of a flow, and in the middle of each: the client's retry goes on, and there is one certificate for one
//! request. The clients are those of others, driven in Python: certbot's library for ACME, strongSwan behind a relay for SCEP.

use anyhow::Result;

use crate::python::{self, Needs, Script, Stage};
use crate::report::{Outcome, Report};

/// How long all kills of a flow may take.
const SECONDS: u32 = 300;
/// What all scripts have in common.
pub(super) const GATEWAY: Script = ("gateway.py", include_str!("steps/gateway.py"));

/// What drives clients of ACME and of SCEP.
pub(super) const ACME: Script = ("acme_steps.py", include_str!("steps/acme_steps.py"));
pub(super) const SCEP: Script = ("scep_steps.py", include_str!("steps/scep_steps.py"));
/// What Python has to import for that of ACME.
pub(super) const ACME_MODULES: &str = "acme, josepy, OpenSSL, cryptography, requests";

/// A flow and the script that walks it.
struct Flow {
    title: &'static str,
    script: Script,
    needs: Needs,
}

const FLOWS: [Flow; 2] = [
    Flow {
        title: "kill -9 between and amid the steps of ACME: certbot's library goes on",
        script: ACME,
        needs: Needs { programs: &[], modules: ACME_MODULES },
    },
    Flow {
        title: "kill -9 between and amid the steps of SCEP: strongSwan goes on",
        script: SCEP,
        needs: Needs { programs: &["pki", "openssl"], modules: "http.server" },
    },
];

pub(super) fn all(report: &mut Report) {
    for flow in &FLOWS {
        report.check(flow.title, || walk(flow));
    }
}

fn walk(flow: &Flow) -> Result<Outcome> {
    if let Some(skipped) = flow.needs.missing() {
        return Ok(skipped);
    }
    let stage = Stage::new([GATEWAY, flow.script])?;
    python::play(&mut stage.command(SECONDS, flow.script.0)?)
}
