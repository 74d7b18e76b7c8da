//! What the tests need from outside: Debian packages, and a linter in a virtual environment.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    cargo, process,
    report::{Outcome, Report},
};

/// The linter of certificates, pinned: a newer one may find more.
const PKILINT: &str = "pkilint==0.13.3";

/// A program and the Debian packages that bring it.
struct Tool {
    program: &'static str,
    packages: &'static [&'static str],
}

/// Every program that some test starts.
const TOOLS: [Tool; 13] = [
    Tool { program: "openssl", packages: &["openssl"] },
    Tool { program: "curl", packages: &["curl"] },
    Tool { program: "strace", packages: &["strace"] },
    Tool { program: "dumpasn1", packages: &["dumpasn1"] },
    Tool { program: "certtool", packages: &["gnutls-bin"] },
    Tool { program: "botan", packages: &["botan"] },
    Tool { program: "faketime", packages: &["faketime"] },
    Tool { program: "sqlite3", packages: &["sqlite3"] },
    Tool { program: "valgrind", packages: &["valgrind"] },
    Tool { program: "acme-tiny", packages: &["acme-tiny"] },
    Tool { program: "lego", packages: &["lego"] },
    Tool { program: "certbot", packages: &["certbot"] },
    Tool {
        program: "pki",
        packages: &["strongswan-pki", "strongswan-libcharon", "libstrongswan-extra-plugins", "libstrongswan-standard-plugins"],
    },
];

/// Where the linter is, whether it was installed or not.
pub(crate) fn pkilint() -> Result<PathBuf> {
    Ok(environment()?.join("bin/lint_pkix_cert"))
}

/// Installs what is missing, or only says so: what needs it is then skipped where it stands.
pub(crate) fn all(report: &mut Report, may_install: bool) -> Result<()> {
    report.check("Debian packages", || packages(may_install));
    report.check(PKILINT, || linter(may_install));
    Ok(())
}

/// Packages of the programs that the shell does not find.
fn packages(may_install: bool) -> Result<Outcome> {
    let mut missing: Vec<&str> =
        TOOLS.iter().filter(|tool| !process::found(tool.program)).flat_map(|tool| tool.packages).copied().collect();
    if !can_make_environments() {
        missing.push("python3-venv");
    }
    if missing.is_empty() {
        return Ok(Outcome::Passed);
    }
    let list = missing.join(" ");
    if !may_install {
        return Ok(Outcome::Skipped(format!("--no-install; missing: {list}")));
    }
    if !is_root()? {
        return Ok(Outcome::Skipped(format!("only root may install; missing: {list}")));
    }
    println!("        installing {list}");
    process::output(&mut apt(&["update"]))?;
    process::output(apt(&["install", "--yes", "--no-install-recommends"]).args(missing))?;
    Ok(Outcome::Passed)
}

/// A virtual environment of its own: Debian's Python takes no packages from elsewhere.
fn linter(may_install: bool) -> Result<Outcome> {
    let environment = environment()?;
    let pip = environment.join("bin/pip");
    if pkilint()?.exists() {
        return Ok(Outcome::Passed);
    }
    if !may_install {
        return Ok(Outcome::Skipped("--no-install; missing: pkilint".to_owned()));
    }
    if !can_make_environments() {
        return Ok(Outcome::Skipped("python3 cannot make virtual environments".to_owned()));
    }
    println!("        installing {PKILINT} into {}", environment.display());
    process::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    let options = ["install", "--quiet", "--disable-pip-version-check"];
    process::output(Command::new(pip).args(options).arg(PKILINT))?;
    Ok(Outcome::Passed)
}

fn environment() -> Result<PathBuf> {
    Ok(cargo::target_directory()?.join("pkilint"))
}

/// Debian parts `ensurepip` from its Python; other installations have it.
fn can_make_environments() -> bool {
    process::succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"]))
}

fn is_root() -> Result<bool> {
    Ok(process::stdout(Command::new("id").arg("-u")).context("who am I?")?.trim() == "0")
}

fn apt(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
