//! CPU time of processes: of all threads, those that ended too, to the nanosecond.

use anyhow::Context;
use nix::{
    time::{ClockId, clock_getcpuclockid},
    unistd::Pid,
};

/// The CPU clock of one process.
#[derive(Clone, Copy)]
pub(crate) struct CpuClock(ClockId);

impl CpuClock {
    /// The clock of this process.
    pub(crate) const OWN: Self = Self(ClockId::CLOCK_PROCESS_CPUTIME_ID);

    /// The clock of the process `pid`.
    pub(crate) fn of(pid: i32) -> anyhow::Result<Self> {
        Ok(Self(clock_getcpuclockid(Pid::from_raw(pid)).with_context(|| format!("process {pid}"))?))
    }

    /// User and system time so far, in nanoseconds.
    pub(crate) fn nanoseconds(self) -> anyhow::Result<u64> {
        let time = self.0.now()?;
        let (seconds, rest) = (u64::try_from(time.tv_sec())?, u64::try_from(time.tv_nsec())?);
        Ok(seconds * 1_000_000_000 + rest)
    }
}
