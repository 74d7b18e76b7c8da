//! `cargo xtask instructions`: how many instructions of its own the gateway takes for an operation.
//!
//! Callgrind counts them, so that what else the machine does makes no difference; cryptography and the C library are left out, since they
//! choose their instructions by the processor. More than was written down is a failure of the tests; `--record` writes down anew.

mod callgrind;
mod profile;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail, ensure};

use super::{
    acme::AcmeLoad,
    asker::{Asker, Question, Range, Responder},
    est::{EstLoad, Operation as EstOperation},
    load::Amount,
    scep::ScepLoad,
    seeded::SeededLedger,
};
use crate::{
    cargo,
    gateway::Gateway,
    process,
    report::{Outcome, Report},
    tree,
};
use callgrind::Counted;
use profile::{Part, Profile};

/// How much more than written down is too much: another compiler makes other code of the same source.
const TOLERANCE: f64 = 1.10;
/// The architecture that numbers are written down for.
const ARCHITECTURE: &str = "x86_64";
/// Operations before those that count.
const WARM_UP: u32 = 20;
/// Operations of the shorter run, which has as much of everything else as the longer one: a connection, a handshake.
const FEW: u32 = 20;
/// Its data directory, in the folder of the run.
const NAME: &str = "instructions";
/// Certificates that are asked about.
const CERTIFICATES: u32 = 10;
/// Parts of an operation that are shown.
const SHOWN: usize = 10;

/// How they are counted.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write down what was counted, as what is held from now on
    #[arg(long)]
    record: bool,
}

/// What is counted.
struct Operation {
    id: &'static str,
    /// Operations by which the longer run is longer.
    more: u32,
    run: fn(&World, &Gateway, Amount) -> Result<()>,
}

const GET: Question = Question { get: true, nonce: false };
const NONCE: Question = Question { get: false, nonce: true };

const OPERATIONS: [Operation; 6] = [
    Operation {
        id: "est-simpleenroll",
        more: 400,
        run: |world, gateway, amount| world.est(EstOperation::Enroll, gateway, amount),
    },
    Operation { id: "est-cacerts", more: 400, run: |world, gateway, amount| world.est(EstOperation::CaCerts, gateway, amount) },
    Operation { id: "scep-pkcsreq", more: 40, run: |world, gateway, amount| world.scep.enroll(gateway, amount).map(drop) },
    Operation { id: "acme-issuance", more: 40, run: |world, gateway, amount| world.acme.order(gateway, amount).map(drop) },
    Operation { id: "ocsp-get", more: 400, run: |world, gateway, amount| world.ocsp(GET, gateway, amount) },
    Operation { id: "ocsp-nonce", more: 400, run: |world, gateway, amount| world.ocsp(NONCE, gateway, amount) },
];

/// Who asks.
struct World {
    est: EstLoad,
    scep: ScepLoad,
    acme: AcmeLoad,
    asker: Asker,
}

impl World {
    fn est(&self, operation: EstOperation, gateway: &Gateway, amount: Amount) -> Result<()> {
        self.est.run(operation, &gateway.est_url()?, gateway.run().pid, amount, None).map(drop)
    }

    fn ocsp(&self, question: Question, gateway: &Gateway, amount: Amount) -> Result<()> {
        let range = Range { serials: CERTIFICATES, skip: 0 };
        self.asker.ask(question, range, &Responder::gateway(gateway)?, amount).map(drop)
    }
}

/// Counts, and shows what takes the most.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    cargo::build_release("certgate")?;
    cargo::build_release_tools()?;
    let counted = count_all()?;
    for (id, profile) in &counted {
        show(id, profile);
    }
    let counts: BTreeMap<&str, u64> = counted.iter().map(|(id, profile)| (*id, profile.counted())).collect();
    if options.record {
        let text = toml::to_string(&counts)?;
        let head = "# Instructions an operation on x86_64, but those of cryptography and of the C library.\n\
                    # Written by `cargo xtask instructions --record`; docs/benchmarks.md tells what is counted.\n";
        std::fs::write(record_path(), format!("{head}{text}"))?;
        println!("\nwritten down in {}", tree::relative(&record_path()));
        return Ok(ExitCode::SUCCESS);
    }
    let mut report = Report::default();
    judge(&mut report, &counted)?;
    Ok(report.finish())
}

