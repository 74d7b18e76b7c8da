use super::*;

fn networks(allow: &[&str], deny: &[&str], own: &[&str]) -> Networks {
    let list = |texts: &[&str]| texts.iter().map(|text| text.to_string().try_into().unwrap()).collect();
    let config = ValidationConfig { allow_networks: list(allow), deny_networks: list(deny), ..ValidationConfig::default() };
    Networks::new(&config, OwnListeners::new(own.iter().map(|own| own.parse().unwrap()).collect()))
}

fn admitted(networks: &Networks, address: &str) -> bool {
    networks.admit(SocketAddr::new(address.parse().unwrap(), 80))
}

#[test]
fn public_and_private_addresses_are_connected_to() {
    let networks = networks(&[], &[], &[]);
    for address in [
        "1.1.1.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "169.253.255.255",
        "198.17.255.255",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:200::1",
        "fd00::1",
        "fc00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::1.1.1.1",
        "2002:101:101::1",
    ] {
        assert!(admitted(&networks, address), "{address}");
    }
}

#[test]
fn what_has_a_meaning_of_its_own_is_not() {
    let networks = networks(&[], &[], &[]);
    for address in [
        "0.0.0.0",
        "0.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.255",
        "168.63.129.16",
        "169.254.169.254",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "100::1",
        "64:ff9b:1::1",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!admitted(&networks, address), "{address}");
    }
}

#[test]
fn an_ipv4_address_in_an_ipv6_address_is_judged_too() {
    let usual = networks(&[], &[], &[]);
    let denying = networks(&["::/0"], &["10.0.0.0/8"], &[]);
    for (of_loopback, of_private) in [
        ("::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        ("::127.0.0.1", "::10.0.0.1"),
        ("64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1"),
        ("2002:7f00:1::1", "2002:a00:1::1"),
    ] {
        assert!(!admitted(&usual, of_loopback), "{of_loopback}");
        assert!(!admitted(&denying, of_loopback), "allowing IPv6 does not allow {of_loopback}");
        assert!(!admitted(&denying, of_private), "{of_private}");
    }
    assert!(admitted(&networks(&["127.0.0.0/8"], &[], &[]), "::ffff:127.0.0.1"));
}

#[test]
fn own_listeners_come_first_then_deny_networks_then_allow_networks() {
    let networks = networks(&["127.0.0.0/8", "10.0.0.0/8", "0.0.0.0/8"], &["10.1.0.0/16", "127.0.0.9/32"], &["127.0.0.1:80"]);
    assert!(admitted(&networks, "127.0.0.2"), "allowed");
    assert!(!admitted(&networks, "127.0.0.9"), "denied, though allowed");
    assert!(admitted(&networks, "10.0.0.1") && !admitted(&networks, "10.1.0.1"));
    for own in ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "0.0.0.0"] {
        assert!(!admitted(&networks, own), "{own} is certgate's own, though allowed");
    }
    let other_port = SocketAddr::new("127.0.0.1".parse().unwrap(), 81);
    assert!(networks.admit(other_port));
    assert!(admitted(&networks, "192.168.0.1"), "what no list has stays usual");
}

#[test]
fn an_unspecified_listener_stands_for_every_address_of_this_machine() {
    let v4 = networks(&["127.0.0.0/8"], &[], &["0.0.0.0:80"]);
    assert!(!admitted(&v4, "127.0.0.1") && !admitted(&v4, "127.3.2.1"));
    assert!(admitted(&v4, "1.1.1.1"), "elsewhere");
    let both = networks(&["127.0.0.0/8", "::1/128"], &[], &["[::]:80"]);
    assert!(!admitted(&both, "::1") && !admitted(&both, "127.0.0.1"), "of both families");
    // Whatever address this machine would go out from is its own.
    if let Some(own) = super::super::own_listeners::source_towards("1.1.1.1".parse().unwrap()) {
        let allowed = networks(&["0.0.0.0/0"], &[], &["0.0.0.0:80"]);
        assert!(!allowed.admit(SocketAddr::new(own, 80)) && allowed.admit(SocketAddr::new(own, 81)));
    }
}
