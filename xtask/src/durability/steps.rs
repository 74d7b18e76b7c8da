//! `kill -9` between each two steps of a flow, and in the middle of each: the client's retry goes on, and there is one certificate for one
//! request. The clients are those of others, driven in Python: certbot's library for ACME, strongSwan behind a relay for SCEP.

use std::process::Command;

use anyhow::{Context, Result};

use crate::{
    cargo,
    process::{self, PYTHON},
    report::{Outcome, Report},
};

/// How long all kills of a flow may take.
const SECONDS: u32 = 300;
/// What all of these scripts have in common.
pub(super) const GATEWAY: &str = include_str!("steps/gateway.py");

/// What drives clients of ACME and of SCEP.
pub(super) const ACME: &str = include_str!("steps/acme_steps.py");
pub(super) const SCEP: &str = include_str!("steps/scep_steps.py");
/// What Python has to import for that of ACME.
pub(super) const ACME_MODULES: &str = "acme, josepy, OpenSSL, cryptography, requests";

/// A flow and the script that walks it.
struct Flow {
    title: &'static str,
    script: &'static str,
    /// What Python has to import.
    modules: &'static str,
    /// Programs it starts.
    needs: &'static [&'static str],
}

const FLOWS: [Flow; 2] = [
    Flow {
        title: "kill -9 between and amid the steps of ACME: certbot's library goes on",
        script: ACME,
        modules: ACME_MODULES,
        needs: &[],
    },
    Flow {
        title: "kill -9 between and amid the steps of SCEP: strongSwan goes on",
        script: SCEP,
        modules: "http.server",
        needs: &["pki", "openssl"],
    },
];

pub(super) fn all(report: &mut Report) {
    for flow in &FLOWS {
        report.check(flow.title, || walk(flow));
    }
}

fn walk(flow: &Flow) -> Result<Outcome> {
    if let Some(missing) = flow.needs.iter().find(|program| !process::found(program)) {
        return Ok(Outcome::Skipped(format!("{missing} is not installed")));
    }
    if !process::succeeds(Command::new(PYTHON).arg("-c").arg(format!("import {}", flow.modules))) {
        return Ok(Outcome::Skipped(format!("{PYTHON} cannot import {}", flow.modules)));
    }
    let work = tempfile::tempdir()?;
    std::fs::write(work.path().join("gateway.py"), GATEWAY)?;
    let script = work.path().join("steps.py");
    std::fs::write(&script, flow.script).with_context(|| script.display().to_string())?;
    let mut command = process::limited(SECONDS, PYTHON);
    command.arg(&script).env("CERTGATE", cargo::release_binary("certgate")?).env("WORK", work.path());
    for line in process::stdout(&mut command)?.lines() {
        println!("        {line}");
    }
    Ok(Outcome::Passed)
}
