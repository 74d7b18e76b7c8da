//! Commands, their JSON and their exit codes.

use std::io::Write;
use std::process::Stdio;

use crate::process::{Gateway, certgate, run};

#[test]
fn est_users() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&directory.path().join("d"));
    let (code, added) = gateway.admin(&["est", "user", "add", "pump-7", "--allow", "dns:*.pumps.example", "--ttl", "12h"]);
    assert_eq!((code, added["endpoint"].as_str(), added["uses"].is_null()), (0, Some("default"), true));
    assert_eq!(added["password"].as_str().unwrap().len(), 32, "128 bits in hex");
    assert_eq!(added["allow"], serde_json::json!(["dns:*.pumps.example"]));
    assert!(added["expires_at"].as_str().unwrap().ends_with('Z'));

    let (code, refused) = gateway.admin(&["est", "user", "add", "pump-7"]);
    assert_eq!((code, refused["error"]["code"].as_str()), (4, Some("refused")));
    let (code, replaced) = gateway.admin(&["est", "user", "add", "pump-7", "--replace", "--uses", "2"]);
    assert_eq!((code, replaced["uses"].as_u64(), replaced["expires_at"].is_null()), (0, Some(2), true));
    assert_ne!(replaced["password"], added["password"]);
    let (_, page) = gateway.admin(&["est", "user", "list", "--limit", "1"]);
    assert_eq!(page["items"][0]["name"], "first-device");
    let next = page["next"].as_str().unwrap();
    let (_, page) = gateway.admin(&["est", "user", "list", "--limit", "1", "--cursor", next]);
    assert_eq!((page["items"][0]["name"].as_str(), page["next"].is_null()), (Some("pump-7"), true));

    let removed = serde_json::json!({ "name": "pump-7", "removed": 1, "denied": 0, "certificates": [], "revoked": 0 });
    assert_eq!(gateway.admin(&["est", "user", "remove", "pump-7"]), (0, removed));
    assert_eq!(gateway.admin(&["est", "user", "remove", "pump-7"]).0, 3);
    for wrong in [
        &["est", "user", "add", "a:b"][..],
        &["est", "user", "add", "a", "--allow", "email:a@b"],
        &["est", "user", "add", "a", "--ttl", "soon"],
        &["est", "user", "add", "a", "--uses", "0"],
        &["est", "user", "add", "a", "--uses", "-1"],
        // Standard input is empty.
        &["est", "user", "add", "a", "--password-stdin"],
        &["est", "user", "list", "--cursor", "x"],
        &["est", "user", "ad", "a"],
        // The gateway's own name.
        &["est", "user", "add", "certgate"],
        &["est", "user", "remove", "certgate"],
    ] {
        let (code, said) = gateway.admin(wrong);
        assert_eq!((code, said["error"]["code"].as_str()), (2, Some("usage")), "{wrong:?}");
    }
    assert_eq!(gateway.admin(&["est", "user", "add", "a", "--endpoint", "none"]).0, 3);
}

#[test]
fn a_password_that_a_person_chose_is_read_from_standard_input_and_never_shown() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&directory.path().join("d"));
    let add = |password: &str, name: &str| {
        let arguments = ["--output", "json", "est", "user", "add", name, "--uses", "3", "--password-stdin"];
        let mut command = certgate(&gateway.data_dir, &arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let added = add("correct horse\n", "person");
    let said = String::from_utf8(added.stdout).unwrap();
    assert!(added.status.success() && !said.contains("horse"), "{said}");
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((said["password"].is_null(), said["uses"].as_u64()), (true, Some(3)));
    for wrong in ["short\n", "\n", "tab\tin the middle\n"] {
        assert_eq!(add(wrong, "other").status.code(), Some(2), "{wrong:?}");
    }
    let ledger = std::fs::read(gateway.data_dir.join("ledger.db-wal")).unwrap();
    assert!(!ledger.windows(13).any(|window| window == b"correct horse"), "the password is kept nowhere");
}

#[test]
fn certificates_are_held_released_and_revoked_and_authorities_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&directory.path().join("d"));
    let (_, list) = gateway.admin(&["cert", "list"]);
    let (tls, issuing) = (serial_of(&list, "certgate:tls-server"), serial_of(&list, "certgate:issuing-ca"));
    let state = |arguments: &[&str]| {
        let (code, said) = gateway.admin(arguments);
        (code, said["status"].as_str().map(str::to_owned), said["reason"].as_str().map(str::to_owned))
    };
    let so = |status: &str, reason: Option<&str>| (0, Some(status.to_owned()), reason.map(str::to_owned));
    assert_eq!(state(&["cert", "release", &tls]), so("valid", None), "nothing to release is no failure");
    for _ in 0..2 {
        assert_eq!(state(&["cert", "hold", &tls]), so("held", Some("certificateHold")));
    }
    assert_eq!(state(&["cert", "release", &tls]), so("valid", None));
    assert_eq!(state(&["cert", "revoke", &tls, "--reason", "keycompromise"]), so("revoked", Some("keyCompromise")));
    assert_eq!(state(&["cert", "revoke", &tls, "--reason", "superseded"]), so("revoked", Some("keyCompromise")), "once");
    assert_eq!(gateway.admin(&["cert", "release", &tls]).0, 4);
    assert_eq!(gateway.admin(&["cert", "revoke", &issuing]).0, 4);
    assert_eq!(gateway.admin(&["cert", "revoke", "deadbeef"]).0, 3);
    for wrong in ["certificateHold", "removeFromCRL", "because"] {
        assert_eq!(gateway.admin(&["cert", "revoke", &issuing, "--reason", wrong]).0, 2, "{wrong}");
    }
    let (_, revoked) = gateway.admin(&["cert", "list", "--status", "revoked"]);
    assert_eq!(revoked["items"].as_array().unwrap().len(), 1);
    assert!(gateway.admin(&["audit", "verify"]).1["ok"].as_bool().unwrap());
}

