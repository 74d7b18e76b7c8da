//! A DNS server (RFC 1035) on UDP that knows every name as 127.0.0.1, for servers under test that ask it.

use std::{
    net::{Ipv4Addr, UdpSocket},
    sync::{Mutex, PoisonError},
};

use anyhow::Context;

/// Octets of a header.
const HEADER: usize = 12;
/// QTYPE A (RFC 1035 §3.2.2).
const TYPE_A: [u8; 2] = [0, 1];
/// QCLASS IN (RFC 1035 §3.2.4).
const CLASS_IN: [u8; 2] = [0, 1];
/// Seconds that an answer may be kept.
const TIME_TO_LIVE: [u8; 4] = [0, 0, 0, 1];

/// Answers on this UDP port of 127.0.0.1 from here on, as long as the process lasts.
///
/// # Errors
/// A port that is taken by another.
pub fn answer_at(port: u16) -> anyhow::Result<()> {
    static MADE: Mutex<Vec<u16>> = Mutex::new(Vec::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if made.contains(&port) {
        return Ok(());
    }
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| format!("UDP port {port} for DNS"))?;
    std::thread::spawn(move || serve(&socket));
    made.push(port);
    Ok(())
}

/// Answers until the socket fails.
pub fn serve(socket: &UdpSocket) {
    let mut query = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut query) {
        if let Some(answer) = query.get(..length).and_then(answer) {
            let _ = socket.send_to(&answer, from);
        }
    }
}

/// The answer to a query: 127.0.0.1 for an address of IPv4, no data for all else (RFC 2308 §2.2). `None` for what is no query.
#[must_use]
pub fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let (header, rest) = query.split_at_checked(HEADER)?;
    let [id_high, id_low, flags, _, 0, 1, ..] = *header else { return None };
    // A response, or another operation than a standard query (RFC 1035 §4.1.1).
    if flags & 0xf8 != 0 {
        return None;
    }
    let mut end = 0;
    while let label @ 1.. = *rest.get(end)? {
        end += usize::from(label) + 1;
    }
    let question = rest.get(..end + 5)?;
    let is_address = question.ends_with(&[TYPE_A, CLASS_IN].concat());
    let count = u8::from(is_address);
    // An answer, authoritative, recursion as it was desired, and available; no error.
    let mut answer = vec![id_high, id_low, 0x84 | flags & 0x01, 0x80, 0, 1, 0, count, 0, 0, 0, 0];
    answer.extend(question);
    if is_address {
        // RFC 1035 §4.1.4: a pointer to the name in the question.
        answer.extend([0xc0, 0x0c]);
        answer.extend([&TYPE_A[..], &CLASS_IN, &TIME_TO_LIVE, &[0, 4, 127, 0, 0, 1]].concat());
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(kind: u8) -> Vec<u8> {
        let mut query = vec![0xab, 0xcd, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0];
        query.extend(b"\x01a\x07example\x00");
        query.extend([0, kind, 0, 1]);
        query
    }

    #[test]
    fn a_name_is_the_own_host() {
        let answered = answer(&query(1)).expect("an answer");
        assert_eq!(answered[..12], [0xab, 0xcd, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
        assert!(answered.ends_with(&[0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]));
        let answered = answer(&query(28)).expect("an answer");
        assert_eq!((answered[7], answered.len()), (0, query(28).len()));
    }

    #[test]
    fn what_is_no_query_has_no_answer() {
        let mut response = query(1);
        response[2] |= 0x80;
        for bad in [&[][..], &query(1)[..20], &response] {
            assert_eq!(answer(bad), None);
        }
    }
}
