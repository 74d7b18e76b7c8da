//! `certgate config check` on files with one fault each. The first line of each file is what is expected of it: line and message.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::run;

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn each_fault_is_told_with_its_line_and_what_would_be_right() {
    let directory = tempfile::tempdir().unwrap();
    let files = fixtures();
    assert!(files.len() >= 30, "{}", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let expected = text.lines().next().and_then(|line| line.strip_prefix("# expected: ")).unwrap();
        let name = file.to_str().unwrap();
        let expected = format!("{name}:{expected}");

        let told = run(directory.path(), &["--config", name, "config", "check"]);
        let stderr = String::from_utf8(told.stderr).unwrap();
        assert_eq!(told.status.code(), Some(1), "{name}");
        assert_eq!(stderr.lines().next(), Some(format!("certgate: {expected}").as_str()));
        assert!(told.stdout.is_empty(), "{name}");

        let told = run(directory.path(), &["--output", "json", "--config", name, "config", "check"]);
        let said: Value = serde_json::from_slice(&told.stderr).unwrap();
        assert_eq!((told.status.code(), &said["error"]["code"]), (Some(1), &Value::from("failed")), "{name}");
        assert_eq!(said["error"]["message"], expected);
        assert!(said["error"]["hint"].as_str().unwrap().contains("certgate config default"), "{name}");
    }
}

#[test]
fn what_is_worth_a_second_look_is_told_and_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("certgate.toml");
    let authority = "[[authority]]\nname = \"default\"\nsubject = \"CN=Example\"\n";
    let listener = "[[listener]]\nbind = \"127.0.0.1:0\"\ntls = true\n";
    let est = "[[endpoint]]\nprotocol = \"est\"\nname = \"default\"\nprofile = \"default\"\n";
    let profile = "[[profile]]\nauthority = \"default\"\n";
    for (text, expected) in [
        (format!("{authority}public_url = \"https://pki.example.com\"\n"), "authority \"default\": public_url is https"),
        (
            format!("{authority}external = true\nocsp = {{ unissued = \"good\" }}\n"),
            "authority \"default\": with ocsp.unissued = \"good\", certificates that are forged or forgotten are called good",
        ),
        (
            format!("{authority}key = \"rsa2048\"\n"),
            "authority \"default\": rsa2048 is held to be enough until the end of 2030",
        ),
        (format!("{profile}name = \"default\"\n{profile}name = \"spare\"\n"), "profile \"spare\": no endpoint issues by it"),
        (format!("{profile}name = \"default\"\nvalidity = \"2000d\"\n"), "profile \"default\": validity (2000d) is longer"),
        (format!("{listener}serves = [\"est\"]\n"), "endpoint \"default\" of scep: no listener serves scep"),
        (
            format!("{listener}serves = [\"est\", \"acme\", \"scep\"]\n{est}"),
            "it serves scep, and there is no endpoint of scep",
        ),
        (format!("{listener}serves = [\"est\"]\n"), "no listener serves crl or ocsp"),
        ("[[listener]]\nbind = \"0.0.0.0:0\"\nserves = [\"ops\"]\n".to_owned(), "health and metrics can be read by everyone"),
        (
            "[[authority]]\nname = \"r\"\nsubject = \"CN=R\"\nvalidity = \"30d\"\n\
             [[authority]]\nname = \"default\"\nissuer = \"r\"\nsubject = \"CN=I\"\nvalidity = \"31d\"\n"
                .to_owned(),
            "authority \"default\": validity (31d) is longer than that of its issuer (30d)",
        ),
    ] {
        std::fs::write(&file, &text).unwrap();
        let told = run(directory.path(), &["config", "check"]);
        let stderr = String::from_utf8(told.stderr).unwrap();
        assert_eq!(told.status.code(), Some(0), "{text}{stderr}");
        let is_told = stderr.lines().any(|line| line.starts_with("warning: ") && line.contains(expected));
        assert!(is_told, "{text}\n{stderr}");
        let told = run(directory.path(), &["--output", "json", "config", "check"]);
        let said: Value = serde_json::from_slice(&told.stdout).unwrap();
        let warnings = said["warnings"].as_array().unwrap();
        assert!(warnings.iter().any(|warning| warning.as_str().unwrap().contains(expected)), "{said}");
    }
    std::fs::remove_file(&file).unwrap();
    let told = run(directory.path(), &["config", "check"]);
    assert!(told.stderr.is_empty(), "the embedded one gives no cause: {}", String::from_utf8_lossy(&told.stderr));
}
