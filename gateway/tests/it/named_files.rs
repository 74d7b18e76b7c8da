//! `certgate config check` looks into the files that a configuration names.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use certgate::telemetry::SystemClock;
use certgate_enrollment::Clock;
use certgate_pki::Validity;
use certgate_testkit::{CertificateShape, DEVICE_KEY, RSA_DEVICE_KEY, ca_key};
use serde_json::Value;

use crate::process::certgate;

const DAY: Duration = Duration::from_secs(86_400);

/// A certificate that is good for so many days more.
fn server(days: u32) -> String {
    let now = SystemClock.now();
    let validity = Validity { not_before: now.before(90 * DAY), not_after: now.after(days * DAY) };
    let root = CertificateShape::ca("CN=Operator", ca_key());
    CertificateShape { validity, ..CertificateShape::server(&["localhost"]) }.signed_by(&root)
}

fn write(path: &Path, text: &str, mode: u32) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Exit code, and what is printed as JSON.
fn check(folder: &Path, config: &str, more: &[&str]) -> (i32, Value) {
    let config = config.replace("DIR", folder.to_str().unwrap());
    std::fs::write(folder.join("certgate.toml"), config).unwrap();
    let mut command = certgate(folder, &[&["--output", "json", "config", "check"], more].concat());
    let output = command.env("CERTGATE_EMPTY", "").env("CERTGATE_HERE", "correct horse").output().unwrap();
    let text = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    (output.status.code().unwrap(), serde_json::from_slice(text).unwrap())
}

/// A folder with what configurations name.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write(&path("cert.pem"), &server(60), 0o644);
    write(&path("ending.pem"), &server(3), 0o644);
    write(&path("ended.pem"), &server(0), 0o644);
    write(&path("key.pem"), DEVICE_KEY, 0o600);
    write(&path("open.pem"), DEVICE_KEY, 0o644);
    write(&path("other.pem"), RSA_DEVICE_KEY, 0o600);
    write(&path("passphrase"), "correct horse\n", 0o600);
    write(&path("open-passphrase"), "correct horse\n", 0o640);
    write(&path("empty"), "\n", 0o600);
    write(&path("keys.txt"), &format!("# none of these\n{}\n", "ab".repeat(32)), 0o644);
    write(&path("broken-keys.txt"), "# none of these\nabab\n", 0o644);
    folder
}

const TLS: &str = "[tls]\nsource = \"files\"\n";
const ROOT: &str = "[[authority]]\nname = \"default\"\nsubject = \"CN=Root\"\n";

