//! Patterns of names against another way to match them.

use certgate_pki::{DnsName, GeneralName};
use certgate_policy::NamePattern;
use proptest::prelude::*;

/// What a glob means: a star tries every length, the shortest first.
fn matches(glob: &[char], text: &[char], barrier: Option<char>) -> bool {
    match (glob, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => {
            let run = text.iter().take_while(|character| Some(**character) != barrier).count();
            (0..=run).any(|taken| matches(rest, &text[taken..], barrier))
        }
        ([first, glob @ ..], [character, text @ ..]) => first == character && matches(glob, text, barrier),
        _ => false,
    }
}

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn dns_globs(glob in "[ab*.]{1,8}", name in "[ab]{1,3}(\\.[ab]{1,3}){0,3}") {
        let pattern: NamePattern = format!("dns:{glob}").parse().unwrap();
        let name = GeneralName::Dns(DnsName::parse(&name).unwrap());
        let GeneralName::Dns(host) = &name else { unreachable!() };
        prop_assert_eq!(pattern.grants(&name), matches(&chars(&glob), &chars(host.as_str()), Some('.')), "{} {}", pattern, host);
        prop_assert!(!pattern.grants_common_name(host.as_str()));
    }

    #[test]
    fn common_name_globs(glob in "[aö*. ]{1,8}", name in "[aö. ]{0,10}") {
        let pattern: NamePattern = format!("cn:{glob}").parse().unwrap();
        prop_assert_eq!(pattern.grants_common_name(&name), matches(&chars(&glob), &chars(&name), None));
    }

    #[test]
    fn no_dns_glob_grants_a_wildcard_name(glob in "[ab*.-]{1,8}", name in "[ab]{1,3}(\\.[ab]{1,3}){0,2}") {
        let pattern: NamePattern = format!("dns:{glob}").parse().unwrap();
        let wildcard = GeneralName::Dns(DnsName::parse(&format!("*.{name}")).unwrap());
        prop_assert!(!pattern.grants(&wildcard));
    }

    #[test]
    fn networks(network in any::<[u8; 4]>(), bits in 0..=32_u32, address in any::<[u8; 4]>()) {
        let [network, address] = [network, address].map(std::net::Ipv4Addr::from);
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        let beyond = format!("ip:{network}/{bits}").parse::<NamePattern>();
        prop_assert_eq!(beyond.is_ok(), u32::from(network) & mask == u32::from(network));
        let network = std::net::Ipv4Addr::from(u32::from(network) & mask);
        let pattern: NamePattern = format!("ip:{network}/{bits}").parse().unwrap();
        let within = u32::from(network) & mask == u32::from(address) & mask;
        prop_assert_eq!(pattern.grants(&GeneralName::Ip(address.into())), within);
        prop_assert!(!pattern.grants(&GeneralName::Ip(address.to_ipv6_mapped().into())), "another family");
    }

    #[test]
    fn text_round_trip(text in "(dns:[a-zA-Z*.-]{1,20}|cn:\\PC{1,20}|ip:[0-9a-f.:/]{3,12})") {
        if let Ok(pattern) = text.parse::<NamePattern>() {
            prop_assert_eq!(pattern.to_string().parse::<NamePattern>(), Ok(pattern));
        }
    }

    #[test]
    fn a_principal_is_granted_itself_or_nothing(name in "\\PC{0,12}", other in "\\PC{0,12}") {
        let grants = NamePattern::of_principal(&name);
        let granted = |name: &str| grants.iter().any(|grant| grant.grants_common_name(name));
        prop_assert_eq!(granted(&name), !name.contains('*'));
        prop_assert!(name == other || !granted(&other));
    }
}

/// The glob that takes the usual recursion exponential time is done at once.
#[test]
fn many_stars_take_no_time() {
    let pattern: NamePattern = format!("cn:{}b", "a*".repeat(120)).parse().unwrap();
    assert!(!pattern.grants_common_name(&"a".repeat(10_000)));
}
