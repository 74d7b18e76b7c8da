//! The TLS layer under EST (RFC 7030 §3.3, RFC 8996).

use super::cacerts;
use crate::{
    asn1::tag,
    certificate::Certificate,
    chain, http,
    session::Session,
    signature::Unverified,
    transport::Failure,
    verdict::{Stop, Verdict, require},
};

/// TLS record of type handshake, and of type alert (RFC 8446 §5.1).
const HANDSHAKE_RECORD: u8 = 22;

pub(super) fn gives_nothing_in_the_clear(session: &mut Session<'_>) -> Verdict {
    // RFC 7030 §3.3: "HTTPS MUST be used."
    let request = http::Request::new("GET", &session.path("cacerts"));
    let host = session.host().to_owned();
    match session.probe(&request.head(&host)) {
        Ok(answer) if answer.starts_with(b"HTTP/1.1 2") || answer.starts_with(b"HTTP/1.0 2") => {
            Err(Stop::fail("an EST answer without TLS"))
        }
        Ok(answer) => {
            Ok(if answer.is_empty() { "closed".into() } else { format!("{} octets that are no EST answer", answer.len()) })
        }
        Err(Failure::Silent) => Ok("no answer".into()),
        Err(other) => Err(other.into()),
    }
}

pub(super) fn refuses_old_versions_and_weak_suites(session: &mut Session<'_>) -> Verdict {
    // ECDHE and RSA suites with AES that TLS 1.0 and 1.1 servers have; RFC 8996 §4, §5: "TLS 1.0 MUST NOT be used", "TLS 1.1 MUST NOT be
    // used".
    let usual = [0xc009, 0xc00a, 0xc013, 0xc014, 0x002f, 0x0035, 0x000a];
    // NULL, anonymous, EXPORT and DES: RFC 7030 §3.2.3 and §6 forbid NULL and anonymous ones, RFC 9325 §4.1 all.
    let weak = [
        0x0001, 0x0002, 0x003b, 0xc006, 0xc010, 0x0018, 0x001b, 0x0034, 0x003a, 0x006c, 0xc018, 0xc019, 0x0003, 0x0006, 0x0008,
        0x0009, 0x0015,
    ];
    for (what, version, suites) in [
        ("TLS 1.0", 0x0301, usual.as_slice()),
        ("TLS 1.1", 0x0302, &usual),
        ("NULL, anonymous, EXPORT and DES suites", 0x0303, &weak),
    ] {
        let hello = client_hello(version, suites, session.host());
        let answer = match session.probe(&hello) {
            Err(Failure::Silent) => Vec::new(),
            other => other?,
        };
        require(answer.first() != Some(&HANDSHAKE_RECORD), || format!("{what}: the server goes on with the handshake"))?;
    }
    Ok("refused each".into())
}

/// A `ClientHello` (RFC 5246 §7.4.1.2) of `version`, with these suites and what EC suites need.
fn client_hello(version: u16, suites: &[u16], host: &str) -> Vec<u8> {
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let name = [&[0], with_length(host.as_bytes()).as_slice()].concat();
    let mut extensions = extension(0, &with_length(&name));
    extensions.extend(extension(10, &with_length(&[0, 23, 0, 24])));
    extensions.extend(extension(11, &[1, 0]));
    extensions.extend(extension(13, &with_length(&[4, 3, 4, 1, 2, 3, 2, 1])));
    let hello =
        [&version.to_be_bytes(), [0x5a; 32].as_slice(), &[0], &with_length(&suites), &[1, 0], &with_length(&extensions)]
            .concat();
    let handshake = [&[1, 0], with_length(&hello).as_slice()].concat();
    [&[HANDSHAKE_RECORD, 3, 1], with_length(&handshake).as_slice()].concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes(), with_length(content).as_slice()].concat()
}

/// Octets behind their length in two octets.
fn with_length(octets: &[u8]) -> Vec<u8> {
    let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), octets].concat()
}

pub(super) fn shows_a_good_certificate(session: &mut Session<'_>) -> Verdict {
    let response = cacerts::fetch(session)?;
    let shown = response.peer.iter().map(|der| Certificate::parse(der)).collect::<Result<Vec<_>, _>>()?;
    let Some(server) = shown.first() else { return Err(Stop::fail("no server certificate was shown")) };
    // RFC 7030 §3.3.1: "The EST server certificate MUST conform to the [RFC5280] certificate profile."
    require(server.version.as_deref() == Some(&[2]), || "the server certificate is not v3".into())?;
    require(!server.is_authority(), || "the server certificate is a CA's".into())?;
    require_name(server, session.host())?;
    let mut pool = crate::certs_only::decode(&response.content)?;
    pool.extend(shown.iter().skip(1).cloned());
    match chain::validate(server, &pool, session.now()) {
        Ok(chain) => Ok(format!("matches {}, a chain of {} verifies", session.host(), chain.len())),
        // RFC 7030 §3.6.2: the certificate may be one of an implicit trust anchor, which rustls has verified.
        Err(Unverified::Wrong(reason)) => {
            Ok(format!("matches {}; verified by the target's ca_file, not by cacerts: {reason}", session.host()))
        }
        Err(Unverified::Unsupported(reason)) => Ok(format!("matches {}; {reason}", session.host())),
    }
}

/// RFC 7030 §3.6.1, by the rules of RFC 6125 §6.4 for dNSName and iPAddress.
fn require_name(server: &Certificate, host: &str) -> Result<(), Stop> {
    let addresses: Vec<Vec<u8>> = server
        .alternative_names()
        .iter()
        .filter(|name| name.tag == tag::context_primitive(7))
        .map(|name| name.octets().to_vec())
        .collect();
    let is_named = match host.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(address)) => addresses.contains(&address.octets().to_vec()),
        Ok(std::net::IpAddr::V6(address)) => addresses.contains(&address.octets().to_vec()),
        Err(_) => server.dns_names().iter().any(|name| matches_host(name, host)),
    };
    require(is_named, || format!("the server certificate does not name {host}: {:?}", server.dns_names()))
}

fn matches_host(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)),
        None => pattern.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_hello_is_one_record_of_its_length() {
        let hello = client_hello(0x0302, &[0x002f], "localhost");
        assert_eq!(&hello[..3], [22, 3, 1]);
        assert_eq!(usize::from(u16::from_be_bytes([hello[3], hello[4]])), hello.len() - 5);
        assert_eq!(&hello[5..7], [1, 0]);
        assert_eq!(usize::from(u16::from_be_bytes([hello[7], hello[8]])), hello.len() - 9);
        assert_eq!(&hello[9..11], [3, 2]);
    }

    #[test]
    fn wildcards_stand_for_one_label() {
        assert!(matches_host("*.example.com", "a.example.com"));
        assert!(!matches_host("*.example.com", "a.b.example.com"));
        assert!(matches_host("LOCALHOST", "localhost"));
    }
}
