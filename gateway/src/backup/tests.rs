//! What is no backup, or not a whole one, is taken for none; what is in place once stays there.

use std::path::Path;

use certgate_pki::Timestamp;

use super::manifest::{FORMAT, Manifest, Member};
use super::place::{Staging, finish};
use super::{archive, files, staged};

const NOW: Timestamp = Timestamp::from_seconds(1_796_000_000);

/// What is done to a manifest before it is written.
type Change<'c> = &'c dyn Fn(&mut Manifest);

/// A manifest of these files, and the archive that its writer makes of them, as it is or changed.
fn archive_of(directory: &Path, contents: &[(&str, &str)], change: impl FnOnce(&mut Manifest)) -> Vec<u8> {
    let mut opened = Vec::new();
    for (index, (name, text)) in contents.iter().enumerate() {
        let path = directory.join(index.to_string());
        std::fs::write(&path, text).unwrap();
        opened.push(files::open(&path, name).unwrap());
    }
    let mut manifest = Manifest {
        format: FORMAT,
        certgate: "0".into(),
        made_at: NOW.to_string(),
        schema: 1,
        events: 0,
        head: String::new(),
        certificates: 0,
        not_good: 0,
        crl_numbers: Vec::new(),
        has_keys: true,
        config: None,
        files: opened.iter().map(|one| one.member.clone()).collect(),
    };
    change(&mut manifest);
    let mut archive = Vec::new();
    archive::write(&manifest, opened, NOW.seconds(), &mut archive).unwrap();
    archive
}

fn unpacked(archive: &[u8]) -> Result<(tempfile::TempDir, Manifest), String> {
    let into = tempfile::tempdir().unwrap();
    let manifest = archive::unpack(archive, into.path()).map_err(|error| format!("{error:#}"))?;
    Ok((into, manifest))
}

const CONTENTS: [(&str, &str); 3] = [("ledger.db", "ledger"), ("ca/root.key", "secret"), ("crl/a/1/delta.crl", "list")];

#[test]
fn an_archive_is_what_its_manifest_says_or_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let good = archive_of(directory.path(), &CONTENTS, |_| {});
    let (into, manifest) = unpacked(&good).unwrap();
    assert_eq!(manifest.files.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), CONTENTS.map(|(name, _)| name));
    for (name, text) in CONTENTS {
        assert_eq!(std::fs::read_to_string(into.path().join(name)).unwrap(), text);
    }
    let more = |manifest: &mut Manifest| {
        manifest.files.push(Member { name: "ca/other.key".into(), octets: 1, sha256: String::new() });
    };
    let fewer = |manifest: &mut Manifest| drop(manifest.files.pop());
    let swapped = |manifest: &mut Manifest| manifest.files.swap(0, 1);
    let other = |manifest: &mut Manifest| manifest.files[1].sha256 = manifest.files[0].sha256.clone();
    let longer = |manifest: &mut Manifest| manifest.files[1].octets += 1;
    let newer = |manifest: &mut Manifest| manifest.format += 1;
    let changes: [(Change<'_>, &str); 6] = [
        (&more, "cut short"),
        (&fewer, "does not name: crl/a/1/delta.crl"),
        (&swapped, "has ledger.db where its manifest has ca/root.key"),
        (&other, "ca/root.key is damaged in the backup"),
        (&longer, "of 7 octets"),
        (&newer, "form 2, and this certgate reads form 1"),
    ];
    for (change, expected) in changes {
        let refused = unpacked(&archive_of(directory.path(), &CONTENTS, change)).unwrap_err();
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
    for name in ["ca/../../escape", "lock", "tls/server.key"] {
        let renamed = |manifest: &mut Manifest| manifest.files[0].name = name.to_owned();
        let refused = unpacked(&archive_of(directory.path(), &CONTENTS, renamed)).unwrap_err();
        assert!(refused.contains("does not belong"), "{name}: {refused}");
    }
}

#[test]
fn an_archive_that_is_cut_or_spoiled_anywhere_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let good = archive_of(directory.path(), &CONTENTS, |_| {});
    // Two blocks of zeros end it, and whoever loses those has lost nothing.
    for length in (0..good.len() - 1024).step_by(97) {
        assert!(unpacked(&good[..length]).is_err(), "cut after {length}");
    }
    let at = good.windows(6).position(|window| window == b"secret").unwrap();
    let mut spoiled = good.clone();
    spoiled[at] ^= 1;
    assert!(unpacked(&spoiled).unwrap_err().contains("ca/root.key is damaged"));
    for garbage in [&b"age-encryption.org/v1\n-> X25519 abc"[..], &[0xa5; 4096], b""] {
        assert!(unpacked(garbage).unwrap_err().contains("no backup"), "{garbage:?}");
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// Everything that is there goes but the configuration; the folder says so by its name.
#[test]
fn what_is_decided_on_is_put_in_place_and_what_was_there_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for name in ["ledger.db", "ledger.db-wal", "ca/old.key", "tls/server.key", "first-start", "certgate.toml", "lock"] {
        write(&root.join(name), "old");
    }
    let staging = Staging::begin(root, NOW).unwrap();
    for name in ["ledger.db", "ca/new.key"] {
        write(&staging.comes().join(name), "new");
    }
    let replaced = staging.decide().unwrap().unwrap();
    assert!(replaced.file_name().unwrap().to_str().unwrap().starts_with("replaced-2026"), "{}", replaced.display());
    for name in ["ledger.db", "ca/new.key"] {
        assert_eq!(read(&root.join(name)).as_deref(), Some("new"), "{name}");
    }
    for name in ["ledger.db-wal", "ca/old.key", "tls/server.key", "first-start"] {
        assert_eq!(read(&root.join(name)), None, "{name}");
        assert_eq!(read(&replaced.join(name)).as_deref(), Some("old"), "{name}");
    }
    assert_eq!((read(&root.join("certgate.toml")).as_deref(), read(&root.join("lock")).as_deref()), (Some("old"), Some("old")));
    assert_eq!(finish(root).unwrap(), None, "there is nothing more to do");

    // The next one, with a configuration: another folder, though it is the same second.
    let staging = Staging::begin(root, NOW).unwrap();
    write(&staging.comes().join("certgate.toml"), "new");
    let again = staging.decide().unwrap().unwrap();
    assert_ne!(again, replaced);
    assert_eq!(read(&again.join("certgate.toml")).as_deref(), Some("old"));
    assert_eq!(read(&root.join("certgate.toml")).as_deref(), Some("new"));
}

#[test]
fn what_is_not_decided_on_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    write(&directory.path().join("ledger.db"), "old");
    let staging = Staging::begin(directory.path(), NOW).unwrap();
    write(&staging.comes().join("ledger.db"), "new");
    std::mem::forget(staging);
    assert_eq!(finish(directory.path()).unwrap(), None);
    assert_eq!(read(&directory.path().join("ledger.db")).as_deref(), Some("old"));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "and it is gone");
}

