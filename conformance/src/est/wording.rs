//! How a request may be written: base64, its white space, and the fields that describe it (RFC 8951 §3).

use super::steps::{excerpt, issued, valid_csr};
use crate::{
    clause::Reading,
    csr::Wish,
    http::{Request, Response, basic, encode_body},
    key::Key,
    session::Session,
    verdict::{Stop, Verdict, require},
};

/// A line of this length breaks readers with a line buffer.
const LONG_LINE: usize = 2000;

pub(super) fn ignores_white_space(session: &mut Session<'_>) -> Verdict {
    // RFC 8951 §3.1: "white space including CR, LF, spaces (ASCII 32), and tabs (ASCII 9) SHOULD be tolerated by receivers."
    let (user, _) = session.login()?;
    let key = session.device_key()?;
    let line = encode_body(&Wish::common_name(user).sign(&key)?);
    let wrapped =
        |width: usize, separator: &str| line.chunks(width).map(<[u8]>::to_vec).collect::<Vec<_>>().join(separator.as_bytes());
    let spellings = [
        ("CRLF every 64", wrapped(64, "\r\n")),
        ("LF every 76", wrapped(76, "\n")),
        ("tab every 10", wrapped(10, "\t")),
        ("space every 3", wrapped(3, " ")),
        ("all of them around", [b" \t\r\n".as_slice(), &wrapped(5, "\r\n\t "), b"\r\n\r\n"].concat()),
    ];
    for (what, body) in spellings {
        let request = session.enrollment(&body)?;
        let response = session.exchange(&request)?;
        issued(&response, &key).map_err(|stop| stop.about(what))?;
    }
    let long = encode_body(&Wish::common_name(user).padded(LONG_LINE * 3 / 4).sign(&key)?);
    require(long.len() >= LONG_LINE, || format!("in the suite: a line of {} only", long.len()))?;
    let request = session.enrollment(&long)?;
    let response = session.exchange(&request)?;
    issued(&response, &key).map_err(|stop| stop.about("one long line"))?;
    Ok(format!("200 each, one line of {} too", long.len()))
}

pub(super) fn ignores_the_transfer_encoding(session: &mut Session<'_>) -> Verdict {
    // RFC 8951 §3: "This format is to be used regardless of any Content-Transfer-Encoding header, and any value in such a header MUST be
    // ignored."
    let (key, csr) = valid_csr(session)?;
    for value in [None, Some("base64"), Some("binary"), Some("7bit"), Some("no such encoding")] {
        let mut request = session.enrollment(&encode_body(&csr))?;
        if let Some(value) = value {
            request = request.with_field("Content-Transfer-Encoding", value);
        }
        let response = session.exchange(&request)?;
        issued(&response, &key).map_err(|stop| stop.about(value.unwrap_or("absent")))?;
    }
    Ok("200 each".into())
}

pub(super) fn reads_raw_der_or_not(session: &mut Session<'_>) -> Verdict {
    // RFC 8951 §3: "require the POST request and payload response of all endpoints using base64 encoding".
    let (key, csr) = valid_csr(session)?;
    let request = session.enrollment(&csr)?;
    let response = session.exchange(&request)?;
    judge(session.reading, &response, &key, &[400], "raw DER")
}

pub(super) fn minds_the_content_type(session: &mut Session<'_>) -> Verdict {
    let (key, csr) = valid_csr(session)?;
    // RFC 9110 §8.3.1: "The type and subtype tokens are case-insensitive."
    let response = session.exchange(&with_content_type(session, &csr, Some("Application/PKCS10; charset=x"))?)?;
    issued(&response, &key).map_err(|stop| stop.about("Application/PKCS10; charset=x"))?;
    // RFC 7030 §4.2.1: "The HTTP content-type of "application/pkcs10" is used here."
    let mut found = Vec::new();
    for content_type in [Some("text/plain"), None, Some("application/pkcs7-mime")] {
        let response = session.exchange(&with_content_type(session, &csr, content_type)?)?;
        found.push(judge(session.reading, &response, &key, &[415, 400], content_type.unwrap_or("absent"))?);
    }
    Ok(found.join(", "))
}

fn with_content_type(session: &Session<'_>, csr: &[u8], content_type: Option<&str>) -> Result<Request, Stop> {
    let (user, password) = session.login()?;
    let request = Request::new("POST", &session.path("simpleenroll"))
        .with_field("Authorization", &basic(user, password))
        .with_content(&encode_body(csr));
    Ok(match content_type {
        Some(value) => request.with_field("Content-Type", value),
        None => request,
    })
}

/// Strict: refused with one of these codes. Compatible: taken.
fn judge(reading: Reading, response: &Response, key: &Key, refusals: &[u16], what: &str) -> Verdict {
    match reading {
        Reading::Strict => {
            require(refusals.contains(&response.status), || format!("{what}: {}, {}", response.status, excerpt(response)))?;
        }
        Reading::Compatible => {
            issued(response, key).map_err(|stop| stop.about(what))?;
        }
    }
    Ok(format!("{what}: {}", response.status))
}
