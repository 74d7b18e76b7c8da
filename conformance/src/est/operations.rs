//! Operation paths and labels (RFC 7030 §3.2.2), and the operations a server may lack.

use super::{cacerts, steps::require_refusal};
use crate::{
    asn1::{Element, tag},
    certs_only,
    http::Request,
    session::Session,
    verdict::{Stop, Verdict, require},
};

pub(super) fn refuses_the_wrong_method(session: &mut Session<'_>) -> Verdict {
    // RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field in a 405 response".
    let mut found = Vec::new();
    let posted = Request::new("POST", &session.path("cacerts")).with_content(b"");
    let fetched = Request::new("GET", &session.path("simpleenroll"));
    for request in [posted, fetched] {
        let what = format!("{} {}", request.method, request.operation());
        let response = session.exchange(&request)?;
        require_refusal(&response, &what)?;
        require(response.status != 405 || response.field("allow").is_some(), || format!("{what}: 405 without Allow"))?;
        found.push(format!("{what}: {}", response.status));
    }
    Ok(found.join(", "))
}

pub(super) fn knows_its_labels(session: &mut Session<'_>) -> Verdict {
    // RFC 7030 §3.2.2: "The EST server MUST provide services regardless of whether the additional path segment is present."
    cacerts::fetch(session)?;
    let Some(label) = session.target().label.as_deref() else {
        return Err(Stop::Skip("the target names no label".into()));
    };
    let labelled = Request::new("GET", &session.labelled_path(label, "cacerts"));
    let response = session.exchange(&labelled)?;
    require(response.status == 200, || format!("label {label}: {}", response.status))?;
    // RFC 7030 §3.2.2: "To avoid conflict, the CA label MUST NOT be the same as any defined operation path segment."
    for wrong in ["no-such-label", "cacerts"] {
        let request = Request::new("GET", &session.labelled_path(wrong, "cacerts"));
        let response = session.exchange(&request)?;
        require(response.status == 404, || format!("label {wrong}: {}, not 404", response.status))?;
    }
    Ok(format!("with and without label {label}: 200; others: 404"))
}

pub(super) fn describes_csr_attributes(session: &mut Session<'_>) -> Verdict {
    let response = session.get("csrattrs")?;
    match response.status {
        // RFC 7030 §4.5.2: "An HTTP response code of 204 or 404 indicates that a CSR Attributes Response is not available."
        204 | 404 => return Ok(format!("{}: not available", response.status)),
        200 => {}
        other => return Err(Stop::Fail(format!("GET csrattrs gave {other}"))),
    }
    // RFC 7030 §4.5.2: "Responses to attribute request messages MUST be encoded as the content-type of "application/csrattrs""
    let media_type = response.media_type();
    require(media_type.as_deref() == Some("application/csrattrs"), || format!("content type {media_type:?}"))?;
    let attributes = Element::parse(&certs_only::decode_base64(&response.content)?)?;
    let is_sequence = attributes.tag == tag::SEQUENCE;
    let well_formed = attributes.elements().iter().all(|one| one.oid().is_some() || is_attribute(one));
    require(is_sequence && well_formed, || "no SEQUENCE OF AttrOrOID".into())?;
    Ok(format!("200, {} attributes", attributes.elements().len()))
}

/// `Attribute ::= SEQUENCE { type, values SET }` (RFC 8951 §4).
fn is_attribute(element: &Element) -> bool {
    matches!(element.elements(), [kind, values] if kind.oid().is_some() && values.tag == tag::SET)
}

pub(super) fn answers_fullcmc(session: &mut Session<'_>) -> Verdict {
    let path = session.path("fullcmc");
    let request = Request::new("POST", &path)
        .with_field("Content-Type", "application/pkcs7-mime; smime-type=CMC-request")
        .with_content(b"MAA=");
    let response = session.exchange(&request)?;
    // RFC 7030 §4.3.2: "When rejecting a request, the server MUST specify either an HTTP 4xx error or an HTTP 5xx error. A CMC response
    // with the content-type of "application/pkcs7-mime" MUST be included in the response data for any CMC error response."
    match response.status {
        404 | 501 => Ok(format!("{}: not implemented", response.status)),
        400..=599 => {
            let media_type = response.media_type();
            let is_refusal = matches!(response.status, 401 | 403) || media_type.as_deref() == Some("application/pkcs7-mime");
            require(is_refusal, || format!("{} without a CMC response: {media_type:?}", response.status))?;
            Ok(format!("{}: refused", response.status))
        }
        other => Err(Stop::Fail(format!("an empty fullcmc request gave {other}"))),
    }
}
