//! Keys that others have too.

use std::str::FromStr;

/// Octets of a SHA-256.
const DIGEST: usize = 32;
/// Longest line of a list, in octets.
const MAX_LINE: usize = 512;

/// Keys that are known to be compromised: published, leaked, shared between devices, or made without randomness. Nothing is certified for
/// them. A key is known by the SHA-256 of its SubjectPublicKeyInfo, DER; the keys that certgate reads have one encoding each.
///
/// As a text: one digest a line, 64 hexadecimal digits of either case. `#` begins a comment, on a line of its own or behind a digest.
/// Blank lines and white space around a digest count for nothing, nor do order and repetitions. A line has at most 512 octets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompromisedKeys {
    /// Ascending, each once: 32 octets a key, and some 20 comparisons among a million.
    digests: Vec<[u8; DIGEST]>,
}

/// The text is no list of keys; says where and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct InvalidCompromisedKeys {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: CompromisedKeysFault,
}

/// What is wrong with a line of a list of compromised keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompromisedKeysFault {
    /// More than 512 octets.
    #[error("longer than {MAX_LINE} octets")]
    TooLong,
    /// Not 64 hexadecimal digits.
    #[error("expected the SHA-256 of a SubjectPublicKeyInfo, 64 hexadecimal digits, or a comment behind `#`")]
    NoDigest,
}

impl CompromisedKeys {
    /// Is this the SHA-256 of one of their SubjectPublicKeyInfos?
    #[must_use]
    pub fn contains(&self, spki_sha256: &[u8; DIGEST]) -> bool {
        self.digests.binary_search(spki_sha256).is_ok()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.digests.len()
    }

    /// Are there none?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }
}

impl FromIterator<[u8; DIGEST]> for CompromisedKeys {
    fn from_iter<T: IntoIterator<Item = [u8; DIGEST]>>(digests: T) -> Self {
        let mut digests: Vec<_> = digests.into_iter().collect();
        digests.sort_unstable();
        digests.dedup();
        Self { digests }
    }
}

impl FromStr for CompromisedKeys {
    type Err = InvalidCompromisedKeys;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lines = (1..).zip(text.lines());
        lines
            .filter_map(|(line, text)| read_line(text).map_err(|fault| InvalidCompromisedKeys { line, fault }).transpose())
            .collect()
    }
}

/// The digest of a line, if there is one in it.
fn read_line(line: &str) -> Result<Option<[u8; DIGEST]>, CompromisedKeysFault> {
    if line.len() > MAX_LINE {
        return Err(CompromisedKeysFault::TooLong);
    }
    let hex = line.split('#').next().unwrap_or_default().trim();
    if hex.is_empty() {
        return Ok(None);
    }
    let mut digest = [0; DIGEST];
    match base16ct::mixed::decode(hex, &mut digest) {
        Ok(read) if read.len() == DIGEST => Ok(Some(digest)),
        _ => Err(CompromisedKeysFault::NoDigest),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn comments_and_blanks_count_for_nothing() {
        let (one, two) = ("0a".repeat(32), "FE".repeat(32));
        let text = format!("# keys of routers\n\n  {two}\t# model 7\r\n{one}\n#{one}\n{two}");
        let keys: CompromisedKeys = text.parse().unwrap();
        assert_eq!(keys, [[0xfe; 32], [0x0a; 32]].into_iter().collect());
        assert_eq!((keys.len(), keys.contains(&[0xfe; 32]), keys.contains(&[0xff; 32])), (2, true, false));
        assert_eq!("".parse(), Ok(CompromisedKeys::default()));
    }

    #[test]
    fn a_wrong_line_is_named() {
        let good = "0a".repeat(32);
        let longest = format!("{good} #{}", "x".repeat(MAX_LINE - 66));
        assert_eq!(longest.parse::<CompromisedKeys>().unwrap().len(), 1);
        for (wrong, fault) in [
            (good[1..].to_owned(), CompromisedKeysFault::NoDigest),
            (format!("{good}0b"), CompromisedKeysFault::NoDigest),
            (format!("{good} router.pem"), CompromisedKeysFault::NoDigest),
            (format!("{}:", &good[1..]), CompromisedKeysFault::NoDigest),
            (format!("sha256:{good}"), CompromisedKeysFault::NoDigest),
            ("ä".repeat(32), CompromisedKeysFault::NoDigest),
            (format!("{longest}x"), CompromisedKeysFault::TooLong),
        ] {
            let text = format!("# list\n\n{good}\n{wrong}\n");
            assert_eq!(text.parse::<CompromisedKeys>(), Err(InvalidCompromisedKeys { line: 4, fault }), "{wrong}");
        }
        let error = "x".parse::<CompromisedKeys>().unwrap_err().to_string();
        assert!(error.starts_with("line 1: expected the SHA-256"), "{error}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_found(keys in vec(any::<[u8; 32]>(), 0..50), other in any::<[u8; 32]>()) {
            let text: String = keys.iter().map(|key| base16ct::lower::encode_string(key) + "\n").collect();
            let list: CompromisedKeys = text.parse().unwrap();
            prop_assert!(keys.iter().all(|key| list.contains(key)));
            prop_assert_eq!(list.contains(&other), keys.contains(&other));
        }

        #[test]
        fn any_text(text in any::<String>()) {
            let _ = text.parse::<CompromisedKeys>();
        }
    }
}
