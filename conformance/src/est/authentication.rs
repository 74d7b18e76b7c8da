//! Who may enroll (RFC 7030 §3.2.3, §4.2).

use super::steps::{issued, require_refusal, valid_csr};
use crate::{
    http::{Response, basic, encode_body},
    session::Session,
    transport::Failure,
    verdict::{Stop, Verdict, require},
};

pub(super) fn asks_for_credentials(session: &mut Session<'_>) -> Verdict {
    let (_, csr) = valid_csr(session)?;
    let request = session.anonymous_enrollment(&encode_body(&csr));
    let response = match session.exchange(&request) {
        Err(Failure::Tls(alert)) => return Ok(format!("refused in TLS: {alert}")),
        other => other?,
    };
    // RFC 7030 §4.2: "The server MUST authenticate the client as specified in Section 3.3.2 if certificate-based authentication is used
    // … The server MUST verify client authorization as specified in Section 3.7."
    require_refusal(&response, "without credentials")?;
    require(response.status == 401, || format!("without credentials: {}, not 401", response.status))?;
    // RFC 9110 §15.5.2: "The server generating a 401 response MUST send a WWW-Authenticate header field".
    let challenge = response.field("www-authenticate").ok_or_else(|| Stop::fail("401 without WWW-Authenticate"))?;
    // RFC 7030 §3.2.3: "Servers that wish to use Basic and Digest authentication reject the HTTP request using the HTTP-defined
    // WWW-Authenticate response-header".
    let scheme = challenge.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    require(matches!(scheme.as_str(), "basic" | "digest"), || format!("WWW-Authenticate: {challenge}"))?;
    Ok(format!("401, {challenge}"))
}

pub(super) fn refuses_wrong_credentials(session: &mut Session<'_>) -> Verdict {
    let (user, password) = session.login()?;
    let (_, csr) = valid_csr(session)?;
    let shortened: String = password.chars().skip(1).collect();
    let wrong = [
        ("wrong password", basic(user, "not the password")),
        ("password without its first character", basic(user, &shortened)),
        ("unknown user", basic("nobody-of-this-name", password)),
        ("malformed Basic", "Basic %%%".to_owned()),
    ];
    for (what, authorization) in wrong {
        let response = enroll_as(session, &csr, &authorization)?;
        require_refusal(&response, what)?;
        let is_right = matches!(response.status, 401 | 403) || (what.starts_with("malformed") && response.status == 400);
        require(is_right, || format!("{what}: {}", response.status))?;
    }
    Ok("401 or 403 each".into())
}

pub(super) fn takes_right_credentials(session: &mut Session<'_>) -> Verdict {
    let (key, csr) = valid_csr(session)?;
    issued(&session.enroll(&csr)?, &key)?;
    // RFC 7030 §3.2.3: "A client MAY set the username to the empty string ("") if it is presenting a password that is not associated
    // with a username."
    let Some(password) = session.target().empty_username_password.as_deref() else {
        return Ok("200; no password for an empty user name to try".into());
    };
    let response = enroll_as(session, &csr, &basic("", password))?;
    issued(&response, &key)?;
    Ok("200, with an empty user name too".into())
}

fn enroll_as(session: &mut Session<'_>, csr: &[u8], authorization: &str) -> Result<Response, Stop> {
    let request = session.anonymous_enrollment(&encode_body(csr)).with_field("Authorization", authorization);
    Ok(session.exchange(&request)?)
}
