//! What a large ledger changes: how soon the gateway is ready, and the CPU a certificate.

use std::path::Path;

use anyhow::Result;

use super::{
    est::{self, EstLoad, Operation},
    load::{Amount, Measurement},
    rows::{Row, median, spread},
    seeded::SeededLedger,
    series::both,
    start_gateway,
};
use crate::gateway::Gateway;

/// Ids of these rows.
pub(super) const ROWS: [&str; 2] = ["start-100k-ms", "est-simpleenroll-at-million"];
/// Certificates in the ledger of a start.
const STARTED_WITH: u32 = 100_000;
/// Milliseconds of such a start.
const START_LIMIT: f64 = 300.0;
/// Starts of which the median is taken.
const STARTS: usize = 5;
/// Certificates in the ledger that is enrolled into.
const ENROLLED_INTO: u32 = 1_000_000;
/// How many times the CPU of an enrollment into an empty ledger.
const LIMIT: f64 = 1.1;
/// Rounds of which the median is taken: the limit is narrow.
const ROUNDS: usize = 11;
/// Enrollments of a round, into each.
const AMOUNT: Amount = Amount::warm(16, 4000);
/// Who enrolls.
const USERS: [&str; 2] = ["at-million", "at-none"];

/// Measures the rows that are wanted.
pub(super) fn measure(work: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>> {
    let [start, enroll] = ROWS.map(wanted);
    let mut rows = Vec::new();
    if !start && !enroll {
        return Ok(rows);
    }
    let mut ledger = SeededLedger::prepare(work, "growth")?;
    if start {
        rows.push(starts(&mut ledger)?);
    }
    if enroll {
        rows.push(enrollments(&mut ledger, work)?);
    }
    Ok(rows)
}

fn starts(ledger: &mut SeededLedger<'_>) -> Result<Row> {
    ledger.issue(STARTED_WITH)?;
    // The first one opens a file that the filling has left in another mode.
    ledger.start()?.stop()?;
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let gateway = ledger.start()?;
        times.push(gateway.ready_after().as_secs_f64() * 1000.0);
        gateway.stop()?;
    }
    let note = format!("a later start with {STARTED_WITH} certificates in the ledger");
    Ok(Row::of_values(ROWS[0], &times, "ms", note).limited(START_LIMIT))
}

/// Two gateways in turn, one with a full ledger and one with an empty one.
fn enrollments(ledger: &mut SeededLedger<'_>, work: &Path) -> Result<Row> {
    ledger.issue(ENROLLED_INTO)?;
    let [full, empty] =
        [Side::new(ledger.start()?, work, USERS[0])?, Side::new(start_gateway(work, "growth-none")?, work, USERS[1])?];
    let [mut at_million, mut at_none, mut ratios, mut rates] = [const { Vec::new() }; 4];
    for round in 0..ROUNDS {
        println!("growth, round {} of {ROUNDS}", round + 1);
        let (of_full, of_empty) = both(round.is_multiple_of(2), || full.enroll(), || empty.enroll())?;
        at_million.push(of_full.cpu_us());
        at_none.push(of_empty.cpu_us());
        ratios.push(of_full.cpu_us() / of_empty.cpu_us());
        rates.push(of_full.rate());
    }
    full.gateway.stop()?;
    empty.gateway.stop()?;
    let (value, raw) = (median(&at_million), median(&at_none));
    let note = format!(
        "{} connections, {:.0} a second; raw: the same gateway with an empty ledger; median of the rounds' ratios {:.3}",
        AMOUNT.connections,
        median(&rates),
        median(&ratios)
    );
    let row = Row::information(ROWS[1], value, "us CPU", note).limited(LIMIT * raw);
    Ok(Row { raw: Some(raw), ratio: Some(value / raw), spread: spread(&ratios), ..row })
}

/// A gateway, and who enrolls there.
struct Side {
    gateway: Gateway,
    load: EstLoad,
}

impl Side {
    fn new(gateway: Gateway, work: &Path, user: &str) -> Result<Self> {
        Ok(Self { load: est::add_user(&gateway, work, user)?, gateway })
    }

    fn enroll(&self) -> Result<Measurement> {
        self.load.run(Operation::Enroll, &self.gateway.est_url()?, self.gateway.run().pid, AMOUNT, None)
    }
}
