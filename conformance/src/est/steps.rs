//! What several clauses do and ask alike.

use crate::{
    certificate::Certificate,
    certs_only,
    csr::Wish,
    http::Response,
    key::Key,
    session::Session,
    transport::Failure,
    verdict::{Stop, Verdict, require},
};

/// A CSR that the target's user may have signed: its own name as CN.
pub(super) fn valid_csr(session: &Session<'_>) -> Result<(Key, Vec<u8>), Stop> {
    let (user, _) = session.login()?;
    let key = session.device_key()?;
    let csr = Wish::common_name(user).sign(&key)?;
    Ok((key, csr))
}

/// The one certificate of a successful enrollment, for the key that asked.
pub(crate) fn issued(response: &Response, key: &Key) -> Result<Certificate, Stop> {
    require(response.status == 200, || format!("{}, not 200: {}", response.status, excerpt(response)))?;
    let mut certificates = certs_only::decode(&response.content)?;
    require(certificates.len() == 1, || format!("{} certificates in the answer", certificates.len()))?;
    let certificate = certificates.pop().ok_or_else(|| Stop::fail("no certificate"))?;
    require(certificate.spki == key.spki()?, || "the certificate is for another key than the CSR's".into())?;
    Ok(certificate)
}

/// Refused, as one whom the server does not know: by an alert, by closing, with 401 or with 403, and without a certificate. Says how.
pub(super) fn require_turned_away(outcome: Result<Response, Failure>) -> Verdict {
    match outcome {
        Err(Failure::Tls(alert)) => Ok(format!("refused in TLS ({alert})")),
        Err(Failure::Closed) => Ok("closed".into()),
        Err(other) => Err(other.into()),
        Ok(response) => {
            require(matches!(response.status, 401 | 403), || format!("{}, neither 401 nor 403", response.status))?;
            require_refusal(&response, "turned away")?;
            Ok(response.status.to_string())
        }
    }
}

/// "4xx" means any 4xx and never 5xx, and never a certificate.
pub(super) fn require_refusal(response: &Response, what: &str) -> Result<(), Stop> {
    require(response.is_client_error(), || format!("{what}: {}, not 4xx", response.status))?;
    require(certs_only::decode(&response.content).is_err(), || format!("{what}: {} with a certificate", response.status))
}

/// The beginning of an answer's text.
pub(super) fn excerpt(response: &Response) -> String {
    String::from_utf8_lossy(&response.content).chars().take(120).filter(|character| !character.is_control()).collect()
}
