//! A backup is made of a gateway that runs, and comes back: on a new machine, and in the place of what has gone on since.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::process::{Gateway, run};

/// A command with JSON on a data directory; its exit code, and what it printed.
fn command(data_dir: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = run(data_dir, &[&["--output", "json"], arguments].concat());
    let text = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    let value = serde_json::from_slice(text).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(text)));
    (output.status.code().unwrap(), value)
}

fn done(data_dir: &Path, arguments: &[&str]) -> Value {
    let (code, said) = command(data_dir, arguments);
    assert_eq!(code, 0, "{arguments:?}: {said}");
    said
}

/// It does not work; why not.
fn refused(data_dir: &Path, arguments: &[&str]) -> String {
    let (code, said) = command(data_dir, arguments);
    assert_eq!(code, 1, "{arguments:?}: {said}");
    said["error"]["message"].as_str().unwrap().to_owned()
}

/// It is not done without more being said; why not, and what.
fn not_done(data_dir: &Path, arguments: &[&str]) -> (String, String) {
    let (code, said) = command(data_dir, arguments);
    assert_eq!(code, 4, "{arguments:?}: {said}");
    let text = |key: &str| said["error"][key].as_str().unwrap().to_owned();
    (text("message"), text("hint"))
}

/// Certificates of the gateway's own, by their profile.
fn serial_of(gateway: &Gateway, profile: &str) -> String {
    let (_, list) = gateway.admin(&["cert", "list"]);
    let item = list["items"].as_array().unwrap().iter().find(|item| item["profile"] == profile);
    item.unwrap_or_else(|| panic!("{profile}: {list}"))["serial"].as_str().unwrap().to_owned()
}

fn status_of(gateway: &Gateway, serial: &str) -> (String, Value) {
    let (code, shown) = gateway.admin(&["cert", "show", serial]);
    assert_eq!(code, 0, "{shown}");
    (shown["status"].as_str().unwrap().to_owned(), shown["reason"].clone())
}

fn crl_number(gateway: &Gateway) -> u64 {
    gateway.admin(&["crl", "show", "default"]).1["items"][0]["number"].as_u64().unwrap()
}

struct Place {
    directory: tempfile::TempDir,
    data_dir: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { data_dir: directory.path().join("d"), directory }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }
}