#[test]
fn what_no_start_would_take_is_told_with_file_and_line() {
    let folder = folder();
    let policy = "[log]\nlevel = \"info\"\n[policy]\n";
    let other = "[[authority]]\nname = \"other\"\nsubject = \"CN=Other\"\npassphrase = \"file:DIR/passphrase\"\n";
    for (config, line, expected) in [
        (format!("{TLS}cert = \"DIR/none.pem\"\nkey = \"DIR/key.pem\"\n"), 3, "none.pem, which cannot be read"),
        (format!("{TLS}cert = \"DIR/cert.pem\"\nkey = \"DIR/none.pem\"\n"), 4, "none.pem, which cannot be read"),
        (format!("{TLS}cert = \"DIR/cert.pem\"\nkey = \"DIR/open.pem\"\n"), 4, "open.pem holds a secret and has mode 644"),
        (format!("{TLS}key = \"DIR/other.pem\"\ncert = \"DIR/cert.pem\"\n"), 4, "other.pem is not the key of the certificate"),
        (format!("{TLS}cert = \"DIR/key.pem\"\nkey = \"DIR/key.pem\"\n"), 3, "key.pem holds a private key where a certificate"),
        (format!("{TLS}cert = \"DIR/ended.pem\"\nkey = \"DIR/key.pem\"\n"), 3, "clients refuse it"),
        (format!("{TLS}cert = \"DIR/cert.pem\"\nkey = \"DIR/key.pem\"\nca = \"DIR/keys.txt\"\n"), 5, "keys.txt"),
        (
            format!("{TLS}cert = \"DIR/cert.pem\"\nkey = \"DIR/key.pem\"\nrequired_sans = [\"pki.example\"]\n"),
            3,
            "lacks dns:pki.example",
        ),
        (format!("{policy}compromised_keys = \"DIR/none.txt\"\n"), 4, "none.txt: No such file"),
        (format!("{policy}compromised_keys = \"DIR/broken-keys.txt\"\n"), 4, "broken-keys.txt: line 2"),
        (format!("{other}{ROOT}passphrase = \"file:DIR/none\"\n"), 8, "the passphrase of authority \"default\": "),
        (
            format!("{other}{ROOT}passphrase = \"file:DIR/open-passphrase\"\n"),
            8,
            "open-passphrase holds a secret and has mode 640",
        ),
        (format!("{ROOT}passphrase = \"file:DIR/empty\"\n"), 4, "the passphrase of authority \"default\" is empty"),
        (format!("{ROOT}passphrase = \"env:CERTGATE_EMPTY\"\n"), 4, "the passphrase of authority \"default\" is empty"),
    ] {
        let (code, said) = check(folder.path(), &config, &[]);
        let message = said["error"]["message"].as_str().unwrap_or_default();
        let beginning = format!("{}/certgate.toml:{line}: ", folder.path().display());
        assert_eq!(code, 1, "{config}{said}");
        assert!(message.starts_with(&beginning) && message.contains(expected), "{config}{message}");
        assert!(!said.to_string().contains("horse"));
        let (code, said) = check(folder.path(), &config, &["--no-files"]);
        assert_eq!((code, &said["ok"]), (0, &Value::Bool(true)), "{config}{said}");
    }
}

#[test]
fn what_is_in_order_or_cannot_be_known_here_is_no_error() {
    let folder = folder();
    let env = "[tls]\nsource = \"env\"\nca = \"env:CERTGATE_ROOTS\"\n";
    for (config, expected) in [
        (format!("{TLS}cert = \"DIR/cert.pem\"\nkey = \"DIR/key.pem\"\n"), None),
        (format!("{TLS}cert = \"DIR/ending.pem\"\nkey = \"DIR/key.pem\"\n"), Some("ending.pem ends at ")),
        (format!("{ROOT}passphrase = \"file:DIR/passphrase\"\n[policy]\ncompromised_keys = \"DIR/keys.txt\"\n"), None),
        (format!("{ROOT}passphrase = \"prompt\"\n"), None),
        (format!("{ROOT}passphrase = \"env:CERTGATE_HERE\"\n"), None),
        (
            format!("{ROOT}passphrase = \"env:CERTGATE_NOT_SET\"\n"),
            Some("passphrase of authority \"default\": the environment variable CERTGATE_NOT_SET is not set here"),
        ),
        (env.to_owned(), Some("ca of [tls]: the environment variable CERTGATE_ROOTS is not set here")),
        (env.to_owned(), Some("cert of [tls]: the environment variable CERTGATE_TLS_CERT is not set here")),
    ] {
        let (code, said) = check(folder.path(), &config, &[]);
        assert_eq!((code, &said["ok"]), (0, &Value::Bool(true)), "{config}{said}");
        let warnings: Vec<&str> = said["warnings"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let is_told = |part: &str| warnings.iter().any(|warning| warning.contains(part));
        match expected {
            Some(expected) => assert!(is_told(expected), "{config}{said}"),
            None => assert!(!is_told("is not set here") && !is_told("ends at"), "{config}{said}"),
        }
        assert_eq!(
            check(folder.path(), &config, &["--no-files"]).1["warnings"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|warning| { warning.as_str().is_some_and(|text| text.contains("is not set here")) })
                .count(),
            0
        );
    }
    for name in ["ca", "ledger.db", "lock", "certgate.sock"] {
        assert!(!folder.path().join(name).exists(), "nothing was made");
    }
}