#[test]
fn authorities_that_the_backup_does_not_have_come_along_whole() {
    let directory = tempfile::tempdir().unwrap();
    let (comes, there) = (directory.path().join("comes"), directory.path().join("there"));
    for name in ["ca/root.key", "ca/root.pem", "ca/default.pem"] {
        write(&comes.join(name), "backup");
    }
    let new = ["ca/plant.key", "ca/plant.pem", "ca/plant.chain.pem", "ca/plant.root.pem", "ca/waits.key", "ca/away.pem"];
    let old = ["ca/root.key", "ca/root.pem", "ca/default.key", "ca/default.pem", "ca/default.chain.pem"];
    for name in new.into_iter().chain(old) {
        write(&there.join(name), "there");
    }
    staged::take_new_authorities(&comes, &there).unwrap();
    for name in new {
        assert_eq!(read(&comes.join(name)).as_deref(), Some("there"), "{name}");
    }
    for name in ["ca/root.key", "ca/root.pem", "ca/default.pem"] {
        assert_eq!(read(&comes.join(name)).as_deref(), Some("backup"), "{name}");
    }
    for name in ["ca/default.key", "ca/default.chain.pem"] {
        assert_eq!(read(&comes.join(name)), None, "{name}");
    }
    // A key that is kept elsewhere by now does not come back.
    assert_eq!(staged::leave_key_out(&comes, "root").unwrap().as_deref(), Some("ca/root.key"));
    assert_eq!(staged::leave_key_out(&comes, "root").unwrap(), None);
    assert_eq!(read(&comes.join("ca/root.key")), None);
}

#[test]
fn the_responder_of_a_key_that_is_elsewhere_is_of_one_place() {
    let directory = tempfile::tempdir().unwrap();
    let (comes, there) = (directory.path().join("comes"), directory.path().join("there"));
    let provider = certgate_crypto::provider();
    let keep = |has_keys| staged::keep_responder(&comes, &there, ("root", has_keys), &provider).unwrap();
    for name in ["ocsp/root.key", "ocsp/root.pem"] {
        write(&comes.join(name), "backup");
        write(&there.join(name), "another gateway's");
    }
    keep(true);
    for name in ["ocsp/root.key", "ocsp/root.pem"] {
        assert_eq!(read(&comes.join(name)).as_deref(), Some("backup"), "{name}: the root has not signed the other one");
    }
    // A backup without keys: what is there of a key came from the data directory.
    std::fs::remove_file(there.join("ocsp/root.pem")).unwrap();
    keep(false);
    let left = ["ocsp/root.key", "ocsp/root.pem"].map(|name| read(&comes.join(name)));
    assert_eq!(left, [None, Some("backup".to_owned())]);
}
