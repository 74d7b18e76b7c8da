//! Hostile input over sockets: each kind is answered as its protocol wants it or turned away, and counted; nobody else is served worse meanwhile,
//! and memory stays within bounds.

use anyhow::Result;

use crate::gateway::Gateway;
use crate::process::{self, PYTHON};
use crate::python::{self, Script, Stage};
use crate::report::{Outcome, Report};

const SCRIPTS: [Script; 6] = [
    ("attacks.py", include_str!("hostile/attacks.py")),
    ("bystanders.py", include_str!("hostile/bystanders.py")),
    ("counted.py", include_str!("hostile/counted.py")),
    ("smuggling.py", include_str!("hostile/smuggling.py")),
    ("waiting.py", include_str!("hostile/waiting.py")),
    ("wire.py", include_str!("hostile/wire.py")),
];
/// How long one attack may take.
const SECONDS: u32 = 180;
/// Limits that are soon over: what is slow is seen to be cut at whatever is configured.
const SHORT_LIMITS: &str = "[limits]\nhandshake = \"3s\"\nhead = \"4s\"\nbody = \"5s\"\nwrite = \"3s\"\n";

/// An attack, what it shows, and how much more memory it may have the gateway take, MiB.
struct Attack {
    name: &'static str,
    shows: &'static str,
    memory: u32,
}

/// Attacks upon a gateway with the limits that it has by itself.
const ATTACKS: [Attack; 9] = [
    Attack { name: "garbage", shows: "garbage is turned away", memory: 8 },
    Attack { name: "truncated", shows: "requests that end too early are not answered as if they were whole", memory: 8 },
    Attack { name: "large", shows: "bodies of 10 MB are refused with 413", memory: 16 },
    Attack { name: "heads", shows: "heads without an end are refused with 431", memory: 8 },
    Attack { name: "smuggling", shows: "what two readers may read as different requests is refused", memory: 8 },
    Attack { name: "floods", shows: "floods of HTTP/2 frames disturb nobody", memory: 48 },
    Attack { name: "hellos", shows: "TLS that is almost right ends the handshake", memory: 16 },
    Attack { name: "nested", shows: "4000 levels of BER and JSON are malformed in each protocol", memory: 8 },
    Attack { name: "idle", shows: "5000 connections that say nothing make way for others", memory: 24 },
];
/// At the end, since it leaves the gateway larger than it was: what 4096 connections take that have said something.
const FULL: Attack =
    Attack { name: "speaking", shows: "all connections that there is room for are taken, and others are served", memory: 96 };
/// Upon a gateway with short limits.
const SLOW: Attack = Attack {
    name: "slow",
    shows: "handshakes, heads and bodies that come an octet at a time are cut, and who does not read",
    memory: 24,
};

/// Upon a gateway that has room for fewer connections than the attack opens, whatever this machine lets a process open.
const FEW_CONNECTIONS: &str = "[limits]\nconnections = 1000\n";
const BODIES: Attack = Attack { name: "bodies", shows: "bodies that hold all places make way for others", memory: 48 };

/// Upon a gateway in whose ledger so many requests wait for a person.
const WAIT: Attack = Attack { name: "wait", shows: "very many requests that wait for a person hold up nobody", memory: 24 };
const WAITING: u32 = 100_000;
/// Upon the same, whose CRL has so many entries.
const READERS: Attack =
    Attack { name: "readers", shows: "very many who do not read a long CRL do not have a copy of it each", memory: 48 };
const REVOKED: u32 = 20_000;
/// A profile that a person has to say yes for, beside the usual one.
const APPROVAL: &str = r#"
[[profile]]
name = "default"
authority = "default"
[[profile]]
name = "manual"
authority = "default"
approval = "manual"
[[endpoint]]
protocol = "est"
name = "default"
profile = "default"
[[endpoint]]
protocol = "est"
name = "manual"
profile = "manual"
"#;

