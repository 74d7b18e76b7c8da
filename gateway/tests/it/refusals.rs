//! Whatever is turned away is counted, by its kind.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::process::{Gateway, get};

/// Limits that are soon over.
const CONFIG: &str = "[limits]\nhead = \"1s\"\nhandshake = \"1s\"\nbody = \"1s\"\nbody_bytes = 1000\nhead_bytes = 4096\n";
/// A POST of OCSP, but for its end.
const POST: &str = "POST /ocsp/default HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/ocsp-request\r\n";

/// What is sent, whether no more is to come, and what is answered and counted.
struct Case {
    sent: String,
    is_over: bool,
    status: Option<u16>,
    counted: &'static [&'static str],
}

fn cases() -> Vec<Case> {
    let case = |sent: &str, status, counted| Case { sent: sent.to_owned(), is_over: false, status, counted };
    vec![
        case("", None, &["connections_ended_total{reason=\"silent\"}"]),
        case("GET /ca/default.cer HTT", None, &["connections_ended_total{reason=\"head-timeout\"}"]),
        case(
            "GET /ca/default.cer HTTP/1.1\r\nhost: localhost\r\n\r\n",
            Some(200),
            &["connections_ended_total{reason=\"idle\"}"],
        ),
        case("no request\r\n\r\n", Some(400), &["connections_ended_total{reason=\"head-malformed\"}"]),
        case(
            &format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(5000)),
            Some(431),
            &["connections_ended_total{reason=\"head-too-large\"}"],
        ),
        case("GET / HTTP/1.1\r\n\r\n", Some(400), &["requests_refused_total{protocol=\"none\",status=\"400\"}"]),
        case(
            &format!("{POST}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
            Some(501),
            &["requests_refused_total{protocol=\"ocsp\",status=\"501\"}"],
        ),
        case(
            &format!("{POST}content-length: 1001\r\n\r\n{}", "a".repeat(1001)),
            Some(413),
            &["bodies_refused_total{reason=\"too-large\"}", "requests_refused_total{protocol=\"ocsp\",status=\"413\"}"],
        ),
        case(
            &format!("{POST}content-length: 10\r\n\r\na"),
            Some(408),
            &["bodies_refused_total{reason=\"too-slow\"}", "requests_refused_total{protocol=\"ocsp\",status=\"408\"}"],
        ),
        case(
            &format!("{POST}transfer-encoding: chunked\r\n\r\nno size\r\n"),
            Some(400),
            &["bodies_refused_total{reason=\"broken\"}", "requests_refused_total{protocol=\"ocsp\",status=\"400\"}"],
        ),
        Case { is_over: true, ..case("GET /ca/default.cer HTT", None, &["connections_ended_total{reason=\"cut-short\"}"]) },
        case(
            "GET /nothing HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
            Some(404),
            &["requests_refused_total{protocol=\"none\",status=\"404\"}"],
        ),
    ]
}

#[test]
fn whatever_is_turned_away_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_with(&directory.path().join("d"), CONFIG);
    let run_json = gateway.run_json();
    let address = |kind: &str| run_json[kind][0].as_str().unwrap();
    let count = |name: &str| {
        let (_, metrics) = get(address("ops"), "/metrics");
        let line =
            metrics.lines().find_map(|line| line.strip_prefix("certgate_")?.strip_prefix(name)?.trim().parse::<u64>().ok());
        line.unwrap_or_default()
    };
    for Case { sent, is_over, status, counted } in cases() {
        let before: Vec<u64> = counted.iter().map(|name| count(name)).collect();
        let answered = ask(address("http"), &sent, is_over);
        assert_eq!(answered, status, "{sent:.60}");
        let is_counted = (0..50).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            counted.iter().zip(&before).all(|(name, before)| count(name) == before + 1)
        });
        assert!(
            is_counted,
            "{sent:.60}: {counted:?} were {before:?}, are {:?}",
            counted.iter().map(|name| count(name)).collect::<Vec<_>>()
        );
    }
}

/// Sends it and reads until the gateway has no more to say: the status, if there was one.
fn ask(address: &str, sent: &str, is_over: bool) -> Option<u16> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(sent.as_bytes()).unwrap();
    if is_over {
        stream.shutdown(std::net::Shutdown::Write).unwrap();
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    answer.split(' ').nth(1).map(|status| status.parse().unwrap())
}
