//! Distribution of CA certificates (RFC 7030 §4.1).

use super::steps::{issued, valid_csr};
use crate::{
    certificate::Certificate,
    certs_only, chain,
    http::Response,
    session::Session,
    signature::Unverified,
    verdict::{Stop, Verdict, require},
};

/// The answer to GET cacerts, which RFC 7030 §4.1.3 wants to be 200.
pub(super) fn fetch(session: &mut Session<'_>) -> Result<Response, Stop> {
    let response = session.get("cacerts")?;
    require(response.status == 200, || format!("GET cacerts gave {}", response.status))?;
    Ok(response)
}

/// Its certificates.
pub(super) fn certificates(session: &mut Session<'_>) -> Result<Vec<Certificate>, Stop> {
    Ok(certs_only::decode(&fetch(session)?.content)?)
}

pub(super) fn is_open_to_all(session: &mut Session<'_>) -> Verdict {
    // RFC 7030 §4.1.2: "The EST server SHOULD NOT require client authentication or authorization to reply to this request."
    let response = fetch(session)?;
    // RFC 7030 §4.1.3: "The HTTP content-type of "application/pkcs7-mime" is used."
    let media_type = response.media_type();
    require(media_type.as_deref() == Some("application/pkcs7-mime"), || format!("content type {media_type:?}"))?;
    require(!response.content.is_empty(), || "an empty answer".into())?;
    Ok(format!("200, {} octets", response.content.len()))
}

pub(super) fn is_a_strict_certs_only_message(session: &mut Session<'_>) -> Verdict {
    // RFC 7030 §4.1.3: "A successful response MUST be a certs-only CMC Simple PKI Response".
    let certificates = certificates(session)?;
    require(!certificates.is_empty(), || "no certificates".into())?;
    Ok(format!("strict DER, {} certificates", certificates.len()))
}

pub(super) fn completes_the_chain(session: &mut Session<'_>) -> Verdict {
    // RFC 7030 §4.1.3: "The EST server MUST include any additional certificates the client would need to build a chain from an EST
    // CA-issued certificate to the current EST CA TA."
    let pool = certificates(session)?;
    let (key, csr) = valid_csr(session)?;
    let certificate = issued(&session.enroll(&csr)?, &key)?;
    match chain::validate(&certificate, &pool, session.now()) {
        Ok(chain) => Ok(format!("a chain of {} verifies", chain.len())),
        Err(Unverified::Unsupported(reason)) => Err(Stop::Skip(reason)),
        Err(Unverified::Wrong(reason)) => Err(Stop::Fail(reason)),
    }
}
