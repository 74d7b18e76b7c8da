//! A gateway whose ledger is filled while it is stopped.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{bench::start_gateway, device::Device, gateway::Gateway, process};

/// The first serial number of what is filled in: 16 octets, as those that the gateway gives.
pub(in crate::bench) const FIRST_SERIAL: &str = "40000000000000000000000000000000";
/// Fills the ledger.
const SEED: &str = include_str!("seed.py");
/// Its data directory, in the folder of the run.
const NAME: &str = "status";
/// Longest that a million takes, on a slow disk.
const SEED_SECONDS: u32 = 300;

/// The ledger of a gateway that is not running.
pub(in crate::bench) struct SeededLedger<'w> {
    work: &'w Path,
    /// Certificates that were filled in.
    pub(in crate::bench) issued: u32,
}

impl<'w> SeededLedger<'w> {
    /// The ledger of a gateway that has issued one certificate.
    pub(in crate::bench) fn prepare(work: &'w Path) -> Result<Self> {
        let gateway = start_gateway(work, NAME)?;
        let mut device = Device::new(&gateway, work, "status-device")?;
        device.request("ec -pkeyopt ec_paramgen_curve:P-256")?;
        device.enroll("")?;
        gateway.stop()?;
        Ok(Self { work, issued: 0 })
    }

    /// The folder of the run.
    pub(in crate::bench) fn work(&self) -> &Path {
        self.work
    }

    /// The data directory.
    pub(in crate::bench) fn data_dir(&self) -> PathBuf {
        self.work.join(NAME)
    }

    /// Fills in, until there are `count` certificates at the least.
    pub(in crate::bench) fn issue(&mut self, count: u32) -> Result<()> {
        if count > self.issued {
            println!("the ledger is filled with {count} certificates");
            self.seed("issued", count)?;
            self.issued = count;
        }
        Ok(())
    }

    /// Has `count` of them revoked.
    pub(in crate::bench) fn revoke(&mut self, count: u32) -> Result<()> {
        println!("{count} of them are revoked");
        if count > 0 { self.seed("revoked", count) } else { Ok(()) }
    }

    /// Starts the gateway upon it.
    pub(in crate::bench) fn start(&self) -> Result<Gateway> {
        start_gateway(self.work, NAME)
    }

    fn seed(&self, what: &str, count: u32) -> Result<()> {
        let mut command = process::limited(SEED_SECONDS, "python3");
        command.args(["-c", SEED]).arg(self.data_dir().join("ledger.db"));
        process::output(command.args([FIRST_SERIAL, what]).arg(count.to_string())).map(drop)
    }
}
