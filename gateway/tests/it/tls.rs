//! The server certificate of a gateway that runs: where it comes from, and what a reload does.

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certgate::telemetry::SystemClock;
use certgate_enrollment::Clock;
use certgate_pki::{Validity, pem};
use certgate_testkit::{CertificateShape, DEVICE_KEY, RSA_DEVICE_KEY, ca_key, rsa_device_key};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use serde_json::{Value, json};

use crate::process::{Gateway, certgate, get, run};

const DAY: Duration = Duration::from_secs(86_400);
const FILES: &str = "[tls]\nsource = \"files\"\n";

fn root() -> CertificateShape {
    CertificateShape::ca("CN=Operator", ca_key())
}

/// A certificate that is good today.
fn today(shape: CertificateShape) -> CertificateShape {
    let now = SystemClock.now();
    CertificateShape { validity: Validity { not_before: now.before(DAY), not_after: now.after(60 * DAY) }, ..shape }
}

fn server() -> CertificateShape {
    today(CertificateShape::server(&["localhost"]))
}

/// One that was good until yesterday.
fn ended() -> String {
    let now = SystemClock.now();
    let validity = Validity { not_before: now.before(9 * DAY), not_after: now.before(DAY) };
    CertificateShape { validity, ..server() }.signed_by(&root())
}

/// Both variables.
fn both<'t>(cert: &'t str, key: &'t str) -> Vec<(&'static str, &'t str)> {
    vec![("CERTGATE_TLS_CERT", cert), ("CERTGATE_TLS_KEY", key)]
}

/// What a client that trusts this root is shown, or why it went away.
fn shown(gateway: &Gateway, root: &str) -> Result<Vec<u8>, String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(builder.with_root_certificates(roots).with_no_client_auth());
    let mut connection = ClientConnection::new(config, ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = TcpStream::connect(gateway.run_json()["https"][0].as_str().unwrap()).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).map_err(|error| error.to_string())?;
    }
    Ok(connection.peer_certificates().unwrap()[0].to_vec())
}

fn der(pem: &str) -> Vec<u8> {
    pem::decode(pem::CERTIFICATE, pem).unwrap()
}

/// Files of an operator.
struct Files(tempfile::TempDir);

