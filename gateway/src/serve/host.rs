//! Whom a request is for (RFC 9112 §3.2, RFC 9113 §8.3.1).

use hyper::Version;
use hyper::header::HOST;
use hyper::http::request::Parts;

/// The port of a URL that names none: whatever speaks HTTP/2 here speaks it over TLS.
const HTTPS: u16 = 443;

/// What is wrong with the host of a request; `None` when nothing is.
///
/// RFC 9112 §3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host header
/// field and to any request message that contains more than one Host header field line or a Host header field with an invalid field
/// value." In HTTP/2 the host is `:authority`, and a Host beside it says the same (RFC 9113 §8.3.1).
pub(super) fn host_fault(head: &Parts) -> Option<&'static str> {
    let mut hosts = head.headers.get_all(HOST).iter();
    let host = hosts.next().map(|host| host.to_str().ok().and_then(parse));
    let authority = head.uri.authority().filter(|_| head.version == Version::HTTP_2).map(|authority| parse(authority.as_str()));
    match (host, authority) {
        _ if hosts.next().is_some() => Some("a request names its host once (RFC 9112 §3.2)"),
        (Some(None), _) | (_, Some(None)) => Some("the host that the request names is none (RFC 9110 §7.2)"),
        (Some(Some(host)), Some(Some(authority))) if !is_same(host, authority) => {
            Some("Host is not what :authority says (RFC 9113 §8.3.1)")
        }
        (None, None) if head.version == Version::HTTP_2 => Some("a request of HTTP/2 has an :authority (RFC 9113 §8.3.1)"),
        (None, None) if head.version >= Version::HTTP_11 => Some("a request of HTTP/1.1 names its host (RFC 9112 §3.2)"),
        _ => None,
    }
}

/// The host that a request is for, as [`host_fault`] has found nothing wrong with it: name or address in lower case, without brackets, and
/// how it stands in a URL of `https`. `None` where the request names none.
pub(super) fn https_host(head: &Parts) -> Option<(String, String)> {
    // RFC 9112 §3.2.2: where the request-target is a whole URL, that counts, and not the Host field.
    let text = match head.uri.authority() {
        Some(authority) => authority.as_str(),
        None => head.headers.get(HOST)?.to_str().ok()?,
    };
    let (name, port) = parse(text)?;
    let name = name.to_ascii_lowercase();
    let in_url = match port {
        Some(port) if port != HTTPS => format!("{name}:{port}"),
        _ => name.clone(),
    };
    Some((name.trim_matches(['[', ']']).to_owned(), in_url))
}

fn is_same((host, port): (&str, Option<u16>), (other, other_port): (&str, Option<u16>)) -> bool {
    host.eq_ignore_ascii_case(other) && port.unwrap_or(HTTPS) == other_port.unwrap_or(HTTPS)
}

/// Name or address, and port: `uri-host [ ":" port ]` (RFC 9110 §7.2), which may be empty.
fn parse(text: &str) -> Option<(&str, Option<u16>)> {
    let end = if text.starts_with('[') { text.find(']')? + 1 } else { text.find(':').unwrap_or(text.len()) };
    let (name, rest) = text.split_at_checked(end)?;
    let port = match (rest, rest.strip_prefix(':')) {
        ("" | ":", _) => None,
        (_, Some(digits)) if digits.bytes().all(|octet| octet.is_ascii_digit()) => Some(digits.parse().ok()?),
        _ => return None,
    };
    is_name(name).then_some((name, port))
}

/// RFC 3986 §3.2.2: an IP literal in brackets, or unreserved characters, sub-delims and percent-encoded octets.
fn is_name(name: &str) -> bool {
    let (inner, is_literal) = match name.strip_prefix('[') {
        Some(rest) => (rest.strip_suffix(']').unwrap_or_default(), true),
        None => (name, false),
    };
    let mut octets = inner.bytes();
    while let Some(octet) = octets.next() {
        let is_good = match octet {
            b'%' => octets.by_ref().take(2).filter(u8::is_ascii_hexdigit).count() == 2,
            b':' => is_literal,
            other => other.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&other),
        };
        if !is_good {
            return false;
        }
    }
    !(is_literal && inner.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports() {
        for (text, expected) in [
            ("", Some(("", None))),
            ("localhost", Some(("localhost", None))),
            ("EST.Example.:8443", Some(("EST.Example.", Some(8443)))),
            ("my%2Dhost:", Some(("my%2Dhost", None))),
            ("under_score.example", Some(("under_score.example", None))),
            ("[2001:db8::1]:443", Some(("[2001:db8::1]", Some(443)))),
            ("[fe80::1%25eth0]", Some(("[fe80::1%25eth0]", None))),
            ("user@host", None),
            ("host:80a", None),
            ("host:65536", None),
            ("a b", None),
            ("a/b", None),
            ("a%2", None),
            ("a%zz", None),
            ("[::1", None),
            ("[]", None),
            ("[::1]x", None),
            ("a:1:2", None),
            ("höst", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn one_spelling_a_host() {
        let of = |host: &str| {
            let request = hyper::Request::get("/").header(HOST, host).body(()).unwrap();
            https_host(&request.into_parts().0)
        };
        let host = |name: &str, in_url: &str| Some((name.to_owned(), in_url.to_owned()));
        assert_eq!(of("CA.Example:443"), host("ca.example", "ca.example"));
        assert_eq!(of("ca.example:8443"), host("ca.example", "ca.example:8443"));
        assert_eq!(of("[::1]:8443"), host("::1", "[::1]:8443"));
    }

    #[test]
    fn the_port_of_https_goes_without_saying() {
        let is_same = |host, other| is_same(parse(host).unwrap_or_default(), parse(other).unwrap_or_default());
        assert!(is_same("localhost", "LOCALHOST:443") && is_same("a:8443", "A:8443"));
        assert!(!is_same("localhost", "localhost:8443") && !is_same("a", "b"));
    }
}
