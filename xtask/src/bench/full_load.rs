//! How much memory the gateway takes while all protocols are asked at once.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use anyhow::{Result, anyhow};

use super::{
    acme::AcmeLoad,
    asker::{Asker, Question, Range, Responder},
    est::{self, Operation},
    load::{Amount, Measurement},
    rows::Row,
    scep::ScepLoad,
    seeded::SeededLedger,
    start::{highest_kib, resident_kib},
};

/// The row of this file.
pub(super) const ID: &str = "load-rss-kib";
/// 64 MiB.
const LIMIT: f64 = 64.0 * 1024.0;
/// Enrollments by EST; the others go on as long as they last.
const ENROLLMENTS: Amount = Amount::warm(256, 30_000);
/// Each time another certificate is asked about, of more than there is room for answers.
const ANSWERS: Amount = Amount::warm(64, 20_000);
const ISSUANCES: Amount = Amount::warm(16, 500);
const MESSAGES: Amount = Amount::warm(16, 200);
/// Certificates that are asked about.
const SEEDED: u32 = 22_000;

/// Measures it.
pub(super) fn measure(work: &Path) -> Result<Row> {
    let mut ledger = SeededLedger::prepare(work, "load")?;
    ledger.issue(SEEDED)?;
    let acme = AcmeLoad::new()?;
    let gateway = acme.start_gateway(work, "load")?;
    let est = est::add_user(&gateway, work, "under-load")?;
    let scep = ScepLoad::new(&gateway, work)?;
    let asker = Asker::new(&ledger.data_dir());
    let (responder, pid) = (Responder::gateway(&gateway)?, gateway.run().pid);
    let ask = || {
        let get = Question { get: true, nonce: false };
        asker.ask(get, Range { serials: SEEDED, skip: 0 }, &responder, ANSWERS)
    };
    let is_over = AtomicBool::new(false);
    let (enrolled, others) = thread::scope(|scope| {
        let others = [
            scope.spawn(|| until(&is_over, ask)),
            scope.spawn(|| until(&is_over, || acme.order(&gateway, ISSUANCES))),
            scope.spawn(|| until(&is_over, || scep.enroll(&gateway, MESSAGES))),
        ];
        let enrolled = est.run(Operation::Enroll, &gateway.est_url()?, pid, ENROLLMENTS, None);
        is_over.store(true, Ordering::Relaxed);
        let others = others.map(|other| other.join().map_err(|_| anyhow!("a thread has panicked")));
        anyhow::Ok((enrolled?, others))
    })?;
    let [asked, ordered, granted] = others;
    let note = format!(
        "at its highest; at once {} connections of EST ({:.0} a second), 64 of OCSP ({} answers), 16 of ACME ({} issuances), 16 of \
         SCEP ({}); afterwards {:.0}",
        ENROLLMENTS.connections,
        enrolled.rate(),
        asked??,
        ordered??,
        granted??,
        resident_kib(pid)?
    );
    let row = Row::information(ID, highest_kib(pid)?, "KiB", note).limited(LIMIT);
    gateway.stop()?;
    Ok(row)
}

/// Once, and then again and again until it is over; how many requests there were.
fn until(is_over: &AtomicBool, run: impl Fn() -> Result<Measurement>) -> Result<u64> {
    let mut count = 0;
    loop {
        count += u64::from(run()?.requests());
        if is_over.load(Ordering::Relaxed) {
            return Ok(count);
        }
    }
}
