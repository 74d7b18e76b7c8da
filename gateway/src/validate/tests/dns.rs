//! A name server over UDP and TCP, by hand: it shares no line with the resolver that it tests.

use super::*;

use std::collections::HashMap;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;
const TRUNCATED: u8 = 0x02;

pub(super) const SERVFAIL: u8 = 2;
pub(super) const NXDOMAIN: u8 = 3;

/// What there is of a name.
#[derive(Clone)]
pub(super) enum Answer {
    /// These addresses.
    Addresses(Vec<IpAddr>),
    /// These, and no room for them over UDP.
    OverTcp(Vec<IpAddr>),
    /// Another name for it.
    Alias(&'static str),
    /// No answer but this code.
    Code(u8),
    /// This code for AAAA, these addresses for A.
    NoneOfIpv6(u8, Vec<IpAddr>),
    /// Nothing at all.
    Silence,
}

impl Answer {
    pub(super) fn addresses(texts: &[&str]) -> Self {
        Self::Addresses(texts.iter().map(|text| text.parse().unwrap()).collect())
    }
}

#[derive(Clone, Default)]
pub(super) struct Zone(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    answers: HashMap<&'static str, Answer>,
    queries: Vec<String>,
}

impl Zone {
    pub(super) fn set(&self, name: &'static str, answer: Answer) {
        self.0.lock().unwrap().answers.insert(name, answer);
    }

    /// The names that were asked for, with a dot at the end.
    pub(super) fn queries(&self) -> Vec<String> {
        self.0.lock().unwrap().queries.clone()
    }

    /// The answer to a query (RFC 1035 §4.1); `None`: there is none.
    fn answer(&self, query: &[u8], is_udp: bool) -> Option<Vec<u8>> {
        let (name, end) = name_at(query, 12);
        let kind = u16::from_be_bytes([query[end], query[end + 1]]);
        let mut contents = self.0.lock().unwrap();
        contents.queries.push(name.clone());
        let answer = contents.answers.get(name.trim_end_matches('.')).cloned().unwrap_or(Answer::Code(NXDOMAIN));
        let (code, flags, records) = match answer {
            Answer::Addresses(addresses) => (0, 0, of_kind(kind, &addresses)),
            Answer::OverTcp(_) if is_udp => (0, TRUNCATED, Vec::new()),
            Answer::OverTcp(addresses) => (0, 0, of_kind(kind, &addresses)),
            Answer::Alias(to) => (0, 0, vec![(CNAME, wire_name(to))]),
            Answer::Code(code) => (code, 0, Vec::new()),
            Answer::NoneOfIpv6(code, _) if kind == AAAA => (code, 0, Vec::new()),
            Answer::NoneOfIpv6(_, addresses) => (0, 0, of_kind(kind, &addresses)),
            Answer::Silence => return None,
        };
        let count = u8::try_from(records.len()).unwrap();
        let mut out = vec![query[0], query[1], 0x81 | flags, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0];
        out.extend_from_slice(&query[12..end + 4]);
        for (kind, data) in records {
            // The name of the question, class IN, for a minute.
            out.extend([0xc0, 12]);
            out.extend(kind.to_be_bytes());
            out.extend([0, 1, 0, 0, 0, 60]);
            out.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            out.extend(data);
        }
        Some(out)
    }
}

fn of_kind(kind: u16, addresses: &[IpAddr]) -> Vec<(u16, Vec<u8>)> {
    let record = |address: &IpAddr| match address {
        IpAddr::V4(address) => (A, address.octets().to_vec()),
        IpAddr::V6(address) => (AAAA, address.octets().to_vec()),
    };
    addresses.iter().map(record).filter(|(of, _)| *of == kind).collect()
}

fn name_at(message: &[u8], mut at: usize) -> (String, usize) {
    let mut name = String::new();
    while message[at] != 0 {
        let end = at + 1 + usize::from(message[at]);
        name.push_str(std::str::from_utf8(&message[at + 1..end]).unwrap());
        name.push('.');
        at = end;
    }
    (name, at + 1)
}

fn wire_name(name: &str) -> Vec<u8> {
    let label = |label: &str| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat();
    let mut wire: Vec<u8> = name.split('.').flat_map(label).collect();
    wire.push(0);
    wire
}

pub(super) struct NameServer {
    pub(super) address: SocketAddr,
}

/// Serves the zone, over UDP and TCP at one port.
pub(super) async fn start(zone: &Zone, tasks: &mut JoinSet<()>) -> NameServer {
    let (udp, tcp) = loop {
        let tcp = TcpListener::bind((HOME, 0)).await.unwrap();
        // A port that is free for one of them need not be for the other.
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            break (udp, tcp);
        }
    };
    let address = udp.local_addr().unwrap();
    let of_udp = zone.clone();
    tasks.spawn(async move {
        let mut query = [0; 1500];
        while let Ok((length, from)) = udp.recv_from(&mut query).await {
            if let Some(answer) = of_udp.answer(&query[..length], true) {
                udp.send_to(&answer, from).await.unwrap();
            }
        }
    });
    let zone = zone.clone();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            // RFC 1035 §4.2.2: the length goes before.
            while let Ok(length) = stream.read_u16().await {
                let mut query = vec![0; usize::from(length)];
                stream.read_exact(&mut query).await.unwrap();
                let Some(answer) = zone.answer(&query, false) else { continue };
                stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
                stream.write_all(&answer).await.unwrap();
            }
        }
    });
    NameServer { address }
}