#[test]
fn a_backup_of_a_gateway_that_runs_comes_back_on_a_new_machine() {
    let place = Place::new();
    let gateway = Gateway::start(&place.data_dir);
    assert_eq!(gateway.admin(&["est", "user", "add", "pump-1"]).0, 0);
    let ra = serial_of(&gateway, "certgate:scep-ra");
    let backup = place.path("b.tar");
    let made = done(&place.data_dir, &["backup", &backup]);
    assert_eq!(std::fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(made["has_keys"], true);
    let clear: Vec<&str> = made["clear_keys"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(clear.contains(&"ca/root.key") && clear.contains(&"ra/default.key"), "{clear:?}");
    let audit = gateway.admin(&["audit", "verify"]).1;
    assert_eq!((&made["events"], &made["head"]), (&audit["events"], &audit["head"]));
    assert!(refused(&place.data_dir, &["backup", &backup]).contains("exists"), "none is overwritten");
    let fingerprint = gateway.run_json()["ca_sha256"].clone();

    // To a stream it is the same.
    let stream = run(&place.data_dir, &["backup", "-"]);
    assert!(stream.status.success() && stream.stdout.windows(9).any(|window| window == b"ledger.db"));
    assert!(String::from_utf8_lossy(&stream.stderr).contains("whoever reads this backup can use these keys"));
    drop(gateway);

    let there = place.directory.path().join("there");
    let said = done(&there, &["restore", &backup]);
    assert_eq!((&said["restored"], &said["missing_keys"]), (&true.into(), &serde_json::json!([])));
    assert_eq!(said["beyond_backup"], Value::Null, "what there was is not known there");
    assert_eq!(done(&there, &["ledger", "check"])["ok"], true);
    let again = Gateway::start(&there);
    assert_eq!(again.introduction, "", "it is no first start");
    assert_eq!(again.run_json()["ca_sha256"], fingerprint);
    assert_eq!(status_of(&again, &ra).0, "valid");
    let users = again.admin(&["est", "user", "list"]).1;
    assert_eq!(users["items"].as_array().unwrap().len(), 2, "{users}");
    assert!(crl_number(&again) > 2, "the lost machine may have published others");
    assert_eq!(again.admin(&["audit", "verify", "--expect-head", made["head"].as_str().unwrap()]).0, 0);
}

/// A gateway that was backed up and has gone on: what it has done since.
struct GoneOn {
    place: Place,
    backup: String,
    revoked: String,
    issued: String,
    number: u64,
}

fn gone_on() -> GoneOn {
    let place = Place::new();
    let gateway = Gateway::start(&place.data_dir);
    assert_eq!(gateway.admin(&["est", "user", "add", "pump-1"]).0, 0);
    let backup = place.path("b.tar");
    done(&place.data_dir, &["backup", &backup]);
    let revoked = serial_of(&gateway, "certgate:scep-ra");
    assert_eq!(gateway.admin(&["cert", "revoke", &revoked, "--reason", "keyCompromise"]).0, 0);
    assert_eq!(gateway.admin(&["est", "user", "remove", "pump-1"]).0, 0);
    assert_eq!(gateway.admin(&["est", "user", "add", "pump-2"]).0, 0);
    assert_eq!(gateway.stop(), Some(0));
    // Another server certificate, which the backup does not know, and which is revoked.
    std::fs::remove_file(place.data_dir.join("tls/server.pem")).unwrap();
    let gateway = Gateway::start(&place.data_dir);
    let issued = serial_of(&gateway, "certgate:tls-server");
    assert_eq!(gateway.admin(&["cert", "revoke", &issued]).0, 0);
    for _ in 0..5 {
        assert_eq!(gateway.admin(&["crl", "build"]).0, 0);
    }
    let number = crl_number(&gateway);
    assert_eq!(gateway.stop(), Some(0));
    GoneOn { place, backup, revoked, issued, number }
}

#[test]
fn nothing_goes_back_in_time_in_silence_and_no_revocation_is_taken_back() {
    let GoneOn { place, backup, revoked, issued, number } = gone_on();
    let data_dir = &place.data_dir;
    let before = done(data_dir, &["ledger", "check"]);
    assert!(not_done(data_dir, &["restore", &backup]).1.contains("--replace"));
    let (said, hint) = not_done(data_dir, &["restore", &backup, "--replace"]);
    assert!(said.contains("2 certificate.revoked") && said.contains("1 est-user.removed"), "{said}");
    let since = hint.split(' ').nth(1).unwrap().to_owned();
    let later = not_done(data_dir, &["restore", &backup, "--replace", "--forget-since", "2999-01-01T00:00:00Z"]);
    assert_eq!(later, (said, hint), "more would be forgotten than was said");
    let tried = done(data_dir, &["restore", &backup, "--replace", "--forget-since", &since, "--dry-run"]);
    assert_eq!((&tried["restored"], &tried["replaced"]), (&false.into(), &Value::Null));
    assert_eq!(done(data_dir, &["ledger", "check"]), before, "nothing has changed so far");

    let said = done(data_dir, &["restore", &backup, "--replace", "--forget-since", &since]);
    assert_eq!(said["beyond_backup"]["certificate.revoked"], 2, "{said}");
    assert!(said["certificates_carried_over"].as_u64() >= Some(1), "{said}");
    assert_eq!((&said["certificates_ended_again"], &said["credentials_ended_again"]), (&1.into(), &1.into()), "{said}");
    let kept = PathBuf::from(said["replaced"].as_str().unwrap());
    assert!(kept.join("ledger.db").exists() && kept.join("ca/root.key").exists(), "what was there is kept");

    let gateway = Gateway::start(data_dir);
    assert_eq!(status_of(&gateway, &revoked), ("revoked".into(), "keyCompromise".into()));
    assert_eq!(status_of(&gateway, &issued).0, "revoked", "the backup does not know it");
    let lists = gateway.admin(&["crl", "show", "default"]).1;
    assert_eq!(lists["items"][0]["entries"], 2, "{lists}");
    assert!(crl_number(&gateway) > number, "{} after {number}", crl_number(&gateway));
    let users = gateway.admin(&["est", "user", "list"]).1.to_string();
    assert!(!users.contains("pump-1"), "what was removed stays removed: {users}");
    assert!(!users.contains("pump-2"), "and what was new is forgotten: {users}");
    assert_eq!(gateway.admin(&["audit", "verify"]).1["ok"], true);
    // From here on there is nothing to forget.
    assert_eq!(gateway.stop(), Some(0));
}

#[test]
fn a_ledger_that_cannot_be_read_is_given_up_only_when_that_is_said() {
    let GoneOn { place, backup, number, .. } = gone_on();
    let ledger = place.data_dir.join("ledger.db");
    let length = std::fs::metadata(&ledger).unwrap().len();
    std::fs::write(&ledger, vec![0xa5; usize::try_from(length).unwrap()]).unwrap();
    let output = run(&place.data_dir, &["serve", "--https", "127.0.0.1:0", "--http", "127.0.0.1:0", "--ops", "127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("ledger.db is damaged") && said.contains("certgate restore FILE"), "{said}");
    let (code, found) = command(&place.data_dir, &["ledger", "check"]);
    assert_eq!((code, &found["ok"]), (1, &false.into()), "{found}");
    let refusal = refused(&place.data_dir, &["backup", &place.path("other.tar")]);
    assert!(refusal.contains("not a database") || refusal.contains("damaged"), "{refusal}");
    assert!(!Path::new(&place.path("other.tar")).exists());

    for arguments in
        [&["restore", &*backup, "--replace"][..], &["restore", &backup, "--replace", "--forget-since", "2000-01-01T00:00:00Z"]]
    {
        assert!(not_done(&place.data_dir, arguments).1.contains("--accept-loss goes on without it"));
    }
    let said = done(&place.data_dir, &["restore", &backup, "--replace", "--accept-loss"]);
    assert_eq!(said["certificates_carried_over"], 0);
    let gateway = Gateway::start(&place.data_dir);
    assert!(crl_number(&gateway) > number, "numbers of lists are in their files, too");
    assert_eq!(gateway.admin(&["audit", "verify"]).1["ok"], true);
}

#[test]
fn keys_may_be_left_out_and_are_asked_for() {
    let place = Place::new();
    let gateway = Gateway::start(&place.data_dir);
    let backup = place.path("b.tar");
    let made = done(&place.data_dir, &["backup", &backup, "--without-keys"]);
    assert_eq!((&made["has_keys"], &made["clear_keys"]), (&false.into(), &serde_json::json!([])));
    let text = std::fs::read(&backup).unwrap();
    assert!(!text.windows(11).any(|window| window == b"PRIVATE KEY"), "not one of them is there");
    assert_eq!(gateway.stop(), Some(0));

    let there = place.directory.path().join("there");
    let said = done(&there, &["restore", &backup]);
    assert_eq!(said["missing_keys"], serde_json::json!(["ca/root.key", "ca/default.key"]));
    let start = run(&there, &["serve", "--https", "127.0.0.1:0", "--http", "127.0.0.1:0", "--ops", "127.0.0.1:0"]);
    assert!(String::from_utf8_lossy(&start.stderr).contains("root.key is missing"), "{start:?}");
    for name in ["ca/root.key", "ca/default.key"] {
        std::fs::copy(place.data_dir.join(name), there.join(name)).unwrap();
    }
    assert_eq!(Gateway::start(&there).stop(), Some(0));

    // Where keys are, they stay; and those of another CA are noticed.
    let said = done(&place.data_dir, &["restore", &backup, "--replace", "--accept-loss"]);
    assert_eq!(said["missing_keys"], serde_json::json!([]));
    assert_eq!(Gateway::start(&place.data_dir).stop(), Some(0));
    let other = Place::new();
    assert_eq!(Gateway::start(&other.data_dir).stop(), Some(0));
    let before = done(&other.data_dir, &["ledger", "check"]);
    assert!(not_done(&other.data_dir, &["restore", &backup, "--replace"]).0.contains("of another gateway"));
    let refusal = refused(&other.data_dir, &["restore", &backup, "--replace", "--accept-loss"]);
    assert!(refusal.contains("is not the certificate of the key"), "{refusal}");
    assert_eq!(done(&other.data_dir, &["ledger", "check"]), before);
    assert_eq!(Gateway::start(&other.data_dir).stop(), Some(0), "as it was");
}

/// How many CRLs there may have been since is reckoned by the clock.
#[test]
fn a_machine_whose_clock_is_behind_the_backup_restores_nothing() {
    let place = Place::new();
    let gateway = Gateway::start(&place.data_dir);
    let backup = place.path("b.tar");
    done(&place.data_dir, &["backup", &backup]);
    drop(gateway);
    let mut archive = std::fs::read(&backup).unwrap();
    let made_at = archive.windows(9).position(|window| window == b"\"made_at\"").unwrap();
    let year = made_at + archive[made_at..].iter().position(|octet| *octet == b'2').unwrap();
    archive[year] = b'9';
    std::fs::write(&backup, archive).unwrap();
    let there = place.directory.path().join("there");
    let (why, hint) = not_done(&there, &["restore", &backup]);
    assert!(why.contains("made at 9") && hint.contains("set the clock"), "{why}; {hint}");
    assert!(!there.join("ledger.db").exists(), "nothing has changed");
}

#[test]
fn a_gateway_that_runs_is_not_restored_under_its_feet() {
    let place = Place::new();
    let _gateway = Gateway::start(&place.data_dir);
    let backup = place.path("b.tar");
    done(&place.data_dir, &["backup", &backup]);
    let refusal = refused(&place.data_dir, &["restore", &backup, "--replace", "--accept-loss"]);
    assert!(refusal.contains("is used by another certgate that runs"), "{refusal}");
    assert_eq!(command(&place.data_dir, &["restore", &place.path("nowhere.tar")]).0, 3);
    assert!(refused(&place.directory.path().join("none"), &["backup", &place.path("c.tar")]).contains("there is no ledger"));
}

#[test]
fn a_root_that_went_offline_after_the_backup_stays_so() {
    let place = Place::new();
    let data_dir = &place.data_dir;
    let gateway = Gateway::start(data_dir);
    let (whole, without) = (place.path("b.tar"), place.path("w.tar"));
    done(data_dir, &["backup", &whole]);
    done(data_dir, &["backup", &without, "--without-keys"]);
    assert_eq!(gateway.stop(), Some(0));
    done(data_dir, &["ca", "export-root", &place.path("root.pem"), "--unencrypted", "--remove"]);
    let later = place.path("l.tar");
    done(data_dir, &["backup", &later, "--without-keys"]);
    let read = |name: &str| std::fs::read(data_dir.join(name)).unwrap();
    let kept = ["crl/root.crl", "ocsp/root.pem", "ocsp/root.key"].map(|name| (name, read(name)));

    for (backup, left_out) in [(&whole, serde_json::json!(["ca/root.key"])), (&without, serde_json::json!([]))] {
        let said = done(data_dir, &["restore", backup, "--replace", "--accept-loss"]);
        assert_eq!((&said["kept_offline"], &said["missing_keys"]), (&left_out, &serde_json::json!([])), "{said}");
        assert!(!data_dir.join("ca/root.key").exists());
        for (name, octets) in &kept {
            assert!(read(name) == *octets, "{name} of {backup}");
        }
    }
    let gateway = Gateway::start(data_dir);
    assert_eq!(gateway.admin(&["ca", "show", "root"]).1["backend"], "offline");
    let lists = gateway.admin(&["crl", "show", "root"]).1;
    assert!(lists["items"][0]["number"].is_u64(), "the list that was made with the key is served: {lists}");
    assert!(read("crl/root.crl") == kept[0].1);
    assert_eq!(gateway.stop(), Some(0));

    let there = place.directory.path().join("there");
    let said = done(&there, &["restore", &later]);
    assert_eq!(said["missing_keys"], serde_json::json!(["ocsp/root.key", "ca/default.key"]), "{said}");
}

#[test]
fn a_backup_has_more_files_than_may_be_open_at_first() {
    let place = Place::new();
    assert_eq!(Gateway::start(&place.data_dir).stop(), Some(0));
    let folder = place.data_dir.join("crl/many");
    std::fs::create_dir_all(&folder).unwrap();
    for shard in 1..=200 {
        std::fs::write(folder.join(format!("{shard}.crl")), "list").unwrap();
    }
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -S -n 100; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_certgate"), "--data-dir"]);
    let made = limited.arg(&place.data_dir).args(["backup", &place.path("b.tar")]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// Asserts that all that is in there is of this user.
fn assert_owned(path: &Path, user: u32) {
    let found = std::fs::symlink_metadata(path).unwrap();
    assert_eq!((found.uid(), found.gid()), (user, user), "{}", path.display());
    if found.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            assert_owned(&entry.unwrap().path(), user);
        }
    }
}

/// Root alone can give files away: for anybody else there is nothing to see.
#[test]
fn what_root_restores_is_of_whom_the_data_directory_is() {
    const OTHER: u32 = 65_534;
    let place = Place::new();
    assert_eq!(Gateway::start(&place.data_dir).stop(), Some(0));
    let backup = place.path("b.tar");
    done(&place.data_dir, &["backup", &backup]);
    let there = place.directory.path().join("there");
    std::fs::create_dir(&there).unwrap();
    if chown(&there, Some(OTHER), Some(OTHER)).is_err() {
        return;
    }
    done(&there, &["restore", &backup, "--dry-run"]);
    assert_owned(&there, OTHER);
    done(&there, &["restore", &backup]);
    done(&there, &["restore", &backup, "--replace", "--accept-loss"]);
    assert_owned(&there, OTHER);
}
