//! Fuzzing: every target for a moment (`cargo xtask fuzz-smoke`), or for minutes of CPU time each (`cargo xtask fuzz`).

mod libfuzzer;
mod long;
mod minimize;
mod smoke;
mod tally;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::{report::Report, tree};

pub(crate) use smoke::{all as smoke_all, run as smoke};
pub(crate) use tally::{findings as tally_findings, regenerate as regenerate_tally};

/// For how long what is fuzzed.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this target; can be given several times
    #[arg(long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// CPU time that each target gets for itself, however long that takes
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    cpu_seconds: u64,
    /// How many targets run at one time [default: one a processor]
    #[arg(long, value_name = "NUMBER")]
    lanes: Option<usize>,
    /// Runs nothing, but adds to the committed corpora the fewest inputs that reach what those of earlier runs have reached
    #[arg(long, conflicts_with_all = ["cpu_seconds", "lanes"])]
    minimize: bool,
}

/// Runs the targets that were chosen, or takes into the corpora what they have found.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let targets = chosen(&options.targets)?;
    let mut report = Report::default();
    if options.minimize {
        report.step("minimize corpora", |report| minimize::all(report, &targets));
    } else {
        let lanes = options.lanes.unwrap_or_else(libfuzzer::lanes).max(1);
        report.step("fuzz", |report| long::all(report, targets, lanes, options.cpu_seconds));
    }
    Ok(report.finish())
}

/// These targets, which exist; all if none are named.
fn chosen(names: &[String]) -> Result<Vec<String>> {
    let all = libfuzzer::targets()?;
    if names.is_empty() {
        return Ok(all);
    }
    for name in names {
        ensure!(all.contains(name), "there is no target {name}, but {}", all.join(", "));
    }
    Ok(names.to_vec())
}

/// The seeds of a target that are in the repository.
fn committed_corpus(target: &str) -> PathBuf {
    tree::root().join("fuzz/corpus").join(target)
}

/// What long runs of a target have found. It is not committed.
fn work_corpus(target: &str) -> PathBuf {
    tree::root().join("fuzz/target/corpus").join(target)
}
