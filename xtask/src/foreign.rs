//! Clients and linters that others wrote, against the shipped gateway. Each check is a shell script as
//! one would type it; a program that is not installed skips it by name.

mod acme;
mod audit;
mod authority;
mod ceremony;
mod certificates;
mod introduction;
pub(crate) mod key_matrix;
mod offline_root;
mod scep;
mod status;
mod strongswan;
mod takeover;
mod wire;

use std::{ffi::OsStr, path::Path};

use anyhow::Result;

use crate::{
    cargo,
    device::Device,
    gateway::Gateway,
    install::pkilint,
    process,
    report::{Outcome, Report},
};

/// One check.
struct Line {
    /// What it is counted under.
    title: &'static str,
    /// Programs it starts.
    needs: &'static [&'static str],
    /// What to type, in a device's folder.
    script: &'static str,
}

/// The shell function `clean FILE`: the file is strict DER. That a date is after January 2038 is no
/// fault, though dumpasn1 counts it as an error. It looks for values within octet strings, and takes a
/// hash or a nonce for one whenever its second octet happens to be the right length: they are made plain.
macro_rules! clean_der {
    () => {
        r#"
clean() {
  perl -0777 -pe 's/(\x55\x1d\x0e\x04\x16\x04\x14).{20}/$1."U"x20/gse; s/(\x01\x09[\x05\x06]\x31\x12\x04\x10).{16}/$1."U"x16/gse;
    s/(\x01\x09\x04\x31\x22\x04\x20).{32}/$1."U"x32/gse; s/(\x01\x09\x04\x31\x42\x04\x40).{64}/$1."U"x64/gse' "$1" > plain.der
  dumpasn1 -a plain.der > dump.txt 2>&1 || true
  late=$(grep -c 'cannot be represented in a 32-bit time_t' dump.txt || true)
  tail -n 1 dump.txt | grep -E "^0 warnings, $late errors?[.]$" || { cat dump.txt; exit 1; }
}
"#
    };
}
use clean_der;

/// Everything, against one gateway that starts for the first time.
pub(crate) fn all(report: &mut Report) -> Result<()> {
    let work = tempfile::tempdir()?;
    let gateway = Gateway::start(&work.path().join("data"), &[])?;
    report.must("first device, as the gateway introduces itself", || introduction::follow(&gateway));
    authority::all(&gateway, work.path(), report)?;
    certificates::all(&gateway, work.path(), report)?;
    wire::all(&gateway, work.path(), report)?;
    strongswan::all(&gateway, work.path(), report)?;
    scep::all(&gateway, work.path(), report)?;
    status::all(&gateway, work.path(), report)?;
    acme::all(work.path(), report)?;
    ceremony::all(work.path(), report)?;
    audit::all(work.path(), report)?;
    offline_root::all(work.path(), report)?;
    takeover::all(work.path(), report)?;
    report.must("SIGTERM ends the gateway", || gateway.stop());
    Ok(())
}

/// Runs a line for a device that has what the line reads; `CERTGATE` and `DATA` are the operator's.
fn run(line: &Line, device: &Device, data_dir: &Path, report: &mut Report) {
    run_with(line, device, (data_dir, &[]), report);
}

/// The same, with variables more.
fn run_with(line: &Line, device: &Device, (data_dir, more): (&Path, &[(&str, &OsStr)]), report: &mut Report) {
    report.check(&format!("{}: {}", line.title, device.name()), || {
        let linter = pkilint()?;
        let is_missing = |program: &str| match program {
            "lint_pkix_cert" => !linter.exists(),
            _ => !process::found(program),
        };
        if let Some(missing) = line.needs.iter().find(|program| is_missing(program)) {
            return Ok(Outcome::Skipped(format!("{missing} is not installed")));
        }
        let certgate = cargo::release_binary("certgate")?;
        let own = [("LINT", linter.as_os_str()), ("DATA", data_dir.as_os_str()), ("CERTGATE", certgate.as_os_str())];
        device.script(line.script, &[&own, more].concat())?;
        Ok(Outcome::Passed)
    });
}
