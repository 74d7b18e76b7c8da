//! OCSP and CRLs of a ledger with a million certificates, of which none, some and all are revoked.

use anyhow::Result;

use super::crl;
use crate::{
    bench::{
        asker::{Asker, Question, Range, Responder},
        load::{Amount, Measurement},
        rows::{Row, median},
        seeded::SeededLedger,
        start::resident_kib,
    },
    gateway::Gateway,
};

/// Rates from memory, rates of signed answers, and memory, by how many are revoked.
pub(super) const IDS: [[&str; 3]; 3] = [
    ["ocsp-revoked-0-kept", "ocsp-revoked-0-signed", "ocsp-revoked-0-rss"],
    ["ocsp-revoked-100k-kept", "ocsp-revoked-100k-signed", "ocsp-revoked-100k-rss"],
    ["ocsp-revoked-1m-kept", "ocsp-revoked-1m-signed", "ocsp-revoked-1m-rss"],
];
/// How many are revoked, in turn.
const REVOKED: [u32; 3] = [0, 100_000, crl::ENTRIES];
/// Rounds of which the median is taken.
const ROUNDS: u32 = 3;
/// Certificates whose answers are kept.
const KEPT: u32 = 1000;
/// Answers in a round: from memory, and signed.
const AMOUNTS: [Amount; 2] = [Amount::warm(16, 30_000), Amount::warm(16, 15_000)];

/// Measures with each number of revoked certificates.
pub(super) fn measure(ledger: &mut SeededLedger<'_>, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>> {
    ledger.issue(crl::ENTRIES)?;
    let mut rows = Vec::new();
    let mut lists = crl::Lists::new(ledger);
    for (revoked, ids) in REVOKED.into_iter().zip(IDS) {
        let wants_rates = ids.iter().any(|id| wanted(id));
        let wants_lists = crl::Lists::is_about(revoked) && crl::IDS.iter().any(|id| wanted(id));
        if !wants_rates && !wants_lists {
            continue;
        }
        ledger.revoke(revoked)?;
        let gateway = ledger.start()?;
        // It waits until everything that is revoked is loaded, which would be counted with the first answers.
        crl::build(&gateway, revoked)?;
        if wants_lists {
            rows.extend(lists.measure(&gateway, revoked)?);
        }
        if wants_rates {
            rows.extend(rates(ledger, &gateway, ids)?);
        }
        gateway.stop()?;
    }
    rows.retain(|row| wanted(row.id));
    Ok(rows)
}

/// How many answers a second, and the memory afterwards.
fn rates(ledger: &SeededLedger<'_>, gateway: &Gateway, ids: [&'static str; 3]) -> Result<[Row; 3]> {
    let (asker, responder) = (Asker::new(&ledger.data_dir()), Responder::gateway(gateway)?);
    let get = Question { get: true, nonce: false };
    let [mut kept, mut signed] = [Vec::new(), Vec::new()];
    let [kept_amount, signed_amount] = AMOUNTS;
    let in_a_round = signed_amount.requests + signed_amount.warm_up;
    for round in 0..ROUNDS {
        kept.push(asker.ask(get, Range { serials: KEPT, skip: 0 }, &responder, kept_amount)?);
        let others = Range { serials: ledger.issued, skip: round * in_a_round };
        signed.push(asker.ask(get, others, &responder, signed_amount)?);
    }
    let resident = resident_kib(responder.pid)?;
    let rate = |id, measured: &[Measurement], what: &str| {
        let rates: Vec<f64> = measured.iter().map(Measurement::rate).collect();
        let cpu: Vec<f64> = measured.iter().map(Measurement::cpu_us).collect();
        Row::of_values(id, &rates, "/s", format!("{what}, {:.1} us CPU each", median(&cpu)))
    };
    let [kept_id, signed_id, resident_id] = ids;
    Ok([
        rate(kept_id, &kept, "answers from memory"),
        rate(signed_id, &signed, "answers signed, each about another certificate"),
        Row::information(resident_id, resident, "KiB", "resident set after that".to_owned()),
    ])
}