impl Files {
    fn put(&self, cert: &str, key: &str) {
        for (name, text) in [("cert", cert), ("key", key)] {
            let path = self.0.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    /// The section that names them, with more keys.
    fn section(&self, more: &str) -> String {
        let folder = self.0.path().display();
        format!("{FILES}cert = \"{folder}/cert\"\nkey = \"{folder}/key\"\n{more}")
    }
}

/// Exit code and answer of a reload after this has become the file.
fn reload(gateway: &Gateway, config: &str) -> (i32, Value) {
    std::fs::write(gateway.data_dir.join("certgate.toml"), config).unwrap();
    gateway.admin(&["config", "reload"])
}

/// Why a start with this file and these variables is refused.
fn refusal(config: &str, variables: &[(&str, &str)]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("d");
    std::fs::create_dir(&data_dir).unwrap();
    std::fs::write(data_dir.join("certgate.toml"), config).unwrap();
    let any = "127.0.0.1:0";
    let mut command = certgate(&data_dir, &["serve", "--https", any, "--http", any, "--ops", any]);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_environment_is_a_source() {
    let (cert, anchor) = (server().signed_by(&root()), root().signed_by(&root()));
    let directory = tempfile::tempdir().unwrap();
    let start = |name: &str, config: &str, variables: &[(&str, &str)]| {
        Gateway::start_in(&directory.path().join(name), config, variables)
    };
    let usual = start("a", "[tls]\nsource = \"env\"\n", &[("CERTGATE_TLS_CERT", &cert), ("CERTGATE_TLS_KEY", DEVICE_KEY)]);
    assert_eq!(shown(&usual, &anchor), Ok(der(&cert)));
    let named = "[tls]\nsource = \"env\"\ncert = \"env:A\"\nkey = \"env:B\"\nca = \"env:C\"\n";
    let named = start("b", named, &[("A", &cert), ("B", DEVICE_KEY), ("C", &anchor)]);
    assert_eq!(shown(&named, &anchor), Ok(der(&cert)));
}

#[test]
fn a_start_is_refused_with_what_is_wrong() {
    let cert = server().signed_by(&root());
    let env = "[tls]\nsource = \"env\"\n";
    let urls = "[[authority]]\nname = \"root\"\nsubject = \"CN=R\"\npublic_url = \"https://pki.example\"\n\
                [[authority]]\nname = \"default\"\nissuer = \"root\"\nsubject = \"CN=I\"\n";
    let ended = ended();
    for (config, variables, expected) in [
        (env, vec![], "the environment variable CERTGATE_TLS_CERT is not set: cert of [tls] is read from it, as PEM"),
        (env, vec![("CERTGATE_TLS_CERT", cert.as_str())], "the environment variable CERTGATE_TLS_KEY is not set"),
        (env, both(&cert, RSA_DEVICE_KEY), "is not the key of the certificate in the environment variable CERTGATE_TLS_CERT"),
        (env, both(&ended, DEVICE_KEY), "ended at"),
        (
            &format!("{urls}{env}"),
            both(&cert, DEVICE_KEY),
            "lacks dns:pki.example: clients look for each host of https public URLs",
        ),
        (&format!("{env}required_sans = [\"x\"]\n"), both(&cert, DEVICE_KEY), "lacks dns:x"),
        (&format!("{FILES}cert = \"none\"\nkey = \"none\"\n"), vec![], "cert of [tls] names none, which cannot be read"),
    ] {
        let said = refusal(config, &variables);
        assert!(said.contains(expected), "{config}\n{said}\n{expected}");
        assert!(!said.contains("PRIVATE KEY-----\n"), "{said}");
    }
}

#[test]
fn a_reload_takes_what_is_right_and_leaves_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let files = Files(tempfile::tempdir().unwrap());
    let gateway = Gateway::start_with(&directory.path().join("d"), "");
    let own_root = std::fs::read_to_string(gateway.data_dir.join("ca/root.pem")).unwrap();
    let own = shown(&gateway, &own_root).unwrap();
    assert_eq!(reload(&gateway, ""), (0, json!({ "reloaded": [], "needs_restart": [] })));

    let (cert, anchor) = (server().signed_by(&root()), root().signed_by(&root()));
    files.put(&cert, DEVICE_KEY);
    let (code, said) = reload(&gateway, &files.section("[log]\nlevel = \"debug\"\n[limits]\ndrain = \"3s\"\n"));
    let reloaded = json!(["log.level", "tls.cert", "tls.key", "tls.source", "server certificate"]);
    assert_eq!((code, said), (0, json!({ "reloaded": reloaded, "needs_restart": ["limits.drain"] })));
    assert_eq!(shown(&gateway, &anchor), Ok(der(&cert)));

    let before = cert.clone();
    for (cert, key, config, expected) in [
        (&*cert, RSA_DEVICE_KEY, &*files.section(""), "is not the key of the certificate"),
        (&cert, "", &files.section(""), "is empty"),
        (&ended(), DEVICE_KEY, &files.section(""), "ended at"),
        (&cert, DEVICE_KEY, &files.section("sauce = 1\n"), "certgate.toml:5: unknown key \"sauce\""),
        (&cert, DEVICE_KEY, &files.section("required_sans = [\"x\"]\n"), "lacks dns:x"),
        (&cert, DEVICE_KEY, "[tls]\ncert = \"x\"\n", "certgate.toml:1: cert and key are read with source"),
    ] {
        files.put(cert, key);
        let (code, said) = reload(&gateway, config);
        assert_eq!((code, &said["error"]["code"]), (1, &json!("failed")), "{said}");
        assert!(said["error"]["message"].as_str().unwrap().contains(expected), "{said}");
        assert_eq!(shown(&gateway, &anchor), Ok(der(&before)), "{expected}");
    }

    // The same place, other contents, and a signal.
    let other = CertificateShape { key: rsa_device_key(), ..server() }.signed_by(&root());
    files.put(&other, RSA_DEVICE_KEY);
    std::fs::write(gateway.data_dir.join("certgate.toml"), files.section("")).unwrap();
    gateway.signal("HUP");
    assert!(within(Duration::from_secs(10), || shown(&gateway, &anchor) == Ok(der(&other))));

    // Back to certgate's own, which is still good; with one more name it is another.
    assert_eq!(reload(&gateway, "").0, 0);
    assert_eq!(shown(&gateway, &own_root), Ok(own.clone()));
    let (_, said) = reload(&gateway, "[tls]\nadditional_sans = [\"more.example\"]\n");
    assert_eq!(said["reloaded"], json!(["tls.additional_sans", "server certificate"]));
    let with_more = shown(&gateway, &own_root).unwrap();
    assert_ne!(with_more, own);
    assert!(String::from_utf8_lossy(&with_more).contains("more.example"));
    assert_eq!(gateway.stop(), Some(0));
}

/// Does this come to hold?
fn within(time: Duration, holds: impl Fn() -> bool) -> bool {
    let pause = Duration::from_millis(50);
    (0..time.as_millis() / pause.as_millis()).any(|_| {
        std::thread::sleep(pause);
        holds()
    })
}

#[test]
fn the_metric_tells_the_end_of_what_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    let files = Files(tempfile::tempdir().unwrap());
    let shape = server();
    files.put(&shape.signed_by(&root()), DEVICE_KEY);
    let gateway = Gateway::start_with(&directory.path().join("d"), &files.section(""));
    let (_, metrics) = get(gateway.run_json()["ops"][0].as_str().unwrap(), "/metrics");
    let expected = shape.validity.not_after.seconds();
    let line = format!("certgate_certificate_not_after_seconds{{certificate=\"tls\"}} {expected}");
    assert!(metrics.contains(&line), "{metrics}");
}

#[test]
fn nobody_answers_where_no_gateway_runs() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(Path::new(directory.path()), &["config", "reload"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot reach the gateway"));
}
