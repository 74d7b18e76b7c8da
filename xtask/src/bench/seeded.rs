//! A gateway whose ledger is filled while it is stopped.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::start_gateway;
use crate::{device::Device, gateway::Gateway, process};

/// The first serial number of what is filled in: 16 octets, as those that the gateway gives.
pub(super) const FIRST_SERIAL: &str = "40000000000000000000000000000000";
/// Fills the ledger.
const SEED: &str = include_str!("seed.py");
/// Longest that a million takes, on a slow disk.
const SEED_SECONDS: u32 = 300;

/// The ledger of a gateway that is not running.
pub(super) struct SeededLedger<'w> {
    work: &'w Path,
    /// Of its data directory, in the folder of the run.
    name: &'static str,
    /// Certificates that were filled in.
    pub(super) issued: u32,
}

impl<'w> SeededLedger<'w> {
    /// The ledger of a gateway that has issued one certificate, in a data directory of this name.
    pub(super) fn prepare(work: &'w Path, name: &'static str) -> Result<Self> {
        let gateway = start_gateway(work, name)?;
        let mut device = Device::new(&gateway, work, &format!("{name}-device"))?;
        device.request("ec -pkeyopt ec_paramgen_curve:P-256")?;
        device.enroll("")?;
        gateway.stop()?;
        Ok(Self { work, name, issued: 0 })
    }

    /// The folder of the run.
    pub(super) fn work(&self) -> &Path {
        self.work
    }

    /// The data directory.
    pub(super) fn data_dir(&self) -> PathBuf {
        self.work.join(self.name)
    }

    /// Fills in, until there are `count` certificates at the least.
    pub(super) fn issue(&mut self, count: u32) -> Result<()> {
        if count > self.issued {
            println!("the ledger is filled with {count} certificates");
            self.seed("issued", count)?;
            self.issued = count;
        }
        Ok(())
    }

    /// Has `count` of them revoked.
    pub(super) fn revoke(&mut self, count: u32) -> Result<()> {
        println!("{count} of them are revoked");
        if count > 0 { self.seed("revoked", count) } else { Ok(()) }
    }

    /// Starts the gateway upon it.
    pub(super) fn start(&self) -> Result<Gateway> {
        start_gateway(self.work, self.name)
    }

    fn seed(&self, what: &str, count: u32) -> Result<()> {
        let mut command = process::limited(SEED_SECONDS, "python3");
        command.args(["-c", SEED]).arg(self.data_dir().join("ledger.db"));
        process::output(command.args([FIRST_SERIAL, what]).arg(count.to_string())).map(drop)
    }
}
