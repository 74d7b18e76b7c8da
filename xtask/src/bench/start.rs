//! How soon the gateway is ready and how much memory it takes while nobody asks.

use std::{path::Path, thread, time::Duration};

use anyhow::{Context, Result};

use super::{rows::Row, start_gateway};
use crate::tree;

/// Ids of these rows.
pub(super) const ROWS: [&str; 3] = ["start-ms", "start-later-ms", "idle-rss-kib"];
/// Milliseconds of a later start.
const LATER_LIMIT: f64 = 50.0;
/// KiB of a gateway that nobody asks.
const RESIDENT_LIMIT: f64 = 20.0 * 1024.0;
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
    let row = |id, unit, values: &[f64], note: &str| Row::of_values(id, values, unit, note.to_owned());
    let [first_id, later_id, resident_id] = ROWS;
    Ok([
        row(first_id, "ms", &first, "first start, keys and ledger are made"),
        row(later_id, "ms", &later, "a later start").limited(LATER_LIMIT),
        row(resident_id, "KiB", &resident, "resident set a second after a later start").limited(RESIDENT_LIMIT),
    ])
}

/// `VmRSS` of a process: its resident set.
pub(super) fn resident_kib(pid: u32) -> Result<f64> {
    memory_kib(pid, "VmRSS:")
}

/// `VmHWM` of a process: its resident set at its highest.
pub(super) fn highest_kib(pid: u32) -> Result<f64> {
    memory_kib(pid, "VmHWM:")
}

fn memory_kib(pid: u32, field: &str) -> Result<f64> {
    let status = tree::read(Path::new(&format!("/proc/{pid}/status")))?;
    let text = status.lines().find_map(|line| line.strip_prefix(field)).with_context(|| format!("no {field}"))?;
    text.trim().trim_end_matches(" kB").parse().with_context(|| format!("{field}{text}"))
}
