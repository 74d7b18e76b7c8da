//! Signed heads of the audit trail: what is written, what a stranger verifies, and what shows by them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Gateway, get};

/// Heads are signed as soon as something was appended.
const OFTEN: &str = "[audit]\ncheckpoint = \"50ms\"\n";

fn lines(data_dir: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(data_dir.join("audit.heads")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// How many events the head of a line had.
fn events(line: &str) -> u64 {
    let line: Value = serde_json::from_str(line).unwrap();
    let (_, rest) = line["statement"].as_str().unwrap().split_once(" events=").unwrap();
    rest.split(' ').next().unwrap().parse().unwrap()
}

/// Waits until the trail as it is now has its head signed; how many events it has. The first CRLs are events too, which come after the start.
fn signed(gateway: &Gateway) -> u64 {
    for authority in ["root", "default"] {
        shows(gateway, &format!("certgate_crl_number{{authority=\"{authority}\",shard=\"0\",kind=\"complete\"}} "));
    }
    for _ in 0..200 {
        let (code, found) = gateway.admin(&["audit", "verify"]);
        assert_eq!(code, 0, "{found}");
        let lines = lines(&gateway.data_dir);
        if lines.last().is_some_and(|line| Some(events(line)) == found["events"].as_u64()) {
            let expected = json!({ "checked": lines.len(), "failed_at": null, "reason": null });
            assert_eq!(gateway.admin(&["audit", "verify"]).1["checkpoints"], expected);
            return found["events"].as_u64().unwrap();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the head was not signed: {:?}", lines(&gateway.data_dir));
}

/// Something to be recorded.
fn change(gateway: &Gateway, name: &str) {
    assert_eq!(gateway.admin(&["est", "user", "add", name]).0, 0);
}

/// Waits until a line of the metrics begins with this.
fn shows(gateway: &Gateway, expected: &str) {
    for _ in 0..200 {
        let (_, text) = get(gateway.run_json()["ops"][0].as_str().unwrap(), "/metrics");
        if text.lines().any(|line| line.starts_with(expected)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the metrics have no {expected}");
}

/// As docs/operations.md has it.
fn verifies_with_openssl(data_dir: &Path, line: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("line"), line).unwrap();
    let script = "cut -d'\"' -f4 line | tr -d '\\n' > statement && cut -d'\"' -f8 line | openssl base64 -d -A > signature && \
                  openssl dgst -sha256 -verify \"$PUBLIC\" -signature signature statement";
    let mut shell = Command::new("sh");
    let output = shell.args(["-ec", script]).current_dir(folder.path()).env("PUBLIC", data_dir.join("audit.pub.pem")).output();
    output.unwrap().status.success()
}

#[test]
fn heads_are_signed_at_the_start_while_it_runs_and_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_with(&directory.path().join("d"), OFTEN);
    let data_dir = gateway.data_dir.clone();
    let first = signed(&gateway);
    change(&gateway, "one");
    assert_eq!(signed(&gateway), first + 1);
    shows(&gateway, &format!("certgate_audit_checkpoint_events {}", first + 1));
    shows(&gateway, "certgate_audit_behind 0");
    assert_eq!(gateway.stop(), Some(0));
    for (name, mode) in [("audit.key", 0o600), ("audit.pub.pem", 0o644), ("audit.heads", 0o644)] {
        assert_eq!(std::fs::metadata(data_dir.join(name)).unwrap().permissions().mode() & 0o777, mode, "{name}");
    }
    let found = lines(&data_dir);
    assert!(found.iter().all(|line| verifies_with_openssl(&data_dir, line)));
    assert!(!verifies_with_openssl(&data_dir, &found[0].replacen("events=", "events=1", 1)));

    // Once an hour, as it comes: what comes after the start is signed at the end.
    std::fs::remove_file(data_dir.join("certgate.toml")).unwrap();
    let gateway = Gateway::start(&data_dir);
    let started = signed(&gateway);
    change(&gateway, "two");
    assert_eq!(gateway.stop(), Some(0));
    assert_eq!(events(lines(&data_dir).last().unwrap()), started + 1);
}

#[test]
fn a_ledger_that_lost_its_last_commits_shows() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_with(&directory.path().join("d"), OFTEN);
    let (data_dir, backup) = (gateway.data_dir.clone(), directory.path().join("backup"));
    signed(&gateway);
    assert_eq!(gateway.stop(), Some(0));
    std::fs::copy(data_dir.join("ledger.db"), &backup).unwrap();
    let gateway = Gateway::start(&data_dir);
    change(&gateway, "lost");
    signed(&gateway);
    assert_eq!(gateway.stop(), Some(0));
    let (heads, copy) = (lines(&data_dir), directory.path().join("copy"));
    std::fs::copy(data_dir.join("audit.heads"), &copy).unwrap();
    for journal in ["ledger.db-wal", "ledger.db-shm"] {
        // What was in it is in the file by now.
        let _ = std::fs::remove_file(data_dir.join(journal));
    }
    std::fs::copy(&backup, data_dir.join("ledger.db")).unwrap();

    let gateway = Gateway::start(&data_dir);
    change(&gateway, "another");
    change(&gateway, "and another");
    let verify = |more: &[&str]| gateway.admin(&[&["audit", "verify"], more].concat());
    let (code, found) = verify(&[]);
    assert_eq!((code, &found["ok"], &found["broken_at"]), (1, &json!(false), &Value::Null), "{found}");
    let failed_at = found["checkpoints"]["failed_at"].as_u64().unwrap();
    assert!(failed_at <= heads.len() as u64, "{found}");
    assert_eq!(found["checkpoints"]["checked"], failed_at - 1);
    assert!(found["checkpoints"]["reason"].as_str().unwrap().contains("older backup"), "{found}");
    shows(&gateway, "certgate_audit_behind 1");

    // The operator has seen it and goes on; the copy that was kept elsewhere still tells.
    std::fs::remove_file(data_dir.join("audit.heads")).unwrap();
    assert_eq!(gateway.stop(), Some(0));
    let gateway = Gateway::start(&data_dir);
    signed(&gateway);
    let (code, found) = gateway.admin(&["audit", "verify", "--heads", copy.to_str().unwrap()]);
    assert_eq!((code, &found["checkpoints"]["failed_at"]), (1, &json!(failed_at)), "{found}");
    shows(&gateway, "certgate_audit_behind 0");
    std::fs::write(&copy, heads[0].replacen("events=", "events=1", 1) + "\n").unwrap();
    let (code, found) = gateway.admin(&["audit", "verify", "--heads", copy.to_str().unwrap()]);
    assert_eq!((code, &found["checkpoints"]["failed_at"]), (1, &json!(1)), "{found}");
    assert!(found["checkpoints"]["reason"].as_str().unwrap().contains("does not verify"), "{found}");
    assert_eq!(gateway.admin(&["audit", "verify", "--heads", "/nowhere"]).0, 1);
}

#[test]
fn what_was_killed_before_its_head_was_signed_is_signed_by_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("d");
    let gateway = Gateway::start(&data_dir);
    signed(&gateway);
    change(&gateway, "unsigned");
    let before = gateway.admin(&["audit", "verify"]).1["events"].as_u64().unwrap();
    assert!(events(lines(&data_dir).last().unwrap()) < before);
    gateway.kill();
    // As if it had been killed in the middle of a line, too.
    let text = std::fs::read_to_string(data_dir.join("audit.heads")).unwrap();
    std::fs::write(data_dir.join("audit.heads"), format!("{text}{{\"statement\":\"certgate audit head")).unwrap();
    let gateway = Gateway::start(&data_dir);
    assert!(signed(&gateway) >= before);
    assert_eq!(gateway.stop(), Some(0));
}

#[test]
fn a_lost_key_is_made_anew_and_heads_of_the_old_one_are_still_verified() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_with(&directory.path().join("d"), OFTEN);
    let data_dir = gateway.data_dir.clone();
    let before = signed(&gateway);
    assert_eq!(gateway.stop(), Some(0));
    let public = || std::fs::read_to_string(data_dir.join("audit.pub.pem")).unwrap();
    let old = public();
    let signed_by_old = lines(&data_dir).len();
    std::fs::remove_file(data_dir.join("audit.key")).unwrap();
    let gateway = Gateway::start(&data_dir);
    assert!(signed(&gateway) > before, "it is an event");
    let new = public();
    assert!(new.ends_with(&old) && new.len() == 2 * old.len(), "{new}");
    let found = lines(&data_dir);
    assert!(verifies_with_openssl(&data_dir, found.last().unwrap()), "the present key comes first");
    assert!(!verifies_with_openssl(&data_dir, &found[signed_by_old - 1]));
    assert_eq!(gateway.stop(), Some(0));

    std::fs::write(data_dir.join("audit.pub.pem"), new.strip_suffix(&old).unwrap()).unwrap();
    let gateway = Gateway::start(&data_dir);
    let (code, found) = gateway.admin(&["audit", "verify"]);
    assert_eq!((code, &found["checkpoints"]["failed_at"]), (1, &json!(1)), "{found}");
    assert!(found["checkpoints"]["reason"].as_str().unwrap().contains("audit.pub.pem does not have"), "{found}");
}
