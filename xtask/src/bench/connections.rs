//! How many operations a second there are over few connections and over many, and how long the slowest hundredth of them waits.

use std::path::Path;

use anyhow::Result;

use super::{
    asker::{Asker, Question, Range, Responder},
    est::{self, EstLoad, Operation},
    load::{Amount, Measurement},
    rows::{Row, median},
    seeded::SeededLedger,
};
use crate::gateway::Gateway;

/// Connections, and the rows of enrolling and of asking over as many.
const ROUTES: [(u32, &str, &str); 5] = [
    (1, "est-simpleenroll-connections-1", "ocsp-get-connections-1"),
    (4, "est-simpleenroll-connections-4", "ocsp-get-connections-4"),
    (16, "est-simpleenroll-connections-16", "ocsp-get-connections-16"),
    (64, "est-simpleenroll-connections-64", "ocsp-get-connections-64"),
    (256, "est-simpleenroll-connections-256", "ocsp-get-connections-256"),
];
/// Rounds of which the median is taken.
const ROUNDS: usize = 3;
/// Certificates whose answers are kept, and asked for again and again.
const KEPT: u32 = 1000;
/// Enrollments of a round over one connection, and over more of them.
const ENROLLMENTS: [u32; 2] = [1500, 4000];
/// Answers of a round.
const ANSWERS: u32 = 10_000;
const GET: Question = Question { get: true, nonce: false };

/// Measures the rows that are wanted.
pub(super) fn measure(work: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>> {
    if !ROUTES.iter().any(|(_, est, ocsp)| wanted(est) || wanted(ocsp)) {
        return Ok(Vec::new());
    }
    let bench = Bench::prepare(work)?;
    let mut rows = Vec::new();
    for (connections, est, ocsp) in ROUTES {
        println!("{connections} connections");
        let enrollments = if connections == 1 { ENROLLMENTS[0] } else { ENROLLMENTS[1] };
        if wanted(est) {
            rows.push(row(est, "enrollments", || bench.enroll(Amount::warm(connections, enrollments)))?);
        }
        if wanted(ocsp) {
            rows.push(row(ocsp, "answers from memory", || bench.ask(Amount::warm(connections, ANSWERS)))?);
        }
    }
    bench.gateway.stop()?;
    rows.sort_by_key(|row| row.id.starts_with("ocsp"));
    Ok(rows)
}

/// Rate, and what else there is to say, of some rounds.
fn row(id: &'static str, what: &str, round: impl Fn() -> Result<Measurement>) -> Result<Row> {
    let rounds = (0..ROUNDS).map(|_| round()).collect::<Result<Vec<_>>>()?;
    let each = |value: fn(&Measurement) -> f64| -> Vec<f64> { rounds.iter().map(value).collect() };
    let [rates, p99, cpu] = [each(Measurement::rate), each(Measurement::p99_ms), each(Measurement::cpu_us)];
    let note = format!("{what}, p99 {:.2} ms, {:.1} us CPU each", median(&p99), median(&cpu));
    Ok(Row::of_values(id, &rates, "/s", note))
}

struct Bench {
    gateway: Gateway,
    load: EstLoad,
    asker: Asker,
}

impl Bench {
    fn prepare(work: &Path) -> Result<Self> {
        let mut ledger = SeededLedger::prepare(work, "connections")?;
        ledger.issue(KEPT)?;
        let gateway = ledger.start()?;
        Ok(Self { load: est::add_user(&gateway, work, "over-connections")?, asker: Asker::new(&ledger.data_dir()), gateway })
    }

    fn enroll(&self, amount: Amount) -> Result<Measurement> {
        self.load.run(Operation::Enroll, &self.gateway.est_url()?, self.gateway.run().pid, amount, None)
    }

    fn ask(&self, amount: Amount) -> Result<Measurement> {
        self.asker.ask(GET, Range { serials: KEPT, skip: 0 }, &Responder::gateway(&self.gateway)?, amount)
    }
}