pub(crate) fn all(report: &mut Report) -> Result<()> {
    for program in ["openssl", "curl", PYTHON] {
        if !process::found(program) {
            report.skip("hostile input", &format!("there is no {program}"));
            return Ok(());
        }
    }
    let usual = Target::start("")?;
    for attack in ATTACKS.iter().chain([&FULL]) {
        report.check(attack.shows, || usual.suffer(attack));
    }
    usual.end(report);
    let hasty = Target::start(SHORT_LIMITS)?;
    report.check(SLOW.shows, || hasty.suffer(&SLOW));
    hasty.end(report);
    let small = Target::start(FEW_CONNECTIONS)?;
    report.check(BODIES.shows, || small.suffer(&BODIES));
    small.end(report);
    let crowded = Target::start_crowded()?;
    for attack in [&WAIT, &READERS] {
        report.check(attack.shows, || crowded.suffer(attack));
    }
    crowded.end(report);
    Ok(())
}

/// A gateway that is attacked, and what attackers and bystanders need.
struct Target {
    gateway: Gateway,
    stage: Stage,
    password: String,
    /// Of one whose requests wait for a person, where there is one.
    flood: String,
}

impl Target {
    fn start(config: &str) -> Result<Self> {
        let stage = Stage::new(SCRIPTS)?;
        let file = stage.path().join("certgate.toml");
        std::fs::write(&file, config)?;
        let gateway = Gateway::start_configured(&stage.path().join("data"), &[], Some(&file))?;
        let password = gateway.add_user("bystander")?;
        process::script(stage.path(), REQUESTS, &[("DATA", gateway.data_dir().as_os_str())])?;
        Ok(Self { gateway, stage, password, flood: String::new() })
    }

    /// One request waits, is copied, and the gateway started again.
    fn start_crowded() -> Result<Self> {
        let Self { gateway, stage, password, .. } = Self::start(APPROVAL)?;
        let flood = gateway.add_user_at("flood", "manual")?;
        let waiter = gateway.add_user_at("waiter", "manual")?;
        let url = gateway.est_url()?;
        let asks = [("URL", url.as_ref()), ("CA", gateway.run().ca_pem.as_os_str()), ("PASSWORD", waiter.as_ref())];
        process::script(stage.path(), ASK, &asks)?;
        let data = gateway.data_dir().to_owned();
        gateway.stop()?;
        let mut fill = stage.command(SECONDS, "waiting.py")?;
        fill.arg(data.join("ledger.db")).args([WAITING, REVOKED].map(|count| count.to_string()));
        process::output(&mut fill)?;
        let gateway = Gateway::start_configured(&data, &[], Some(&stage.path().join("certgate.toml")))?;
        let milliseconds = gateway.ready_after().as_secs_f64() * 1000.0;
        println!("        {WAITING} requests wait; ready after {milliseconds:.0} ms");
        Ok(Self { gateway, stage, password, flood })
    }

    /// Attacks it beside others that it serves.
    fn suffer(&self, attack: &Attack) -> Result<Outcome> {
        let run = self.gateway.run();
        let first = |addresses: &[String]| addresses.first().cloned().unwrap_or_default();
        let mut command = self.stage.command(SECONDS, "bystanders.py")?;
        command.arg(attack.name).env("PASSWORD", &self.password).env("CA", &run.ca_pem);
        command.env("HTTPS", first(&run.https)).env("HTTP", first(&run.http)).env("OPS", first(&run.ops));
        command.env("FLOOD_PASSWORD", &self.flood).env("DATA", self.gateway.data_dir());
        command.env("PID", run.pid.to_string()).env("MOST_MEMORY", attack.memory.to_string());
        python::play(&mut command)
    }

    /// It ends well, and what it has done is whole.
    fn end(self, report: &mut Report) {
        report.must("after all of it the audit trail is whole, and the gateway ends well", || {
            self.gateway.admin(&["audit", "verify"])?;
            self.gateway.stop()
        });
    }
}

/// A request that waits for a person.
const ASK: &str = r#"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout waiter.pem -subj /CN=waiter -outform DER | openssl base64 -A > waiter.b64
printf 'user = "waiter:%s"\n' "$PASSWORD" > waiter.curl
status=$(curl -sS -o answer -w '%{http_code}' --cacert "$CA" -K waiter.curl -H 'Content-Type: application/pkcs10' --data-binary @waiter.b64 \
  "$URL/manual/simpleenroll")
test "$status" = 202
"#;

/// What bystanders ask: about the certificate of the server, and for one.
const REQUESTS: &str = r#"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -subj /CN=bystander -outform DER -out csr.der
openssl ocsp -issuer "$DATA/ca/default.pem" -cert "$DATA/tls/server.pem" -no_nonce -reqout ocsp.der
"#;
