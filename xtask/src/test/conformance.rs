//! The conformance suites against the shipped gateway: in both readings, with every kind of device key, and each clause once more with
//! the mutation that it must notice.

use std::{fmt::Write, path::Path, path::PathBuf};

use anyhow::{Context, Result, anyhow};

use crate::{
    conformance_cli::{Skipped, SuiteRun, describe, run_suite},
    gateway::Gateway,
    process,
    report::Report,
};

/// The suites whose protocols the gateway serves.
const SUITES: [&str; 2] = ["est", "x509"];
/// Kinds of device keys beside the usual one, P-256.
const KEYS: [&str; 5] = ["p384", "rsa2048", "rsa3072", "rsa4096", "ed25519"];
/// The clauses in which the device's key plays a part.
const KEYED: [&str; 14] = ["E12", "E14", "E16", "E17", "E24", "E25", "E26", "E27", "E28", "E29", "E30", "E31", "E32", "E35"];

/// Beside the embedded profile: one that a person approves, one whose certificates last for seconds, and one that demands a curve.
const PROFILES: &str = "\
[[profile]]
name = \"default\"
authority = \"default\"

[[profile]]
name = \"manual\"
authority = \"default\"
approval = \"manual\"

[[profile]]
name = \"short\"
authority = \"default\"
validity = \"4s\"
backdate = \"1s\"

[[profile]]
name = \"demanding\"
authority = \"default\"
key_types = [\"p384\"]
";

/// Its endpoints, each with what is special about it.
const ENDPOINTS: [(&str, &str); 4] =
    [("default", ""), ("manual", "retry_after = \"1s\""), ("short", ""), ("demanding", "channel_binding = \"required\"")];

/// What a target says of them beside what the gateway's data directory tells: the curve is P-384.
const DEMANDS: &str = "1.3.132.0.34";

/// Every suite in every way. Both readings at the same time, each with a gateway of its own: most of it is waiting.
pub(super) fn all(report: &mut Report, quick: bool) -> Result<()> {
    let work = tempfile::tempdir()?;
    let skipped = Skipped::default();
    if quick {
        report.skip("conformance, mutated and with other device keys", "--quick");
    }
    let reports = std::thread::scope(|scope| {
        let threads = ["compatible", "strict"].map(|reading| {
            let (folder, skipped) = (work.path().join(reading), &skipped);
            scope.spawn(move || {
                let mut report = Report::default();
                against(&folder, reading, &runs(reading, quick), skipped, &mut report).map(|()| report)
            })
        });
        threads.map(|thread| thread.join().unwrap_or_else(|_| Err(anyhow!("a thread panicked"))))
    });
    for one in reports {
        report.absorb(one?);
    }
    Ok(())
}

/// What is run against a gateway of this reading.
fn runs(reading: &str, quick: bool) -> Vec<SuiteRun<'_>> {
    let plain = |suite| SuiteRun { suite, reading, device_key: "p256", clauses: &[], prove_mutations: false };
    let mut runs = vec![plain("est")];
    if reading == "compatible" {
        runs.push(plain("x509"));
        if !quick {
            runs.extend(SUITES.map(|suite| SuiteRun { prove_mutations: true, ..plain(suite) }));
        }
    }
    if !quick {
        runs.extend(KEYS.iter().map(|device_key| SuiteRun { device_key, clauses: &KEYED, ..plain("est") }));
    }
    runs
}

/// Runs suites against a gateway with a data directory of its own.
fn against(folder: &Path, reading: &str, runs: &[SuiteRun], skipped: &Skipped, report: &mut Report) -> Result<()> {
    std::fs::create_dir(folder)?;
    let config = folder.join("certgate.toml");
    std::fs::write(&config, configuration(reading)?).context("write certgate.toml")?;
    let clock = Clock::new(folder)?;
    let gateway = Gateway::start_configured(&folder.join("data"), &clock.wrapper(), Some(&config))?;
    let target = complete(&describe(&gateway, folder)?, &clock)?;
    for &run in runs {
        if let Err(error) = run_suite(run, &target, skipped, report) {
            report.fail(&format!("conformance {}", run.suite), &format!("{error:#}"));
        }
    }
    gateway.stop()
}

fn configuration(reading: &str) -> Result<String> {
    let mut text = PROFILES.to_owned();
    for (name, more) in ENDPOINTS {
        write!(
            text,
            "\n[[endpoint]]\nprotocol = \"est\"\nname = \"{name}\"\nprofile = \"{name}\"\nreading = \"{reading}\"\n{more}\n"
        )?;
    }
    Ok(text)
}

/// Adds to a target what its gateway was configured with, and how its clock is set.
fn complete(target: &Path, clock: &Clock) -> Result<PathBuf> {
    let text = std::fs::read_to_string(target)?;
    let mut table: toml::Table = text.parse().context("target.toml")?;
    let est = table.get_mut("est").and_then(toml::Value::as_table_mut).context("target.toml has no [est]")?;
    let url = est.get("url").and_then(toml::Value::as_str).context("target.toml names no url")?.to_owned();
    for label in ["manual", "short", "demanding"] {
        est.insert(format!("{label}_url"), format!("{url}/{label}").into());
    }
    est.insert("demands".into(), vec![DEMANDS].into());
    if let Some(hook) = clock.hook() {
        let hooks = table.get_mut("hooks").and_then(toml::Value::as_table_mut).context("target.toml has no [hooks]")?;
        hooks.insert("set_time".into(), hook.into());
    }
    std::fs::write(target, table.to_string())?;
    Ok(target.to_owned())
}

/// The gateway's clock, where libfaketime can set it.
struct Clock {
    /// What the library reads at every look at the clock: seconds to add.
    offset: PathBuf,
    library: Option<PathBuf>,
}

impl Clock {
    fn new(folder: &Path) -> Result<Self> {
        let offset = folder.join("offset");
        std::fs::write(&offset, "+0\n")?;
        // Debian has it in a folder of the machine's architecture.
        let found =
            process::attempt(std::process::Command::new("sh").args(["-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1"]))?;
        let path = String::from_utf8_lossy(&found.stdout).trim().to_owned();
        Ok(Self { offset, library: found.status.success().then(|| path.into()) })
    }

    /// The command that the gateway is started under.
    fn wrapper(&self) -> Vec<String> {
        let Some(library) = &self.library else { return Vec::new() };
        vec![
            "env".into(),
            format!("LD_PRELOAD={}", library.display()),
            format!("FAKETIME_TIMESTAMP_FILE={}", self.offset.display()),
            "FAKETIME_NO_CACHE=1".into(),
            // What waits for a while goes on waiting for that while.
            "FAKETIME_DONT_FAKE_MONOTONIC=1".into(),
        ]
    }

    /// Sets it to `{time}`.
    fn hook(&self) -> Option<Vec<String>> {
        self.library.as_ref()?;
        let script = "offset=$(( $(date -d \"$1\" +%s) - $(date +%s) )); \
                      case $offset in -*) ;; *) offset=+$offset ;; esac; echo \"$offset\" > \"$2\"";
        let words = ["sh", "-c", script, "set_time", "{time}"].map(str::to_owned);
        Some(words.into_iter().chain([self.offset.display().to_string()]).collect())
    }
}
