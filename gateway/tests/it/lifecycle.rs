//! From the first start to the last stop.

use std::os::unix::fs::PermissionsExt;

use crate::process::{Gateway, certgate, get, run};

#[test]
fn the_first_start_makes_everything_and_later_ones_find_it() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("d");
    let first = Gateway::start(&data_dir);
    assert!(first.introduction.lines().any(|line| line.starts_with("    openssl req ")), "{}", first.introduction);
    let run_json = first.run_json();
    let fingerprint = run_json["ca_sha256"].as_str().unwrap().to_owned();
    assert!(first.introduction.contains(&fingerprint));
    for (name, mode) in [
        ("", 0o700),
        ("ledger.db", 0o600),
        ("certgate.sock", 0o600),
        ("first-device.netrc", 0o600),
        ("ca/root.key", 0o600),
        ("ca/default.key", 0o600),
        ("tls/server.key", 0o600),
        ("ca/root.pem", 0o644),
        ("ca/default.pem", 0o644),
        ("ca/default.chain.pem", 0o644),
        ("tls/server.pem", 0o644),
    ] {
        let found =
            std::fs::metadata(data_dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")).permissions().mode();
        assert_eq!(found & 0o777, mode, "{name}");
    }
    let secrets: Vec<String> = std::fs::read_to_string(data_dir.join("first-device.netrc"))
        .unwrap()
        .lines()
        .map(|line| line.rsplit(' ').next().unwrap().to_owned())
        .collect();
    assert!(secrets.len() >= 3 && !first.introduction.contains(&secrets[0]), "a line a name, and the password nowhere else");
    let before = std::fs::read(data_dir.join("tls/server.pem")).unwrap();
    first.kill();

    let second = Gateway::start(&data_dir);
    assert_eq!(second.introduction, "");
    assert_eq!(second.run_json()["ca_sha256"], fingerprint.as_str());
    assert_eq!(std::fs::read(data_dir.join("tls/server.pem")).unwrap(), before);
    let (_, users) = second.admin(&["est", "user", "list"]);
    assert_eq!(users["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_first_start_that_was_cut_short_is_done_over() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("d");
    Gateway::start(&data_dir).kill();
    // As if the machine had been lost after the credential and the root were made, and before the rest was.
    std::fs::write(data_dir.join("first-start"), "").unwrap();
    let before = std::fs::read(data_dir.join("first-device.netrc")).unwrap();
    for name in ["ca/default.pem", "tls/server.pem"] {
        std::fs::remove_file(data_dir.join(name)).unwrap();
    }
    let again = Gateway::start(&data_dir);
    assert!(again.introduction.contains("first-device.netrc"));
    assert_ne!(std::fs::read(data_dir.join("first-device.netrc")).unwrap(), before, "a new password");
    assert!(!data_dir.join("first-start").exists());
    assert_eq!(again.admin(&["audit", "verify"]).1["ok"], true);
    assert_eq!(again.admin(&["est", "user", "list"]).1["items"].as_array().unwrap().len(), 1);
    again.kill();
    assert_eq!(Gateway::start(&data_dir).introduction, "", "once");
}

#[test]
fn one_gateway_a_data_directory() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("d");
    let running = Gateway::start(&data_dir);
    let any = "127.0.0.1:0";
    let second = run(&data_dir, &["serve", "--https", any, "--http", any, "--ops", any]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("is used by another certgate"));
    assert_eq!(running.admin(&["cert", "list"]).0, 0, "the first one goes on");
}

#[test]
fn it_says_that_it_is_ready_and_ends_well() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("d");
    let gateway = Gateway::start(&data_dir);
    let run_json = gateway.run_json();
    let address = |kind: &str| run_json[kind][0].as_str().unwrap().to_owned();
    assert_eq!(get(&address("ops"), "/readyz").0, 200);
    assert!(get(&address("ops"), "/metrics").1.contains("certgate_audit_events"));
    assert_eq!(get(&address("http"), "/ca/default.cer").0, 200);
    assert_eq!(get(&address("http"), "/.well-known/est/cacerts").0, 404, "EST is served over TLS only");
    gateway.signal("HUP");
    assert_eq!(get(&address("ops"), "/healthz").0, 200);
    assert_eq!(gateway.stop(), Some(0));
    for name in ["run.json", "certgate.sock"] {
        assert!(!data_dir.join(name).exists(), "{name}");
    }
}

#[test]
fn a_drain_can_be_watched_and_is_not_held_up_by_who_says_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("d");
    let gateway = Gateway::start(&data_dir);
    let run_json = gateway.run_json();
    let address = |kind: &str| run_json[kind][0].as_str().unwrap().to_owned();
    let silent = std::net::TcpStream::connect(address("https")).unwrap();
    // A request whose body is still to come is under way: it holds the drain open.
    let mut slow = std::net::TcpStream::connect(address("http")).unwrap();
    std::io::Write::write_all(&mut slow, b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    gateway.signal("TERM");
    std::thread::sleep(std::time::Duration::from_millis(300));
    let (status, answer) = get(&address("ops"), "/readyz");
    assert!(status == 503 && answer.contains("stopping"), "{answer}");
    std::io::Write::write_all(&mut slow, b"123456789").unwrap();
    assert_eq!(gateway.wait(), Some(0));
    drop(silent);
}

#[test]
fn who_does_not_read_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_with(&directory.path().join("d"), "[limits]\nwrite = \"1s\"\n");
    let run_json = gateway.run_json();
    let address = |kind: &str| run_json[kind][0].as_str().unwrap().to_owned();
    let mut deaf = std::net::TcpStream::connect(address("http")).unwrap();
    deaf.set_write_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
    // Asks, and never reads: until its own requests no longer fit anywhere.
    let ask = b"GET /ca/default.pem HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(1000);
    let stuck = (0..10_000).any(|_| std::io::Write::write_all(&mut deaf, &ask).is_err());
    assert!(stuck, "the gateway goes on reading from who does not read");
    let open = || {
        let (_, metrics) = get(&address("ops"), "/metrics");
        metrics.lines().find_map(|line| line.strip_prefix("certgate_connections ").map(|count| count.parse::<i64>().unwrap()))
    };
    // The one that asks for metrics is open too.
    let is_cut = (0..50).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(200));
        open() == Some(1)
    });
    assert!(is_cut, "still open: {:?}", open());
}

#[test]
fn half_a_request_does_not_hold_up_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&directory.path().join("d"));
    let mut stream = std::net::TcpStream::connect(gateway.run_json()["http"][0].as_str().unwrap()).unwrap();
    std::io::Write::write_all(&mut stream, b"GET /ca/ro").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    gateway.signal("TERM");
    assert_eq!(gateway.wait_briefly(), Some(0), "limits.drain is 30 s, and nothing is under way");
}

#[test]
fn an_address_that_others_reach_needs_a_public_url() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("d");
    let output = certgate(&data_dir, &["serve", "--http", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("public_url"));
    assert!(!data_dir.exists(), "nothing is made before the configuration is right");
}
