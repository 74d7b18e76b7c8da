//! What is no request, and how it is refused (RFC 7030 §4.2.3).

use super::steps::{excerpt, require_refusal, valid_csr};
use crate::{
    csr::Wish,
    http::{Request, Response, encode_body},
    session::Session,
    verdict::{Stop, Verdict, require},
};

/// Bodies that hold no CSR, or more than one.
fn faulty_bodies(session: &Session<'_>) -> Result<Vec<(&'static str, Vec<u8>)>, Stop> {
    let (_, csr) = valid_csr(session)?;
    let (_, other) = valid_csr(session)?;
    let truncated = csr.get(..csr.len() - 10).unwrap_or_default();
    Ok(vec![
        ("an empty body", Vec::new()),
        ("%%%", b"%%%".to_vec()),
        ("base64 of no DER", encode_body(b"this is no certification request, whatever else it is")),
        ("truncated DER", encode_body(truncated)),
        ("octets after the CSR", encode_body(&[csr.as_slice(), &[0x05, 0x00]].concat())),
        ("two CSRs", encode_body(&[csr.as_slice(), &other].concat())),
    ])
}

pub(super) fn refuses_what_is_no_csr(session: &mut Session<'_>) -> Verdict {
    // RFC 7030 §4.2.3: "The server MUST answer with a suitable 4xx or 5xx HTTP [RFC2616] error code when a problem occurs."
    for (what, body) in faulty_bodies(session)? {
        let request = session.enrollment(&body)?;
        let response = session.exchange(&request)?;
        require_refusal(&response, what)?;
        require(response.status == 400, || format!("{what}: {}, not 400", response.status))?;
    }
    Ok("400 each".into())
}

pub(super) fn explains_itself(session: &mut Session<'_>) -> Verdict {
    let mut rejected = Vec::new();
    for (what, body) in faulty_bodies(session)? {
        rejected.push((what, session.enrollment(&body)?));
    }
    let (user, _) = session.login()?;
    let key = session.device_key()?;
    let forged = session.enrollment(&encode_body(&Wish::common_name(user).sign_wrongly(&key)?))?;
    rejected.push(("a wrong signature", forged));
    let foreign = Wish::common_name("a-name-of-somebody-else.example").sign(&key)?;
    rejected.push(("a foreign name", session.enrollment(&encode_body(&foreign))?));
    // A 401 is no rejection of the request but a demand for credentials (RFC 9110 §15.5.2); clients are known that want it without a body.
    rejected.push(("GET simpleenroll", Request::new("GET", &session.path("simpleenroll"))));
    let count = rejected.len();
    for (what, request) in rejected {
        let response = session.exchange(&request)?;
        require(response.status >= 400, || format!("{what}: {}", response.status))?;
        require_explanation(&response, what)?;
    }
    Ok(format!("{count} rejections, each in words"))
}

/// RFC 7030 §4.2.3 as RFC 8951 §5.1 has it: "If the content-type is not set, the response data MUST be a plaintext human-readable error
/// message containing explanatory information describing why the request was rejected … Servers MAY use the "text/plain"
/// content-type [RFC2046] for human-readable errors." And: "A Simple PKI Response with an HTTP content-type of
/// "application/pkcs7-mime" (see Section 4.3.2) MAY be included".
fn require_explanation(response: &Response, what: &str) -> Result<(), Stop> {
    match response.media_type().as_deref() {
        None | Some("text/plain") => {
            let text = std::str::from_utf8(&response.content).map(str::trim).unwrap_or_default();
            let is_readable =
                text.contains(' ') && !text.chars().any(|character| character.is_control() && !character.is_whitespace());
            require(is_readable, || format!("{what}: {} without words: {:?}", response.status, excerpt(response)))
        }
        Some("application/pkcs7-mime") => Ok(()),
        Some(other) => Err(Stop::Fail(format!("{what}: {} with content type {other}", response.status))),
    }
}