/// The serial number of the first certificate of this profile.
fn serial_of(list: &serde_json::Value, profile: &str) -> String {
    let items = list["items"].as_array().unwrap();
    let first = items.iter().find(|item| item["profile"] == profile).unwrap();
    first["serial"].as_str().unwrap().to_owned()
}

#[test]
fn many_certificates_are_revoked_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&directory.path().join("d"));
    let (_, list) = gateway.admin(&["cert", "list"]);
    let (ra, tls) = (serial_of(&list, "certgate:scep-ra"), serial_of(&list, "certgate:tls-server"));
    let counts = |arguments: &[&str]| {
        let (code, said) = gateway.admin(arguments);
        let count = |key: &str| said[key].as_u64().unwrap_or_else(|| panic!("{arguments:?}: {said}"));
        (code, [count("matched"), count("revoked"), count("already_revoked"), count("authorities")])
    };
    let file = directory.path().join("serials.txt");
    let by_file = ["cert", "revoke", "--serials", file.to_str().unwrap(), "--reason", "keyCompromise"];
    std::fs::write(&file, format!("# those that were stolen\n{}\n\n{ra} # once more\n{ra}\n", tls.to_uppercase())).unwrap();
    assert_eq!(counts(&[&by_file[..], &["--dry-run"]].concat()), (0, [3, 3, 0, 0]), "a dry run counts lines");
    assert_eq!(gateway.admin(&["cert", "show", &tls]).1["status"], "valid");
    let dated = [&by_file[..], &["--invalidity-date", "2026-01-02T03:04:05Z"]].concat();
    assert_eq!(counts(&dated), (0, [3, 2, 1, 0]));
    let (_, shown) = gateway.admin(&["cert", "show", &ra]);
    assert_eq!((&shown["status"], &shown["reason"]), (&"revoked".into(), &"keyCompromise".into()));
    assert_eq!(shown["invalidity_date"], "2026-01-02T03:04:05Z");
    assert_eq!(counts(&by_file), (0, [3, 0, 3, 0]), "repeated");
    // Unknown ones are named, and the others are done.
    std::fs::write(&file, format!("deadbeef\n{tls}\n")).unwrap();
    let (code, said) = gateway.admin(&by_file);
    assert_eq!((code, &said["unknown"]), (3, &serde_json::json!(["deadbeef"])));
    // Nothing is done by a file that is wrong somewhere.
    std::fs::write(&file, "no-hex\n").unwrap();
    assert_eq!(gateway.admin(&by_file).0, 2);
    assert_eq!(counts(&["cert", "revoke", "--authority", "default", "--dry-run"]), (0, [3, 1, 2, 0]));
    assert_eq!(counts(&["cert", "revoke", "--authority", "root"]), (0, [3, 1, 0, 2]), "authorities stay as they are");
    assert_eq!(counts(&["cert", "revoke", "--profile", "default"]), (0, [0, 0, 0, 0]));
    assert_eq!(counts(&["cert", "revoke", "--requester", "nobody"]), (0, [0, 0, 0, 0]));
    for wrong in [
        &["cert", "revoke"][..],
        &["cert", "revoke", "--profile", "default", "--authority", "default"],
        &["cert", "revoke", &tls, "--profile", "default"],
        &["cert", "revoke", "--profile", "default", "--reason", "because"],
        &["cert", "revoke", "--profile", "default", "--invalidity-date", "yesterday"],
        &["cert", "revoke", "--profile", "default", "--invalidity-date", "2999-01-01T00:00:00Z"],
        &["cert", "revoke", "--serials", "/nowhere"],
    ] {
        assert_eq!(gateway.admin(wrong).0, 2, "{wrong:?}");
    }
    assert!(gateway.admin(&["audit", "verify"]).1["ok"].as_bool().unwrap());
}

