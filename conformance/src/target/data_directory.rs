//! A target for a running gateway, from what it leaves in its data directory.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::Deserialize;

use super::{AcmeTarget, CrlTarget, EstTarget, Hooks, OcspTarget, ScepTarget, Target, default_slow_body_seconds};

/// The parts of `run.json` that a target needs.
#[derive(Deserialize)]
struct Run {
    version: String,
    https: Vec<String>,
    http: Vec<String>,
    ca_pem: PathBuf,
}

/// Describes the gateway that runs on `data_directory`; its command line is `certgate`, an executable's path.
///
/// # Errors
/// A gateway that does not run, or listens to no HTTPS.
pub fn describe(data_directory: &Path, certgate: &Path) -> anyhow::Result<Target> {
    let data_directory = std::path::absolute(data_directory)?;
    let path = data_directory.join("run.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{}: does the gateway run?", path.display()))?;
    let run: Run = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let address = nearest(&run.https);
    let address = address.ok_or_else(|| anyhow!("{}: no https listener", path.display()))?;
    let (host, port) = address.rsplit_once(':').ok_or_else(|| anyhow!("{address}: no port"))?;
    let plain = nearest(&run.http);
    let issuer_file = data_directory.join("ca/default.pem");
    let login = read_login(&data_directory.join("first-device.netrc"))?;
    let (user, password) = login.map_or((None, None), |(user, password)| (Some(user), Some(password)));
    Ok(Target {
        name: format!("certgate {}", run.version),
        ca_file: run.ca_pem,
        connect: Some(host.trim_matches(['[', ']']).to_owned()),
        est: Some(EstTarget {
            url: format!("https://localhost:{port}/.well-known/est"),
            user,
            password,
            label: Some("default".into()),
            empty_username_password: None,
            manual_url: None,
            short_url: None,
            demanding_url: None,
            demands: Vec::new(),
            client_cert: None,
            client_key: None,
            slow_body_seconds: default_slow_body_seconds(),
        }),
        scep: plain.map(|address| ScepTarget {
            url: format!("http://{address}/scep/default"),
            challenge: None,
            manual_url: None,
        }),
        acme: Some(AcmeTarget::new(format!("https://localhost:{port}/acme/default/directory"))),
        ocsp: plain.map(|address| OcspTarget::new(format!("http://{address}/ocsp/default"), issuer_file.clone())),
        crl: plain.map(|address| CrlTarget::new(format!("http://{address}/crl/default.crl"), issuer_file.clone())),
        hooks: hooks(&data_directory, certgate),
    })
}

/// The listener on the loopback of version 4, or else the first.
fn nearest(addresses: &[String]) -> Option<&String> {
    addresses.iter().find(|address| address.starts_with("127.")).or_else(|| addresses.first())
}

/// The first login of a netrc file; `None` when there is no file.
fn read_login(path: &Path) -> anyhow::Result<Option<(String, String)>> {
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let after =
        |key: &str| words.iter().position(|word| *word == key).and_then(|at| words.get(at + 1)).map(|word| (*word).to_owned());
    let (Some(user), Some(password)) = (after("login"), after("password")) else {
        return Err(anyhow!("{}: no login and password", path.display()));
    };
    Ok(Some((user, password)))
}

fn hooks(data_directory: &Path, certgate: &Path) -> Hooks {
    let command = |words: &[&str]| {
        let start = [
            certgate.display().to_string(),
            "--data-dir".into(),
            data_directory.display().to_string(),
            "--output".into(),
            "json".into(),
        ];
        start.into_iter().chain(words.iter().map(|word| (*word).to_owned())).collect()
    };
    Hooks {
        add_user: command(&["est", "user", "add", "{name}", "--endpoint", "{endpoint}"]),
        new_challenge: command(&["scep", "challenge", "new", "--endpoint", "{endpoint}"]),
        approve: command(&["enrollment", "approve", "csr:{csr_sha256}"]),
        deny: command(&["enrollment", "deny", "csr:{csr_sha256}"]),
        revoke: command(&["cert", "revoke", "{serial}", "--reason", "{reason}"]),
        hold: command(&["cert", "hold", "{serial}"]),
        release: command(&["cert", "release", "{serial}"]),
        restart: Vec::new(),
        set_time: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_gateway_is_described() {
        let directory = tempfile::tempdir().expect("a directory");
        let run = r#"{"pid":1,"version":"0.1.0","https":["[::1]:43122","127.0.0.1:43121"],"http":["127.0.0.1:43123"],"ops":[],"ca_pem":"/d/ca/root.pem","ca_sha256":"00"}"#;
        std::fs::write(directory.path().join("run.json"), run).expect("written");
        let netrc =
            "machine localhost login first-device password s3cret\nmachine 127.0.0.1 login first-device password s3cret\n";
        std::fs::write(directory.path().join("first-device.netrc"), netrc).expect("written");
        let target = describe(directory.path(), Path::new("/bin/certgate")).expect("described");
        let text = toml::to_string(&target).expect("written");
        let again: Target = toml::from_str(&text).expect("read");
        let est = again.est.expect("est");
        assert_eq!(est.url, "https://localhost:43121/.well-known/est");
        assert_eq!((est.user.as_deref(), est.password.as_deref()), (Some("first-device"), Some("s3cret")));
        assert_eq!(again.scep.expect("scep").url, "http://127.0.0.1:43123/scep/default");
        assert_eq!(again.acme.expect("acme").directory, "https://localhost:43121/acme/default/directory");
        let ocsp = again.ocsp.expect("ocsp");
        assert_eq!(ocsp.url, "http://127.0.0.1:43123/ocsp/default");
        assert_eq!(ocsp.issuer_file, directory.path().join("ca/default.pem"));
        assert_eq!(again.crl.expect("crl").url, "http://127.0.0.1:43123/crl/default.crl");
        assert_eq!(again.connect.as_deref(), Some("127.0.0.1"));
        let tail: Vec<&str> = again.hooks.add_user.iter().skip(5).map(String::as_str).collect();
        assert_eq!(tail, ["est", "user", "add", "{name}", "--endpoint", "{endpoint}"]);
    }

    #[test]
    fn a_gateway_that_does_not_run_is_an_error() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(describe(directory.path(), Path::new("certgate")).is_err());
    }
}
