//! The conformance suites against the shipped gateway: in both readings, with every kind of device key, and each clause once more with
//! the mutation that it must notice.

use std::{fmt::Write, path::Path, path::PathBuf};

use anyhow::{Context, Result, anyhow};

use crate::{
    conformance_cli::{Skipped, SuiteRun, describe, run_suite},
    faketime,
    gateway::{Gateway, free_port, validating_here},
    report::Report,
};

/// The reading that endpoints have if nothing else is said.
const COMPATIBLE: &str = "compatible";
/// Kinds of device keys beside the usual one, P-256.
const KEYS: [&str; 5] = ["p384", "rsa2048", "rsa3072", "rsa4096", "ed25519"];
/// The kind of keys that devices of SCEP have, and others: their certificates are encrypted to them.
const SCEP_KEY: &str = "rsa2048";
const OTHER_SCEP_KEYS: [&str; 2] = ["rsa3072", "rsa4096"];
/// The clauses in which the device's key plays a part.
const KEYED: [&str; 14] = ["E12", "E14", "E16", "E17", "E24", "E25", "E26", "E27", "E28", "E29", "E30", "E31", "E32", "E35"];

/// The same for the keys of ACME's CSRs.
const KEYED_ACME: [&str; 4] = ["A49", "A50", "A51", "A52"];

/// Beside the embedded authorities, of which the issuing one has deltas: one whose CRLs are sharded, and one whose responder says revoked
/// of what was never issued.
const AUTHORITIES: &str = "\
[[authority]]
name = \"root\"
subject = \"CN=certgate Root CA\"