#[test]
fn enrollments_that_are_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&directory.path().join("d"));
    let (code, list) = gateway.admin(&["enrollment", "list", "--state", "pending"]);
    assert_eq!((code, list), (0, serde_json::json!({ "items": [], "next": null })));
    let (id, csr) = ("0".repeat(32), format!("csr:{}", "0".repeat(64)));
    for name in [&id, &csr] {
        for action in ["show", "approve", "deny"] {
            assert_eq!(gateway.admin(&["enrollment", action, name]).0, 3, "{action} {name}");
        }
    }
    for wrong in
        [&["enrollment", "show", "../x"][..], &["enrollment", "show", "csr:00"], &["enrollment", "list", "--state", "lost"]]
    {
        assert_eq!(gateway.admin(wrong).0, 2, "{wrong:?}");
    }
}

#[test]
fn certificates_and_the_trail() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&directory.path().join("d"));
    let (_, list) = gateway.admin(&["cert", "list"]);
    let items = list["items"].as_array().unwrap();
    let profiles: Vec<&str> = items.iter().map(|item| item["profile"].as_str().unwrap()).collect();
    assert_eq!(
        profiles,
        [
            "certgate:ocsp-responder",
            "certgate:ocsp-responder",
            "certgate:scep-ra",
            "certgate:tls-server",
            "certgate:issuing-ca",
            "certgate:root-ca"
        ],
        "newest first"
    );
    let serial = items[0]["serial"].as_str().unwrap();
    let (code, shown) = gateway.admin(&["cert", "show", &serial.to_uppercase()]);
    assert_eq!((code, &shown), (0, &items[0]));
    assert_eq!(gateway.admin(&["cert", "show", "deadbeef"]).0, 3);
    assert_eq!(gateway.admin(&["cert", "show", "no-hex"]).0, 2);
    assert_eq!(gateway.admin(&["cert", "list", "--status", "expired"]).1["items"], serde_json::json!([]));
    assert_eq!(gateway.admin(&["cert", "list", "--status", "lost"]).0, 2);
    assert_eq!(gateway.admin(&["cert", "list", "--expires-before", "tomorrow"]).0, 2);
    let (_, soon) = gateway.admin(&["cert", "list", "--expires-before", "2200-01-01T00:00:00Z", "--limit", "2"]);
    assert_eq!(soon["items"].as_array().unwrap().len(), 2);

    let (code, whole) = gateway.admin(&["audit", "verify"]);
    assert_eq!((code, whole["ok"].as_bool()), (0, Some(true)));
    let head = whole["head"].as_str().unwrap();
    assert_eq!(gateway.admin(&["audit", "verify", "--expect-head", head]).0, 0);
    let (code, other) = gateway.admin(&["audit", "verify", "--expect-head", &"ab".repeat(32)]);
    assert_eq!((code, other["ok"].as_bool(), other["expected_head_found"].as_bool()), (1, Some(false), Some(false)));
}

#[test]
fn without_a_gateway_it_says_where_it_looked() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(directory.path(), &["--output", "json", "cert", "list"]);
    assert_eq!(output.status.code(), Some(1));
    let said: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(said["error"]["message"].as_str().unwrap().contains("certgate.sock"));
    assert!(said["error"]["hint"].as_str().unwrap().contains("certgate serve"));
}

#[test]
fn the_configuration_is_checked() {
    let directory = tempfile::tempdir().unwrap();
    let check = || run(directory.path(), &["config", "check"]);
    assert_eq!(check().status.code(), Some(0), "the embedded one is good");
    let printed = run(directory.path(), &["config", "default"]).stdout;
    std::fs::write(directory.path().join("certgate.toml"), printed).unwrap();
    assert_eq!(check().status.code(), Some(0), "what is printed can be read");
    std::fs::write(directory.path().join("certgate.toml"), "[limits]\n\nbody_byte = 7\n").unwrap();
    let output = check();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("certgate.toml:3: unknown key \"body_byte\": did you mean \"body_bytes\"?"), "{said}");
}
