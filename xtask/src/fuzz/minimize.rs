//! `cargo xtask fuzz --minimize`: of what long runs have found, the committed corpora get the fewest inputs that reach as much.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{committed_corpus, libfuzzer, work_corpus};
use crate::{
    process,
    report::{Outcome, Report},
    tree,
};

/// Longest input that is added, in octets.
const MOST_OCTETS: usize = 4096;
/// Most inputs that are added for a target.
const MOST_ADDED: usize = 100;
/// How long a merge may take.
const MERGE_SECONDS: u32 = 3600;

/// Minimizes the corpora of these, each counted into `report`.
pub(super) fn all(report: &mut Report, targets: &[String]) -> Result<()> {
    let built = libfuzzer::build()?;
    for target in targets {
        report.check(&format!("minimize {target}"), || minimize(&built, target));
    }
    Ok(())
}

fn minimize(built: &Path, target: &str) -> Result<Outcome> {
    let (committed, work) = (committed_corpus(target), work_corpus(target));
    let found = tree::files(&work, "")?;
    if found.is_empty() {
        return Ok(Outcome::Skipped("it has not run for long".to_owned()));
    }
    let (added, seeds): (Vec<_>, Vec<_>) = tree::files(&committed, "")?.into_iter().partition(|path| is_found(path));
    let mut merged = Merged::of(built, target, &seeds, &[&work, &committed], &[])?;
    if merged.added.len() > MOST_ADDED {
        // Each branch once, and no longer how often it was taken.
        merged = Merged::of(built, target, &seeds, &[&merged.folder()], &["-use_counters=0"])?;
    }
    merged.added.sort_by_key(|path| std::fs::metadata(path).map_or(u64::MAX, |about| about.len()));
    let reach = merged.added.len();
    merged.added.truncate(MOST_ADDED);
    for old in &added {
        std::fs::remove_file(old)?;
    }
    for new in &merged.added {
        std::fs::copy(new, committed.join(new.file_name().unwrap_or_default()))?;
    }
    let (kept, found, seeds) = (merged.added.len(), found.len() + added.len(), seeds.len());
    println!("        {target}: {kept} of {reach} inputs that are worth keeping, of {found}, beside {seeds} with names");
    Ok(Outcome::Passed)
}

/// The fewest inputs that reach what others do.
struct Merged {
    folder: tempfile::TempDir,
    /// Those that are no seeds.
    added: Vec<PathBuf>,
}

impl Merged {
    /// Of all in these folders, beyond what the seeds reach.
    fn of(built: &Path, target: &str, seeds: &[PathBuf], from: &[&Path], how: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for seed in seeds {
            std::fs::copy(seed, folder.path().join(seed.file_name().context("a seed has a name")?))?;
        }
        let mut command = process::limited(MERGE_SECONDS, built.join(target));
        libfuzzer::arguments(&mut command, target)?;
        command.arg("-set_cover_merge=1").arg(format!("-max_len={MOST_OCTETS}")).args(how).arg(folder.path()).args(from);
        let output = process::attempt(&mut command)?;
        if !output.status.success() {
            bail!("{}", libfuzzer::finding(&String::from_utf8_lossy(&output.stderr)));
        }
        let added = tree::files(folder.path(), "")?.into_iter().filter(|path| is_found(path)).collect();
        Ok(Self { folder, added })
    }

    fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

/// libFuzzer names what it finds after its SHA-1; seeds have names that say something.
fn is_found(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.len() == 40 && name.bytes().all(|octet| octet.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::is_found;

    #[test]
    fn seeds_with_names_are_told_from_what_was_found() {
        assert!(is_found(Path::new("corpus/csr/da39a3ee5e6b4b0d3255bfef95601890afd80709")));
        for seed in [
            "p256",
            "made",
            "granted-names",
            "da39a3ee5e6b4b0d3255bfef95601890afd8070",
            "za39a3ee5e6b4b0d3255bfef95601890afd80709",
        ] {
            assert!(!is_found(&Path::new("corpus/csr").join(seed)), "{seed}");
        }
    }
}
