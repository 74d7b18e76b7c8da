//! `cargo xtask bench`: the gateway's CPU an operation, held against raw costs of the same run.
//!
//! The gateway and the raw server run on the first core, one of them busy at a time; the load generator runs on the second. Rounds
//! alternate between them and a median is taken, since the machine drifts. docs/benchmarks.md tells what is measured.

mod acme;
mod asker;
mod connections;
mod est;
mod full_load;
mod growth;
pub(crate) mod instructions;
mod load;
mod paths;
mod rows;
mod scep;
mod seeded;
mod series;
mod start;
mod status;
mod storm;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, ensure};

use crate::{cargo, gateway::Gateway, tree};
use rows::Row;

/// What a server is started under.
const SERVER_CORE: [&str; 3] = ["taskset", "-c", "0"];
/// What the load generator is started under.
const LOAD_CORE: [&str; 3] = ["taskset", "-c", "1"];

/// Load average under which the machine is taken to have nothing else to do.
const QUIET: f64 = 0.5;

/// What is measured, and where it is written.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only rows whose id begins with this
    #[arg(long)]
    only: Option<String>,
    /// Certificates that the storm of OCSP requests asks about, each once; a million takes five minutes
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1000..=10_000_000))]
    storm: u32,
    /// Where the rows are written
    #[arg(long)]
    json: PathBuf,
}

/// Measures the rows that are wanted, prints them and writes them down. A limit that is missed is no failure.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let Options { only, storm, json } = options;
    cargo::build_release("certgate")?;
    cargo::build_release_tools()?;
    // The ledger syncs: its folder is on the disk of the build, where /tmp may be memory.
    let work = tempfile::Builder::new().prefix("bench-").tempdir_in(cargo::target_directory()?)?;
    let wanted = |id: &str| only.as_deref().is_none_or(|beginning| id.starts_with(beginning));
    warn_if_busy()?;
    let rows = measure(work.path(), &wanted, *storm)?;
    ensure!(!rows.is_empty(), "no row's id begins with {:?}", only.as_deref().unwrap_or_default());
    rows::print(&rows);
    let text = serde_json::to_string_pretty(&serde_json::json!({ "rows": rows }))?;
    std::fs::write(json, text + "\n").with_context(|| format!("write {}", json.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn measure(work: &Path, wanted: &dyn Fn(&str) -> bool, storm: u32) -> Result<Vec<Row>> {
    let mut rows = paths::measure(work, wanted)?;
    rows.extend(acme::measure(work, wanted)?);
    if wanted(scep::ID) {
        rows.push(scep::measure(work)?);
    }
    rows.extend(status::measure(work, wanted, storm)?);
    if start::ROWS.iter().any(|id| wanted(id)) {
        rows.extend(start::measure(work)?.into_iter().filter(|row| wanted(row.id)));
    }
    rows.extend(growth::measure(work, wanted)?);
    if wanted(storm::ID) {
        rows.push(storm::measure(work)?);
    }
    rows.extend(connections::measure(work, wanted)?);
    if wanted(full_load::ID) {
        rows.push(full_load::measure(work)?);
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
