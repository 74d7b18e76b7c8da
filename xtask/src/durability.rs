//! No certificate that a client was told of is ever lost, no request is answered by two, and no revocation is taken back: shown by a
//! gateway that is killed, by disks that fail it, by a replay of what it synced, and by the order of its system calls. And whoever asks
//! while the server certificate changes is answered.

mod disks;
mod killed;
pub(crate) mod replay;
mod revocations;
mod rounds;
mod steps;
mod synced;
mod tls;
mod trace;

use anyhow::Result;

use crate::report::Report;

/// After how many answers the gateway is killed, a round each.
const ROUNDS: [usize; 3] = [25, 80, 200];

/// Kills in earnest, amid enrollments and amid revocations, then one enrollment under strace.
pub(crate) fn all(report: &mut Report, quick: bool) -> Result<()> {
    let rounds = if quick { &ROUNDS[..1] } else { &ROUNDS };
    killed::all(report, rounds)?;
    steps::all(report);
    revocations::all(report, quick);
    rounds::all(report, quick);
    tls::all(report);
    disks::all(report);
    replay::all(report, quick);
    report.check("strace: the ledger is on disk before the answer is sent", synced::check);
    Ok(())
}
