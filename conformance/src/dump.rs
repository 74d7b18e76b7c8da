//! What `dumpasn1` says of an encoding, where it is installed.

use std::{path::Path, path::PathBuf, time::Duration};

use crate::{
    certificate::hex,
    key::random,
    transport::command,
    verdict::{Stop, require},
};

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(60);

/// What stands before octet strings of hashes and random octets, and how many octets follow: subjectKeyIdentifier (RFC 5280 §4.2.1.2),
/// messageDigest by SHA-256, SHA-384 and SHA-512 (RFC 5652 §11.2), senderNonce and recipientNonce (RFC 8894 §3.2.1.5).
const RANDOM: [(&[u8], usize); 6] = [
    (&[0x55, 0x1d, 0x0e, 0x04, 0x16, 0x04, 0x14], 20),
    (&[0x0d, 0x01, 0x09, 0x04, 0x31, 0x22, 0x04, 0x20], 32),
    (&[0x0d, 0x01, 0x09, 0x04, 0x31, 0x32, 0x04, 0x30], 48),
    (&[0x0d, 0x01, 0x09, 0x04, 0x31, 0x42, 0x04, 0x40], 64),
    (&[0x45, 0x01, 0x09, 0x05, 0x31, 0x12, 0x04, 0x10], 16),
    (&[0x45, 0x01, 0x09, 0x06, 0x31, 0x12, 0x04, 0x10], 16),
];

/// What `dumpasn1` is given in place of an encoding: the octets of hashes and nonces are plain. It looks for values within octet strings,
/// and takes random octets for one whenever their second octet happens to be the right length.
pub(crate) fn plain(der: &[u8]) -> Vec<u8> {
    let mut plain = der.to_vec();
    for (prefix, length) in RANDOM {
        let starts = der.windows(prefix.len()).enumerate().filter(|(_, window)| *window == prefix);
        for (start, _) in starts {
            let octets = start + prefix.len()..start + prefix.len() + length;
            if let Some(octets) = plain.get_mut(octets) {
                octets.fill(b'U');
            }
        }
    }
    plain
}

/// Whether a complaint of it is none, by the line of the object that it is about.
pub(crate) type Excuse = fn(object: &str, complaint: &str) -> bool;

/// Whether it finds nothing wrong; false when it is not installed.
///
/// # Errors
/// What it finds.
pub(crate) fn finds_nothing(der: &[u8]) -> Result<bool, Stop> {
    finds_nothing_but(der, |_, _| false)
}

/// The same, but for what is excused.
///
/// # Errors
/// What it finds.
pub(crate) fn finds_nothing_but(der: &[u8], is_excused: Excuse) -> Result<bool, Stop> {
    let directory = Scratch::new()?;
    let path = directory.path().join("message.der");
    std::fs::write(&path, plain(der)).map_err(|error| Stop::Fail(format!("in the suite: {}: {error}", path.display())))?;
    let argv = ["dumpasn1".into(), "-a".into(), path.display().to_string()];
    let Some((output, _, complaint)) = command::finish(&argv, LIMIT)? else { return Ok(false) };
    let verdict = judge_but(&format!("{output}{complaint}"), is_excused);
    require(verdict.is_ok(), || format!("dumpasn1: {}", verdict.err().unwrap_or_default()))?;
    Ok(true)
}

/// The last line is `N warnings, N errors.`; a date that a 32-bit time_t cannot hold counts there as an error, and is none here.
///
/// # Errors
/// The lines that tell what is wrong.
pub(crate) fn judge(output: &str) -> Result<(), String> {
    judge_but(output, |_, _| false)
}

fn judge_but(output: &str, is_excused: Excuse) -> Result<(), String> {
    let mut object = "";
    let mut excused = 0;
    for line in output.lines() {
        match line.split_once("Error: ") {
            Some((_, complaint)) => {
                excused += usize::from(complaint.contains("in a 32-bit time_t") || is_excused(object, complaint));
            }
            None => object = line,
        }
    }
    let summary = output.lines().rev().find(|line| line.contains("warning") && line.contains("error")).unwrap_or_default();
    let counts: Vec<usize> = summary.split(' ').filter_map(|word| word.parse().ok()).collect();
    match counts.as_slice() {
        [0, errors] if *errors == excused => Ok(()),
        [_, _] => {
            Err(output.lines().filter(|line| line.contains("rror") || line.contains("arning")).collect::<Vec<_>>().join("; "))
        }
        _ => Err(format!("no summary in {output:?}")),
    }
}

/// A directory that is gone afterwards.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Result<Self, Stop> {
        let name = format!("certgate-conformance-{}", hex(&random::<8>()?));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).map_err(|error| Stop::Fail(format!("in the suite: {}: {error}", path.display())))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_octets_are_made_plain_and_nothing_else() {
        let identifier = [&[0x06, 0x03, 0x55, 0x1d, 0x0e, 0x04, 0x16, 0x04, 0x14, 0x01, 0x12][..], &[7; 19]].concat();
        let made = plain(&identifier);
        assert_eq!((&made[..9], &made[9..29], made[29]), (&identifier[..9], &[b'U'; 20][..], 7));
        assert_eq!(plain(&identifier[..20]), identifier[..20], "cut off: left as it is");
    }

    #[test]
    fn late_dates_are_no_errors_of_the_dump() {
        let late = "Error: Time value cannot be represented in a 32-bit time_t.\n";
        judge("...\n0 warnings, 0 errors.\n").expect("clean");
        judge(&format!("{late}0 warnings, 1 error.\n")).expect("only late");
        judge(&format!("{late}0 warnings, 2 errors.\n")).expect_err("one error more");
        judge("1 warning, 0 errors.\n").expect_err("a warning");
        judge("").expect_err("nothing at all");
    }
}
