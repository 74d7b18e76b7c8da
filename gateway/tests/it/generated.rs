//! What the binary writes of itself: schema, completions, man pages.

use std::process::Command;

use crate::process::run;

#[test]
fn the_schema_is_json() {
    let directory = tempfile::tempdir().unwrap();
    let told = run(directory.path(), &["config", "schema"]);
    let schema: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["properties"]["limits"]["additionalProperties"], false);
}

#[test]
fn completions_for_each_shell() {
    let directory = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let told = run(directory.path(), &["completions", shell]);
        let script = String::from_utf8(told.stdout).unwrap();
        assert!(told.status.success() && script.contains("expires-before"), "{shell}");
    }
    assert_eq!(run(directory.path(), &["completions", "tcsh"]).status.code(), Some(2));
    // What the shell says of it, where there is one.
    let file = directory.path().join("certgate.bash");
    std::fs::write(&file, run(directory.path(), &["completions", "bash"]).stdout).unwrap();
    if let Ok(checked) = Command::new("bash").arg("-n").arg(&file).output() {
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
}

#[test]
fn a_man_page_for_each_command() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("man/man1");
    let told = run(directory.path(), &["man", folder.to_str().unwrap()]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let mut pages: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|page| page.unwrap().path()).collect();
    pages.sort();
    assert!(pages.len() > 25, "{pages:?}");
    for name in ["certgate.1", "certgate-serve.1", "certgate-est-user-add.1", "certgate-config-schema.1", "certgate-man.1"] {
        assert!(folder.join(name).exists(), "{name}: {pages:?}");
    }
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{}", page.display());
        // What a formatter says of it, where there is one.
        if let Ok(checked) = Command::new("groff").args(["-man", "-ww", "-z"]).arg(&page).output() {
            let said = String::from_utf8_lossy(&checked.stderr).into_owned();
            assert!(checked.status.success() && said.is_empty(), "{}: {said}", page.display());
        }
    }
    let (told, file) = (directory.path().join("file"), "");
    std::fs::write(&told, file).unwrap();
    assert_eq!(run(directory.path(), &["man", told.to_str().unwrap()]).status.code(), Some(1), "a file is no folder");
}
