//! From names to addresses, and which of them are connected to.

use super::*;

async fn right() -> World {
    World::answering(ok(KEY_AUTHORIZATION)).await
}

#[tokio::test]
async fn what_the_dns_does_not_have_is_a_matter_of_the_dns() {
    let world = right().await;
    world.zone.set("empty.example", dns::Answer::addresses(&[]));
    world.zone.set("servfail.example", dns::Answer::Code(dns::SERVFAIL));
    world.zone.set("loop.example", dns::Answer::Alias("loop.example"));
    for (name, said) in [
        ("nx.example", "nx.example does not exist (NXDOMAIN)"),
        ("empty.example", "empty.example has no address"),
        ("servfail.example", "the name server answered for servfail.example: Server Failure"),
        ("loop.example", "loop.example has no address"),
    ] {
        assert_eq!(detail!(world.validate(name).await, Dns), said);
    }
    assert!(world.requests.all().is_empty());
}

#[tokio::test]
async fn a_name_is_looked_up_as_it_is_and_anew_each_time() {
    let world = right().await;
    world.zone.set("intranet", dns::Answer::addresses(&[HOME]));
    let validator = world.validator();
    for _ in 0..2 {
        assert_eq!(validator.http01(&general_name("intranet"), TOKEN, KEY_AUTHORIZATION).await, Ok(()));
        detail!(validator.http01(&general_name("nx"), TOKEN, KEY_AUTHORIZATION).await, Dns);
    }
    world.zone.set("nx", dns::Answer::addresses(&[HOME]));
    assert_eq!(validator.http01(&general_name("nx"), TOKEN, KEY_AUTHORIZATION).await, Ok(()));
    let mut queries = world.zone.queries();
    assert_eq!(queries.iter().filter(|name| *name == "intranet.").count(), 4, "AAAA and A, twice: nothing is kept");
    queries.sort();
    queries.dedup();
    assert_eq!(queries, ["intranet.", "nx."], "no search domains");
}

#[tokio::test]
async fn aliases_and_answers_over_tcp_are_followed() {
    let world = right().await;
    let home = vec![HOME.parse().unwrap()];
    world.zone.set("alias.example", dns::Answer::Alias("a.example"));
    world.zone.set("long.example", dns::Answer::OverTcp(home.clone()));
    world.zone.set("half.example", dns::Answer::NoneOfIpv6(dns::SERVFAIL, home));
    for name in ["alias.example", "long.example", "half.example"] {
        assert_eq!(world.validate(name).await, Ok(()), "{name}");
    }
}

#[tokio::test]
async fn the_next_address_is_tried_where_one_does_not_answer() {
    let world = right().await;
    // Nobody listens at that port of the first two.
    world.zone.set("many.example", dns::Answer::addresses(&[HOME, "::1"]));
    world.zone.set("second.example", dns::Answer::addresses(&["127.77.0.1", HOME]));
    world.zone.set("third.example", dns::Answer::addresses(&["127.77.0.1", "127.77.0.2", HOME]));
    assert_eq!(world.validate("many.example").await, Ok(()));
    assert_eq!(world.validate("second.example").await, Ok(()));
    let detail = detail!(world.validate("third.example").await, Connection);
    // Two of a family, no more; and which they are is not told.
    assert_eq!(detail, format!("third.example:{}: connection refused", world.port));
}

#[tokio::test]
async fn ipv6_comes_first() {
    let world = right().await;
    let Ok(listener) = TcpListener::bind(("::1", world.port)).await else { return };
    let mut tasks = JoinSet::new();
    let over_v6 = Requests::default();
    tasks.spawn(web::serve(listener, Arc::new(|_: &str| Script::Reply(ok(KEY_AUTHORIZATION).into())), over_v6.clone()));
    world.zone.set("both.example", dns::Answer::addresses(&[HOME, "::1"]));
    assert_eq!(world.validate("both.example").await, Ok(()));
    assert_eq!(world.validate("::1").await, Ok(()), "RFC 8738");
    assert_eq!((over_v6.all().len(), world.requests.all().len()), (2, 0));
    assert!(over_v6.all()[1].to_ascii_lowercase().contains(&format!("host: [::1]:{}\r\n", world.port)));
}

#[tokio::test]
async fn denied_addresses_are_not_connected_to() {
    let mut world = right().await;
    world.zone.set("meta.example", dns::Answer::addresses(&["169.254.169.254", "fe80::1", "::ffff:127.0.0.1"]));
    world.allow.clear();
    let said = |name: &str| format!("{name}:{} is at no address that is connected to from here", world.port);
    for name in ["a.example", "meta.example", "localhost", HOME] {
        assert_eq!(detail!(world.validate(name).await, Unsuitable), said(name));
    }
    for address in ["::1", "::ffff:127.0.0.1"] {
        assert_eq!(detail!(world.validate(address).await, Unsuitable), said(&format!("[{address}]")));
    }
    assert!(world.requests.all().is_empty());
}

#[tokio::test]
async fn what_is_denied_wins_over_what_is_allowed_and_others_are_still_tried() {
    let mut world = right().await;
    world.deny = vec!["127.77.0.0/16"];
    world.zone.set("some.example", dns::Answer::addresses(&["127.77.0.1", "127.77.0.2", "127.77.0.3", HOME]));
    assert_eq!(world.validate("some.example").await, Ok(()));
    world.deny = vec!["127.0.0.1/32"];
    detail!(world.validate("a.example").await, Unsuitable);
}

#[tokio::test]
async fn own_listeners_are_not_asked() {
    let mut world = right().await;
    let own: SocketAddr = (HOME.parse::<IpAddr>().unwrap(), world.port).into();
    let any = [format!("0.0.0.0:{}", world.port).parse().unwrap(), format!("[::]:{}", world.port).parse().unwrap()];
    for own in [own, any[0], any[1]] {
        world.own = vec![own];
        detail!(world.validate("a.example").await, Unsuitable);
        detail!(world.validate(HOME).await, Unsuitable);
    }
    assert!(world.requests.all().is_empty());
    world.own = vec![(own.ip(), own.port() ^ 1).into()];
    assert_eq!(world.validate("a.example").await, Ok(()), "another port is somebody else's");
}

#[tokio::test]
async fn other_names_are_unsuitable() {
    let world = right().await;
    let validator = world.validator();
    let wildcard = general_name("*.a.example");
    for (name, token) in [(&wildcard, TOKEN), (&GeneralName::Email("a@a.example".into()), TOKEN), (&general_name(HOME), "../x")]
    {
        detail!(validator.http01(name, token, KEY_AUTHORIZATION).await, Unsuitable);
    }
    assert!(world.zone.queries().is_empty());
}
