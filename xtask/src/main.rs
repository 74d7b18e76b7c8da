//! `cargo xtask`: the tasks of this repository.
//!
//! One file a task. What several tasks need: [`process`] runs commands, [`python`] those that are scripts,
//! [`report`] counts outcomes,
//! [`stopwatch`] is the only clock, [`gateway`] starts the shipped binary, [`device`] enrolls at it, [`generated`] is what documents say that
//! is made.

mod bench;
mod cargo;
mod check;
mod conformance_cli;
mod device;
mod durability;
mod faketime;
mod foreign;
mod fuzz;
mod gateway;
mod generated;
mod hostile;
mod install;
mod process;
mod python;
mod regen;
mod report;
mod stopwatch;
mod test;
mod tidy;
mod tree;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

/// What to do.
#[derive(Subcommand)]
enum Task {
    /// Formatting, clippy and tidy
    Check,
    /// The rules that no compiler checks: layers, budgets, names, paths in docs, milestones
    Tidy,
    /// Writes the generated parts of the docs anew
    Regen,
    /// Sets up and runs everything; the last line is `N passed, N failed, N skipped`
    Test(test::Options),
    /// Clients and linters that others wrote, against the shipped gateway: sets up what is missing, builds, runs them
    Interop(test::InteropOptions),
    /// Runs every fuzz target for a moment over its corpus
    FuzzSmoke {
        /// Seconds a target
        #[arg(long, default_value_t = 10)]
        seconds: u32,
    },
    /// The step of `test` in which the power goes and only what was synced is left, for longer
    Replay(durability::replay::Options),
    /// Runs fuzz targets for minutes of CPU time each, and keeps what they find
    Fuzz(fuzz::Options),
    /// Measures the gateway's CPU an operation against raw costs of the same run
    Bench(bench::Options),
    /// Counts the gateway's instructions an operation, and holds them against what was written down
    Instructions(bench::instructions::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Check => check::run(),
        Task::Tidy => tidy::run(),
        Task::Regen => regen::run(),
        Task::Test(options) => test::run(&options),
        Task::Interop(options) => test::interop(&options),
        Task::Replay(options) => durability::replay::run(&options),
        Task::FuzzSmoke { seconds } => fuzz::smoke(seconds),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Instructions(options) => bench::instructions::run(&options),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
