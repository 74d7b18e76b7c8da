//! What is lost is refused at the start, with the file to restore; it is never made anew in silence.

use std::path::Path;

use crate::process::{Gateway, run};

/// A data directory that a gateway has used and left.
fn used() -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("d");
    assert_eq!(Gateway::start(&data_dir).stop(), Some(0));
    (directory, data_dir)
}

/// Why a start is refused.
fn refusal(data_dir: &Path) -> String {
    let any = "127.0.0.1:0";
    let output = run(data_dir, &["serve", "--https", any, "--http", any, "--ops", any]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("certgate ready"));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_lost_ledger_or_key_is_refused_and_works_again_when_it_is_restored() {
    let (directory, data_dir) = used();
    for (name, said) in
        [("ledger.db", "no ledger.db"), ("ca/root.key", "root.key is missing"), ("ca/default.key", "default.key is missing")]
    {
        let kept = directory.path().join("kept");
        std::fs::rename(data_dir.join(name), &kept).unwrap();
        let refused = refusal(&data_dir);
        assert!(refused.contains(said), "{name}: {refused}");
        assert!(!data_dir.join(name).exists(), "{name} was not made anew");
        std::fs::rename(&kept, data_dir.join(name)).unwrap();
        assert_eq!(Gateway::start(&data_dir).stop(), Some(0), "{name} is there again");
    }
}

#[test]
fn a_lost_certificate_file_is_written_again_from_the_ledger() {
    let (_directory, data_dir) = used();
    for name in ["ca/root.pem", "ca/default.pem"] {
        let before = std::fs::read(data_dir.join(name)).unwrap();
        std::fs::remove_file(data_dir.join(name)).unwrap();
        assert_eq!(Gateway::start(&data_dir).stop(), Some(0));
        assert_eq!(std::fs::read(data_dir.join(name)).unwrap(), before, "{name}");
    }
}

#[test]
fn a_ledger_and_keys_of_different_installations_are_refused() {
    let (_one, data_dir) = used();
    let (_other, other) = used();
    std::fs::remove_dir_all(data_dir.join("ca")).unwrap();
    std::fs::rename(other.join("ca"), data_dir.join("ca")).unwrap();
    let refused = refusal(&data_dir);
    assert!(
        refused.contains("root.pem (CN=certgate Root CA, SHA-256 ") && refused.contains(") is not in the ledger"),
        "{refused}"
    );
    assert!(refused.contains("restore ledger.db and all of ca/ from one backup"), "{refused}");
}

/// Lays a file of one data directory over that of another.
fn lay_over(from: &Path, to: &Path, name: &str) {
    std::fs::copy(from.join(name), to.join(name)).unwrap();
}

#[test]
fn whatever_of_ca_and_ledger_disagrees_is_refused_with_what_to_do() {
    let (_one, data_dir) = used();
    let (_other, other) = used();
    let original = tempfile::tempdir().unwrap();
    std::fs::create_dir(original.path().join("ca")).unwrap();
    let all = ["ledger.db", "ca/root.pem", "ca/root.key", "ca/default.pem", "ca/default.key", "ca/default.chain.pem"];
    all.iter().for_each(|name| lay_over(&data_dir, original.path(), name));
    let restore = "restore ledger.db and all of ca/ from one backup, or start with an empty data directory";
    for (swapped, expected) in [
        (&["ca/root.pem", "ca/root.key"][..], "root.pem (CN=certgate Root CA, SHA-256 "),
        (&["ca/default.pem", "ca/default.key"], "default.pem (CN=certgate Issuing CA, SHA-256 "),
        (&["ca/root.pem"], "root.pem is not the certificate of the key in "),
        (&["ca/root.key"], "root.pem is not the certificate of the key in "),
        (&["ca/default.key"], "default.pem is not the certificate of the key in "),
        (&["ledger.db"], "root.pem (CN=certgate Root CA, SHA-256 "),
    ] {
        swapped.iter().for_each(|name| lay_over(&other, &data_dir, name));
        let refused = refusal(&data_dir);
        assert!(refused.contains(expected) && refused.contains(restore), "{swapped:?}: {refused}");
        swapped.iter().for_each(|name| lay_over(original.path(), &data_dir, name));
    }
    // The one authority in the other's place: known to the ledger, and as something else.
    for kind in ["pem", "key"] {
        std::fs::copy(data_dir.join(format!("ca/default.{kind}")), data_dir.join(format!("ca/root.{kind}"))).unwrap();
    }
    let refused = refusal(&data_dir);
    assert!(refused.contains("root.pem is the certificate of another authority, CN=certgate Issuing CA"), "{refused}");
    all.iter().for_each(|name| lay_over(original.path(), &data_dir, name));

    // Wiped: the one, then the other.
    std::fs::rename(data_dir.join("ca"), data_dir.join("kept")).unwrap();
    let refused = refusal(&data_dir);
    assert!(
        refused.contains("root.key is missing, and certificates of this authority exist") && refused.contains(restore),
        "{refused}"
    );
    std::fs::remove_dir_all(data_dir.join("ca")).unwrap();
    std::fs::rename(data_dir.join("kept"), data_dir.join("ca")).unwrap();
    std::fs::remove_file(data_dir.join("ledger.db")).unwrap();
    let refused = refusal(&data_dir);
    assert!(
        refused.contains("has keys in ca/ but no ledger.db") && refused.contains("Restore ledger.db from a backup"),
        "{refused}"
    );
    lay_over(original.path(), &data_dir, "ledger.db");
    assert_eq!(Gateway::start(&data_dir).stop(), Some(0), "as it was");
}

#[test]
fn what_stands_where_the_socket_would_be_is_left_alone() {
    let (directory, data_dir) = used();
    let path = directory.path().join("precious");
    std::fs::write(&path, "kept").unwrap();
    let any = "127.0.0.1:0";
    let socket = path.to_str().unwrap();
    let output = run(&data_dir, &["--socket", socket, "serve", "--https", any, "--http", any, "--ops", any]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is no socket"));
    assert_eq!(std::fs::read(&path).unwrap(), b"kept");

    // A socket that somebody listens on is somebody's.
    let listener = std::os::unix::net::UnixListener::bind(directory.path().join("theirs")).unwrap();
    let theirs = directory.path().join("theirs");
    let output = run(&data_dir, &["--socket", theirs.to_str().unwrap(), "serve", "--https", any, "--http", any, "--ops", any]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("is in use by another process"));
    drop(listener);
    assert!(theirs.exists());
}
