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
    assert!(refusal(&data_dir).contains("is not in the ledger"));
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
