//! libfaketime: a clock of the wall that is moved while programs run.

use std::{path::Path, process::Command};

use anyhow::Result;

use crate::process;

/// The environment of programs whose clock is off by what is in this file, in seconds with their sign; nothing where the library is not
/// installed.
pub(crate) fn environment(offset: &Path) -> Result<Option<Vec<(String, String)>>> {
    // Debian has it in a folder of the machine's architecture.
    let found = process::attempt(Command::new("sh").args(["-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1"]))?;
    if !found.status.success() {
        return Ok(None);
    }
    let library = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    let variables = [
        ("LD_PRELOAD", library),
        ("FAKETIME_TIMESTAMP_FILE", offset.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        // What waits for a while goes on waiting for that while.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    Ok(Some(variables.map(|(name, value)| (name.to_owned(), value)).into()))
}
