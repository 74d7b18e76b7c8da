//! `cargo xtask bench`: the gateway's CPU an operation, held against raw costs of the same run.
//!
//! The gateway and the raw server run on the first core, one of them busy at a time; the load generator runs on the second. Rounds
//! alternate between them and a median is taken, since the machine drifts. docs/benchmarks.md tells what is measured.

mod load;
mod paths;
mod rows;
mod start;
mod storm;

use std::{path::Path, process::ExitCode};

use anyhow::{Context, Result, ensure};

use crate::{cargo, gateway::Gateway, tree};
use load::LoadGenerator;
use rows::Row;

/// What a server is started under.
const SERVER_CORE: [&str; 3] = ["taskset", "-c", "0"];
/// What the load generator is started under.
const LOAD_CORE: [&str; 3] = ["taskset", "-c", "1"];

/// Load average under which the machine is taken to have nothing else to do.
const QUIET: f64 = 0.5;

/// Measures the rows whose id begins with `only`, prints them and writes them to `json`. A limit that is missed is no failure.
pub(crate) fn run(only: Option<&str>, json: &Path) -> Result<ExitCode> {
    for package in ["certgate", "certgate-conformance"] {
        cargo::build_release(package)?;
    }
    // The ledger syncs: its folder is on the disk of the build, where /tmp may be memory.
    let work = tempfile::Builder::new().prefix("bench-").tempdir_in(cargo::target_directory()?)?;
    let wanted = |id: &str| only.is_none_or(|beginning| id.starts_with(beginning));
    warn_if_busy()?;
    let rows = measure(work.path(), &wanted)?;
    ensure!(!rows.is_empty(), "no row's id begins with {:?}", only.unwrap_or_default());
    rows::print(&rows);
    let text = serde_json::to_string_pretty(&serde_json::json!({ "rows": rows }))?;
    std::fs::write(json, text + "\n").with_context(|| format!("write {}", json.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn measure(work: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>> {
    let mut rows = paths::measure(work, wanted)?;
    if start::ROWS.iter().any(|id| wanted(id)) {
        rows.extend(start::measure(work)?.into_iter().filter(|row| wanted(row.id)));
    }
    if wanted(storm::ID) {
        rows.push(storm::measure(work)?);
    }
    Ok(rows)
}

/// Other work takes caches and cores away from the servers, and more from the larger one.
fn warn_if_busy() -> Result<()> {
    let load = tree::read(Path::new("/proc/loadavg"))?;
    let last_minute: f64 = load.split(' ').next().unwrap_or_default().parse().context("/proc/loadavg")?;
    if last_minute > QUIET {
        println!("the load average is {last_minute:.1}: beside other work the ratios are uncertain and likely too high");
    }
    Ok(())
}

/// A gateway on its core, with a data directory of this name.
fn start_gateway(work: &Path, name: &str) -> Result<Gateway> {
    Gateway::start(&work.join(name), &SERVER_CORE.map(str::to_owned))
}
