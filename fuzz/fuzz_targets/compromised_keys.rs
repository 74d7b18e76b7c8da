//! Lists of compromised keys: what is accepted is what another reader finds, and nothing else.
#![no_main]

use std::collections::BTreeSet;

use certgate_policy::{CompromisedKeys, CompromisedKeysFault};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lines: Vec<_> = text.lines().map(read).collect();
    let wrong = (1..).zip(&lines).find_map(|(line, read)| read.err().map(|fault| (line, fault)));
    let list = match text.parse::<CompromisedKeys>() {
        Ok(list) => list,
        Err(error) => return assert_eq!(Some((error.line, error.fault)), wrong, "the first wrong line is named"),
    };
    assert_eq!(wrong, None);
    let keys: BTreeSet<[u8; 32]> = lines.into_iter().filter_map(|line| line.ok().flatten()).collect();
    assert_eq!((list.len(), list.is_empty()), (keys.len(), keys.is_empty()));
    for key in &keys {
        assert!(list.contains(key));
        for at in [0, 15, 31] {
            let mut other = *key;
            other[at] ^= 1;
            assert_eq!(list.contains(&other), keys.contains(&other));
        }
    }
    assert!(!list.contains(&[0x5a; 32]) || keys.contains(&[0x5a; 32]));
    // Order, repetitions, letter case, blank lines and comments count for nothing.
    let backwards: Vec<&str> = text.lines().rev().collect();
    assert_eq!(backwards.join("\n").parse().as_ref(), Ok(&list));
    let twice: Vec<&str> = text.lines().chain(["", "# again", " \t#"]).chain(text.lines()).collect();
    assert_eq!(twice.join("\r\n").parse().as_ref(), Ok(&list));
    assert_eq!(text.to_ascii_uppercase().parse().as_ref(), Ok(&list));
    assert_eq!(keys.into_iter().rev().collect::<CompromisedKeys>(), list);
});

/// What a line says, read digit by digit.
fn read(line: &str) -> Result<Option<[u8; 32]>, CompromisedKeysFault> {
    if line.len() > 512 {
        return Err(CompromisedKeysFault::TooLong);
    }
    let said = line.find('#').map_or(line, |at| &line[..at]).trim();
    let digits: Option<Vec<u32>> = said.chars().map(|digit| digit.to_digit(16)).collect();
    match digits.as_deref() {
        Some([]) => Ok(None),
        Some(digits) if digits.len() == 64 => {
            let mut key = [0; 32];
            for (octet, pair) in key.iter_mut().zip(digits.chunks(2)) {
                *octet = u8::try_from(pair[0] << 4 | pair[1]).unwrap_or_default();
            }
            Ok(Some(key))
        }
        _ => Err(CompromisedKeysFault::NoDigest),
    }
}
