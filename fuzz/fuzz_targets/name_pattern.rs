//! Patterns of names: the first line is a pattern, the second a name that it may grant.
#![no_main]

use certgate_pki::{DnsName, GeneralName};
use certgate_policy::NamePattern;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (pattern, name) = text.split_once('\n').unwrap_or((text, ""));
    for grant in NamePattern::of_principal(name) {
        assert!(!name.contains('*'), "a principal's own name is no glob: {grant}");
    }
    let Ok(pattern) = pattern.parse::<NamePattern>() else { return };
    assert_eq!(pattern.to_string().parse::<NamePattern>().as_ref(), Ok(&pattern));
    let common_name = pattern.grants_common_name(name);
    let dns = DnsName::parse(name).ok().map(GeneralName::Dns);
    let address = name.parse().ok().map(GeneralName::Ip);
    let granted = |name: &Option<GeneralName>| name.as_ref().is_some_and(|name| pattern.grants(name));
    match &pattern {
        NamePattern::CommonName(glob) => assert_eq!(common_name, matches(glob.as_bytes(), name.as_bytes(), None)),
        NamePattern::Dns(glob) => {
            let lowercase = name.to_ascii_lowercase();
            let expected =
                dns.is_some() && !name.starts_with('*') && matches(glob.as_bytes(), lowercase.as_bytes(), Some(b'.'));
            assert_eq!(granted(&dns), expected, "{pattern} {name}");
        }
        NamePattern::Ip(_) => {}
        NamePattern::Any => {
            let is_wildcard = dns.is_some() && name.starts_with('*');
            let expected = [true, dns.is_some() && !is_wildcard, address.is_some()];
            return assert_eq!([common_name, granted(&dns), granted(&address)], expected, "{name}");
        }
    }
    let kinds = [common_name, granted(&dns), granted(&address)];
    assert!(kinds.iter().filter(|granted| **granted).count() <= 1, "a pattern grants names of its kind only");
});

/// What a glob means, by dynamic programming: another way than the one that is tested. Octets will do, since `*` is one.
fn matches(glob: &[u8], text: &[u8], barrier: Option<u8>) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for symbol in glob {
        let mut next = vec![false; text.len() + 1];
        if *symbol == b'*' {
            next[0] = reached[0];
            for at in 1..=text.len() {
                next[at] = reached[at] || (next[at - 1] && Some(text[at - 1]) != barrier);
            }
        } else {
            for at in 1..=text.len() {
                next[at] = reached[at - 1] && text[at - 1] == *symbol;
            }
        }
        reached = next;
    }
    reached[text.len()]
}