/// Counts, and holds it against what was written down.
pub(crate) fn check(report: &mut Report) -> Result<()> {
    if std::env::consts::ARCH != ARCHITECTURE {
        report.skip("instruction counts", &format!("they are written down for {ARCHITECTURE}"));
        return Ok(());
    }
    if !process::found("valgrind") {
        report.skip("instruction counts", "valgrind is not installed");
        return Ok(());
    }
    judge(report, &count_all()?)
}

fn judge(report: &mut Report, counted: &[(&'static str, Profile)]) -> Result<()> {
    let written: BTreeMap<String, u64> = toml::from_str(&tree::read(&record_path())?).context("instruction counts")?;
    for (id, profile) in counted {
        report.check(&format!("instructions of {id}"), || {
            let before = *written.get(*id).context("nothing is written down; `cargo xtask instructions --record`")?;
            let now = profile.counted();
            println!("        {id}: {now}, written down {before}");
            if now as f64 > before as f64 * TOLERANCE {
                show(id, profile);
                bail!("{now} instructions where {before} were written down: see what takes them, or `--record`");
            }
            Ok(Outcome::Passed)
        });
    }
    Ok(())
}

fn record_path() -> PathBuf {
    tree::root().join("xtask/src/bench/instructions/counts.toml")
}

/// What one of each operation takes.
fn count_all() -> Result<Vec<(&'static str, Profile)>> {
    let work = tempfile::Builder::new().prefix("instructions-").tempdir_in(cargo::target_directory()?)?;
    let (data_dir, world) = prepare(work.path())?;
    let config = world.acme.configuration(work.path(), NAME)?;
    let mut counted = Counted::start(&data_dir, &config)?;
    let counts = OPERATIONS.iter().map(|operation| Ok((operation.id, count(operation, &world, &mut counted)?))).collect();
    counted.gateway.stop()?;
    counts
}

/// A data directory that has seen a start, with a user and certificates to ask about.
fn prepare(work: &Path) -> Result<(PathBuf, World)> {
    let mut ledger = SeededLedger::prepare(work, NAME)?;
    ledger.issue(CERTIFICATES)?;
    let (gateway, password_file) = (ledger.start()?, work.join("password"));
    let user = "bench-device";
    std::fs::write(&password_file, gateway.add_user(user)?)?;
    let est = EstLoad { ca_file: gateway.run().ca_pem.clone(), user: user.to_owned(), password_file };
    let scep = ScepLoad::new(&gateway, work)?;
    gateway.stop()?;
    let data_dir = ledger.data_dir();
    let asker = Asker::new(&data_dir);
    Ok((data_dir, World { est, scep, acme: AcmeLoad::new()?, asker }))
}

fn count(operation: &Operation, world: &World, counted: &mut Counted) -> Result<Profile> {
    let amount = |requests| Amount { connections: 1, requests, warm_up: 0, cold: false };
    (operation.run)(world, &counted.gateway, amount(WARM_UP))?;
    let few = counted.count(|gateway| (operation.run)(world, gateway, amount(FEW)))?;
    let many = counted.count(|gateway| (operation.run)(world, gateway, amount(FEW + operation.more)))?;
    let each = many.beyond(&few, operation.more);
    ensure!(each.counted() > 0, "nothing was counted of {}", operation.id);
    Ok(each)
}

/// An operation and what takes the most of it.
fn show(id: &str, profile: &Profile) {
    println!("\n{id}: {} instructions of its own", profile.counted());
    for (part, cost) in profile.parts().into_iter().take(SHOWN) {
        let name = match part {
            Part::Crate(name) => name,
            Part::Cryptography => "(cryptography)",
            Part::Elsewhere => "(C library)",
        };
        println!("{cost:>10}  {name}");
    }
}