[[authority]]
name = \"default\"
issuer = \"root\"
subject = \"CN=certgate Issuing CA\"
validity = \"1825d\"
crl = { delta = \"1h\" }
ocsp = { reading = \"READING\" }

[[authority]]
name = \"sharded\"
issuer = \"root\"
subject = \"CN=certgate Sharded CA\"
validity = \"1825d\"
crl = { shards = 3, delta = \"1h\" }

[[authority]]
name = \"unissued\"
issuer = \"root\"
subject = \"CN=certgate Unissued CA\"
validity = \"1825d\"
ocsp = { unissued = \"revoked\" }
";

/// Beside the embedded profile: one that a person approves, one whose certificates last for seconds, one that demands a curve, and one of
/// the authority with shards.
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

[[profile]]
name = \"sharded\"
authority = \"sharded\"
";

/// Its endpoints of EST, each with what is special about it.
const ENDPOINTS: [(&str, &str); 5] = [
    ("default", ""),
    ("manual", "retry_after = \"1s\""),
    ("short", ""),
    ("demanding", "channel_binding = \"required\""),
    ("sharded", ""),
];

/// Its endpoints of SCEP: with their profiles of the same names.
const SCEP_ENDPOINTS: [&str; 2] = ["default", "manual"];
/// Its endpoints of ACME.
const ACME_ENDPOINTS: [&str; 2] = ["default", "manual"];

/// What a target says of them beside what the gateway's data directory tells: the curve is P-384.
const DEMANDS: &str = "1.3.132.0.34";

/// Every suite in every way. Lanes run at the same time, each with a gateway of its own: most of it is waiting.
pub(super) fn all(report: &mut Report, quick: bool) -> Result<()> {
    let work = tempfile::tempdir()?;
    let skipped = Skipped::default();
    if quick {
        report.skip("conformance, mutated and with other device keys", "--quick");
    }
    let reports = std::thread::scope(|scope| {
        let threads = LANES.map(|lane| {
            let (folder, skipped) = (work.path().join(lane.name), &skipped);
            scope.spawn(move || {
                let mut report = Report::default();
                against(&folder, lane.reading, &lane.runs(quick), skipped, &mut report).map(|()| report)
            })
        });
        threads.map(|thread| thread.join().unwrap_or_else(|_| Err(anyhow!("a thread panicked"))))
    });
    for one in reports {
        report.absorb(one?);
    }
    Ok(())
}

/// What is run against one gateway.
#[derive(Clone, Copy)]
struct Lane {
    name: &'static str,
    reading: &'static str,
    suites: &'static [&'static str],
}

/// Of about the same length. But for EST and OCSP there is one reading.
const LANES: [Lane; 3] = [
    Lane { name: "strict", reading: "strict", suites: &["est", "ocsp"] },
    Lane { name: COMPATIBLE, reading: COMPATIBLE, suites: &["est", "ocsp", "crl"] },
    Lane { name: "others", reading: COMPATIBLE, suites: &["x509", "acme", "scep"] },
];

impl Lane {
    /// Suites as they are, then once more with each clause's mutation, then with other keys of devices.
    fn runs(&self, quick: bool) -> Vec<SuiteRun<'static>> {
        let reading = self.reading;
        let plain = |suite: &'static str| {
            let device_key = if suite == "scep" { SCEP_KEY } else { "p256" };
            SuiteRun { suite, reading, device_key, clauses: &[], prove_mutations: false }
        };
        let mut runs: Vec<SuiteRun<'_>> = self.suites.iter().copied().map(plain).collect();
        if quick {
            return runs;
        }
        if reading == COMPATIBLE {
            runs.extend(self.suites.iter().map(|suite| SuiteRun { prove_mutations: true, ..plain(suite) }));
        }
        for suite in self.suites {
            let (keys, clauses): (&[&str], &[&str]) = match *suite {
                "est" => (&KEYS, &KEYED),
                "acme" => (&KEYS, &KEYED_ACME),
                "scep" => (&OTHER_SCEP_KEYS, &[]),
                _ => (&[], &[]),
            };
            runs.extend(keys.iter().map(|device_key| SuiteRun { device_key, clauses, ..plain(suite) }));
        }
        runs
    }
}

/// Runs suites against a gateway with a data directory of its own.
fn against(folder: &Path, reading: &str, runs: &[SuiteRun], skipped: &Skipped, report: &mut Report) -> Result<()> {
    std::fs::create_dir(folder)?;
    let config = folder.join("certgate.toml");
    let ports = Ports { http01: free_port()?, dns: free_port()? };
    std::fs::write(&config, configuration(reading, &ports)?).context("write certgate.toml")?;
    let clock = Clock::new(folder)?;
    let restarts = Restarts { flag: folder.join("restart"), data_dir: folder.join("data") };
    let listeners = [free_port()?, free_port()?, free_port()?];
    let wrapper = [restarts.wrapper(), clock.wrapper()].concat();
    let gateway = Gateway::start_on(listeners, &restarts.data_dir, &wrapper, Some(&config))?;
    let target = complete(&describe(&gateway, folder)?, (&clock, &restarts), &ports)?;
    for &run in runs {
        if let Err(error) = run_suite(run, &target, skipped, report) {
            report.fail(&format!("conformance {}", run.suite), &format!("{error:#}"));
        }
    }
    gateway.stop()
}

/// Ports on which the suite answers the gateway.
struct Ports {
    /// TCP.
    http01: u16,
    /// UDP.
    dns: u16,
}

fn configuration(reading: &str, ports: &Ports) -> Result<String> {
    let mut text = AUTHORITIES.replace("READING", reading) + "\n" + PROFILES;
    let Ports { http01, dns } = ports;
    write!(text, "\n{}", validating_here(*http01, *dns))?;
    for name in ACME_ENDPOINTS {
        write!(text, "\n[[endpoint]]\nprotocol = \"acme\"\nname = \"{name}\"\nprofile = \"{name}\"\n")?;
    }
    for (name, more) in ENDPOINTS {
        write!(
            text,
            "\n[[endpoint]]\nprotocol = \"est\"\nname = \"{name}\"\nprofile = \"{name}\"\nreading = \"{reading}\"\n{more}\n"
        )?;
    }
    for name in SCEP_ENDPOINTS {
        write!(text, "\n[[endpoint]]\nprotocol = \"scep\"\nname = \"{name}\"\nprofile = \"{name}\"\n")?;
    }
    Ok(text)
}

/// Adds to a target what its gateway was configured with, and how its clock is set.
fn complete(target: &Path, (clock, restarts): (&Clock, &Restarts), ports: &Ports) -> Result<PathBuf> {
    let text = std::fs::read_to_string(target)?;
    let mut table: toml::Table = text.parse().context("target.toml")?;
    let est = part(&mut table, "est")?;
    let url = text_of(est, "url")?;
    for label in ["manual", "short", "demanding"] {
        est.insert(format!("{label}_url"), format!("{url}/{label}").into());
    }
    est.insert("demands".into(), vec![DEMANDS].into());
    let sharded = format!("{url}/sharded");
    part(&mut table, "crl")?.insert("sharded_est_url".into(), sharded.into());
    let ocsp = part(&mut table, "ocsp")?;
    let unissued = text_of(ocsp, "url")?.strip_suffix("default").context("another responder than the default one")?.to_owned();
    ocsp.insert("unissued_revoked_url".into(), (unissued + "unissued").into());
    let issuer = restarts.data_dir.join("ca/unissued.pem").display().to_string();
    ocsp.insert("unissued_revoked_issuer_file".into(), issuer.into());
    let scep = part(&mut table, "scep")?;
    let manual =
        text_of(scep, "url")?.strip_suffix("default").context("another endpoint of SCEP than the default one")?.to_owned();
    scep.insert("manual_url".into(), (manual + "manual").into());
    let acme = part(&mut table, "acme")?;
    let manual = text_of(acme, "directory")?.replace("/acme/default/", "/acme/manual/");
    acme.insert("manual_directory".into(), manual.into());
    acme.insert("http01_port".into(), i64::from(ports.http01).into());
    acme.insert("dns_port".into(), i64::from(ports.dns).into());
    let hooks = part(&mut table, "hooks")?;
    hooks.insert("restart".into(), restarts.hook().into());
    if let Some(hook) = clock.hook() {
        hooks.insert("set_time".into(), hook.into());
    }
    std::fs::write(target, table.to_string())?;
    Ok(target.to_owned())
}

/// A table of a target.
fn part<'t>(target: &'t mut toml::Table, name: &str) -> Result<&'t mut toml::Table> {
    let table = target.get_mut(name).and_then(toml::Value::as_table_mut);
    table.with_context(|| format!("target.toml has no [{name}]"))
}

