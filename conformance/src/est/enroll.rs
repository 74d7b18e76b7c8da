//! Simple enrollment (RFC 7030 §4.2).

use super::steps::{issued, require_refusal, valid_csr};
use crate::{
    csr::Wish,
    key::{Key, KeyKind},
    session::Session,
    verdict::{Verdict, require},
};

pub(super) fn issues_one_certificate(session: &mut Session<'_>) -> Verdict {
    let (key, csr) = valid_csr(session)?;
    let response = session.enroll(&csr)?;
    // RFC 7030 §4.2.3: "A successful response MUST be a certs-only CMC Simple PKI Response, as defined in [RFC5272], containing only the
    // certificate that was issued. The HTTP content-type of "application/pkcs7-mime" with an smime-type parameter "certs-only" is used".
    issued(&response, &key)?;
    let media_type = response.media_type();
    require(media_type.as_deref() == Some("application/pkcs7-mime"), || format!("content type {media_type:?}"))?;
    let smime_type = response.media_parameter("smime-type");
    require(smime_type.as_deref() == Some("certs-only"), || format!("smime-type {smime_type:?}"))?;
    Ok("200, one certificate for the CSR's key".into())
}

pub(super) fn wants_proof_of_possession(session: &mut Session<'_>) -> Verdict {
    // RFC 7030 §3.4: "The signed enrollment request provides a signature-based proof-of-possession." One that is not signed by its own
    // key proves nothing.
    let (user, _) = session.login()?;
    let wish = Wish::common_name(user);
    for (what, key) in [("the device's", session.device_key()?), ("an RSA", Key::of(KeyKind::Rsa2048)?)] {
        let response = session.enroll(&wish.sign_wrongly(&key)?)?;
        require_refusal(&response, &format!("{what} key's signature over something else"))?;
    }
    Ok("4xx for the device's key and for RSA".into())
}
