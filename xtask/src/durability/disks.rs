//! Disks that are full, read-only or damaged; backups that are made meanwhile, and a data directory that comes back from one. What is
//! mounted for that needs root.

use std::{path::Path, process::Command};

use anyhow::Result;

use super::steps::GATEWAY;
use super::trace;
use crate::process;
use crate::python::{self, Needs, Script, Stage};
use crate::report::{Outcome, Report};

/// A device that enrolls.
const DEVICE: Script = ("device.py", include_str!("disks/device.py"));
/// How long each may take.
const SECONDS: u32 = 400;
/// Octets of the disk that fills up; of the one that turns read-only, which has a journal.
const SMALL: &str = "8m";
const LARGER: &str = "32m";

/// What a scenario has its data directory on.
#[derive(Clone, Copy)]
enum Disk {
    /// Any.
    Any,
    /// A small one in memory.
    Memory,
    /// ext4 in a file.
    Ext4,
}

/// A scenario, and the script that plays it.
struct Scenario {
    title: &'static str,
    script: &'static str,
    disk: Disk,
    needs: Needs,
}

const SCENARIOS: [Scenario; 5] = [
    Scenario {
        title: "a full disk: later, in each protocol, and nothing that was told is lost",
        script: include_str!("disks/full.py"),
        disk: Disk::Memory,
        needs: Needs { programs: &["openssl", "pki"], modules: "acme, josepy, cryptography" },
    },
    Scenario {
        title: "a disk that turns read-only: nobody is told what is not so",
        script: include_str!("disks/read_only.py"),
        disk: Disk::Ext4,
        needs: Needs { programs: &["openssl", "mke2fs", "e2fsck"], modules: "ssl" },
    },
    Scenario {
        title: "a ledger with damaged pages says so, and comes back from a backup",
        script: include_str!("disks/damaged.py"),
        disk: Disk::Any,
        needs: Needs { programs: &["openssl"], modules: "ssl" },
    },
    Scenario {
        title: "backups are made while devices enroll",
        script: include_str!("disks/backups.py"),
        disk: Disk::Any,
        needs: Needs { programs: &["openssl"], modules: "ssl, sqlite3" },
    },
    Scenario {
        title: "a restore is killed at each step: what was there, or what came",
        script: include_str!("disks/crashes.py"),
        disk: Disk::Any,
        needs: Needs { programs: &["strace"], modules: "ssl" },
    },
];

pub(super) fn all(report: &mut Report) {
    for scenario in &SCENARIOS {
        report.check(scenario.title, || play(scenario));
    }
}

fn play(scenario: &Scenario) -> Result<Outcome> {
    if let Some(skipped) = scenario.needs.missing() {
        return Ok(skipped);
    }
    if scenario.needs.programs.contains(&"strace") && trace::is_forbidden(&[]) {
        return Ok(trace::forbidden());
    }
    let script = ("scenario.py", scenario.script);
    let stage = Stage::new([GATEWAY, DEVICE, script])?;
    let Some(_mounted) = Mounted::new(scenario.disk, stage.path())? else {
        return Ok(Outcome::Skipped("nothing can be mounted here: that needs root".to_owned()));
    };
    python::play(&mut stage.command(SECONDS, script.0)?)
}

/// The data directory of a scenario, on a disk of its own. It is unmounted with this value.
struct Mounted {
    folder: Option<std::path::PathBuf>,
}

impl Mounted {
    /// `None` where nothing can be mounted.
    fn new(disk: Disk, work: &Path) -> Result<Option<Self>> {
        let folder = work.join("data");
        let mut mount = Command::new("mount");
        match disk {
            Disk::Any => return Ok(Some(Self { folder: None })),
            Disk::Memory => mount.args(["-t", "tmpfs", "-o", &format!("size={SMALL},mode=700"), "none"]),
            Disk::Ext4 => {
                let image = work.join("disk");
                process::output(Command::new("mke2fs").args(["-q", "-t", "ext4"]).arg(&image).arg(LARGER))?;
                mount.args(["-o", "loop"]).arg(&image)
            }
        };
        std::fs::create_dir(&folder)?;
        if !process::succeeds(mount.arg(&folder)) {
            return Ok(None);
        }
        Ok(Some(Self { folder: Some(folder) }))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // What is still in use is let go of when whoever uses it ends.
            let _ = process::succeeds(Command::new("umount").arg("--lazy").arg(folder));
        }
    }
}
