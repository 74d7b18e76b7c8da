use super::*;

const PORT: u16 = 5002;

fn dns(name: &str) -> GeneralName {
    GeneralName::Dns(DnsName::parse(name).unwrap())
}

fn first(name: &GeneralName, port: u16) -> Target {
    Target::first(name, port, "a-_9").unwrap()
}

#[test]
fn the_first_url_is_that_of_the_rfc() {
    let ip = |address: &str| GeneralName::Ip(address.parse().unwrap());
    for (name, port, host_field, text) in [
        (dns("a.example"), 80, "a.example", "a.example:80"),
        (dns("a.example"), PORT, "a.example:5002", "a.example:5002"),
        (dns("intranet"), 80, "intranet", "intranet:80"),
        (ip("192.0.2.1"), 80, "192.0.2.1", "192.0.2.1:80"),
        (ip("2001:db8::1"), 80, "[2001:db8::1]", "[2001:db8::1]:80"),
        (ip("2001:db8::1"), PORT, "[2001:db8::1]:5002", "[2001:db8::1]:5002"),
    ] {
        let target = first(&name, port);
        assert_eq!(target.path_and_query(), "/.well-known/acme-challenge/a-_9");
        assert_eq!((target.host_field().as_str(), target.to_string().as_str()), (host_field, text));
        assert_eq!((target.port(), target.is_https()), (port, false));
    }
}

#[test]
fn what_cannot_be_asked_for_is_unsuitable() {
    for name in [
        dns("*.a.example"),
        dns("0x7f.0x1"),
        dns("xn--a.example"),
        GeneralName::Email("a@b.example".into()),
        GeneralName::Uri("http://a.example/".into()),
        GeneralName::Other(vec![0x88, 0x00]),
    ] {
        let refused = Target::first(&name, 80, "a");
        assert!(matches!(refused, Err(ValidationFailure::Unsuitable(_))), "{name}");
    }
    for token in ["", "../x", "a/b", "a?b", "a#b", "a%20", "a\r\n", "a="] {
        let refused = Target::first(&dns("a.example"), 80, token);
        assert!(matches!(refused, Err(ValidationFailure::Unsuitable(_))), "{token}");
    }
}

#[test]
fn redirects_lead_to_other_hosts_schemes_and_usual_ports() {
    let from = first(&dns("a.example"), PORT);
    for (location, host_field, path, port) in [
        ("/x?y=z", "a.example:5002", "/x?y=z", PORT),
        ("x", "a.example:5002", "/.well-known/acme-challenge/x", PORT),
        ("//b.example/x", "b.example", "/x", 80),
        ("http://b.example", "b.example", "/", 80),
        ("HTTPS://B.example:443/x#fragment", "b.example", "/x", 443),
        ("http://b.example:443/", "b.example:443", "/", 443),
        ("https://b.example.:5002/", "b.example.:5002", "/", PORT),
        ("http://192.0.2.1/", "192.0.2.1", "/", 80),
        ("http://[2001:db8::1]/", "[2001:db8::1]", "/", 80),
        ("http://0x7f.1/", "127.0.0.1", "/", 80),
        ("", "a.example:5002", "/.well-known/acme-challenge/a-_9", PORT),
    ] {
        let to = from.redirected(location, PORT).unwrap();
        assert_eq!((to.host_field().as_str(), to.path_and_query().as_str(), to.port()), (host_field, path, port), "{location}");
        assert_eq!(to.is_https(), location.starts_with("HTTPS") || location.starts_with("https"));
    }
    let number = from.redirected("http://2130706433/", PORT).unwrap();
    assert_eq!(*number.host(), Host::Address("127.0.0.1".parse().unwrap()), "checked as what it is");
}

#[test]
fn redirects_to_anything_else_are_incorrect() {
    let from = first(&dns("a.example"), PORT);
    for (location, said) in [
        ("ftp://a.example/", "a.example:5002 redirects to a URL of scheme ftp"),
        ("file:///etc/passwd", "a.example:5002 redirects to a URL of scheme file"),
        ("data:text/plain,a", "a.example:5002 redirects to a URL of scheme data"),
        ("http://user@a.example/", "a.example:5002 redirects to a URL with user information"),
        ("http://:secret@a.example/", "a.example:5002 redirects to a URL with user information"),
        ("http://a.example:8080/", "a.example:5002 redirects to port 8080"),
        ("http://a.example:22/", "a.example:5002 redirects to port 22"),
        ("http://a_b.example/", "a.example:5002 redirects to what is no host name"),
        ("http://*.a.example/", "a.example:5002 redirects to what is no host name"),
        ("http://a.example:99999/", "a.example:5002 redirects to what is no URL"),
        ("http://", "a.example:5002 redirects to what is no URL"),
    ] {
        let failure = from.redirected(location, PORT).unwrap_err();
        assert!(matches!(failure, ValidationFailure::IncorrectResponse(_)), "{location}");
        assert_eq!(failure.detail().as_str(), said, "{location}");
    }
}