/// A text in such a table.
fn text_of(table: &toml::Table, name: &str) -> Result<String> {
    let text = table.get(name).and_then(toml::Value::as_str);
    Ok(text.with_context(|| format!("target.toml names no {name}"))?.to_owned())
}

/// How the gateway is restarted: it is told to end, and a shell around it starts it again, on the same ports.
struct Restarts {
    /// A file that is there when it is to be started again.
    flag: PathBuf,
    data_dir: PathBuf,
}

impl Restarts {
    /// The command that the gateway is started under.
    fn wrapper(&self) -> Vec<String> {
        let script = "flag=$1; shift; while :; do \"$@\"; status=$?; [ -e \"$flag\" ] || exit $status; rm \"$flag\"; done";
        ["sh", "-c", script, "again"].map(str::to_owned).into_iter().chain([self.flag.display().to_string()]).collect()
    }

    /// Ends it, and waits until another process is ready.
    fn hook(&self) -> Vec<String> {
        let script = "pid() { sed -n 's/.*\"pid\": *\\([0-9]*\\).*/\\1/p' \"$2/run.json\" 2>/dev/null; }; \
                      old=$(pid \"$@\"); touch \"$1\"; kill -TERM \"$old\"; \
                      for _ in $(seq 250); do new=$(pid \"$@\"); [ -n \"$new\" ] && [ \"$new\" != \"$old\" ] && exit 0; sleep 0.1; done; \
                      echo 'it was not ready again within 25 s' >&2; exit 1";
        let files = [&self.flag, &self.data_dir].map(|path| path.display().to_string());
        ["sh", "-c", script, "restart"].map(str::to_owned).into_iter().chain(files).collect()
    }
}

/// The gateway's clock, where libfaketime can set it.
struct Clock {
    /// What the library reads at every look at the clock: seconds to add.
    offset: PathBuf,
    /// What programs of this clock have in their environment, where there is the library.
    environment: Option<Vec<(String, String)>>,
}

impl Clock {
    fn new(folder: &Path) -> Result<Self> {
        let offset = folder.join("offset");
        std::fs::write(&offset, "+0\n")?;
        let environment = faketime::environment(&offset)?;
        Ok(Self { offset, environment })
    }

    /// The command that the gateway is started under.
    fn wrapper(&self) -> Vec<String> {
        let Some(variables) = &self.environment else { return Vec::new() };
        let variables = variables.iter().map(|(name, value)| format!("{name}={value}"));
        std::iter::once("env".to_owned()).chain(variables).collect()
    }

    /// Sets it to `{time}`.
    fn hook(&self) -> Option<Vec<String>> {
        self.environment.as_ref()?;
        let script = "offset=$(( $(date -d \"$1\" +%s) - $(date +%s) )); \
                      case $offset in -*) ;; *) offset=+$offset ;; esac; echo \"$offset\" > \"$2\"";
        let words = ["sh", "-c", script, "set_time", "{time}"].map(str::to_owned);
        Some(words.into_iter().chain([self.offset.display().to_string()]).collect())
    }
}
