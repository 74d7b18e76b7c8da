//! How soon the gateway is ready and how much memory it takes while nobody asks.

use std::{path::Path, thread, time::Duration};

use anyhow::{Context, Result};

use super::{
    rows::{Row, median, spread},
    start_gateway,
};
use crate::tree;

/// Ids of these rows.
pub(super) const ROWS: [&str; 3] = ["start-ms", "start-later-ms", "idle-rss-kib"];
/// Starts of which the median is taken.
const ROUNDS: usize = 5;
/// Until a gateway that is ready has come to rest.
const REST: Duration = Duration::from_secs(1);

/// Starts gateways, each first on an empty data directory and then once more on the same.
pub(super) fn measure(work: &Path) -> Result<[Row; 3]> {
    let (mut first, mut later, mut resident) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let name = format!("start-{round}");
        let gateway = start_gateway(work, &name)?;
        first.push(gateway.ready_after().as_secs_f64() * 1000.0);
        gateway.stop()?;
        let gateway = start_gateway(work, &name)?;
        later.push(gateway.ready_after().as_secs_f64() * 1000.0);
        thread::sleep(REST);
        resident.push(resident_kib(gateway.run().pid)?);
        gateway.stop()?;
    }
    let row = |id, unit, values: &[f64], note: &str| Row {
        id,
        value: median(values),
        unit,
        limit: None,
        raw: None,
        in_place: None,
        ratio: None,
        spread: spread(values),
        note: note.to_owned(),
    };
    let [first_id, later_id, resident_id] = ROWS;
    Ok([
        row(first_id, "ms", &first, "first start, keys and ledger are made"),
        row(later_id, "ms", &later, "a later start"),
        row(resident_id, "KiB", &resident, "resident set a second after a later start"),
    ])
}

/// `VmRSS` of a process.
pub(super) fn resident_kib(pid: u32) -> Result<f64> {
    let status = tree::read(Path::new(&format!("/proc/{pid}/status")))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("a process without VmRSS")?;
    line.trim().trim_end_matches(" kB").parse().with_context(|| format!("VmRSS: {line}"))
}
