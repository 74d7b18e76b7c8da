//! What a server demands of a CSR, and tells beforehand (RFC 8951 §4).

use const_oid::ObjectIdentifier;

use super::{
    linking,
    steps::{issued, require_refusal},
};
use crate::{
    asn1::Element,
    certs_only,
    csr::{CHALLENGE_PASSWORD, Wish},
    key::{Key, KeyKind},
    session::Session,
    verdict::{Stop, Verdict, require},
};

/// Object identifiers that ask for a key of a kind: curves, `id-Ed25519`, `rsaEncryption`.
const KINDS: [(&str, KeyKind); 5] = [
    ("1.2.840.10045.3.1.7", KeyKind::P256),
    ("1.3.132.0.34", KeyKind::P384),
    ("1.3.132.0.35", KeyKind::P521),
    ("1.3.101.112", KeyKind::Ed25519),
    ("1.2.840.113549.1.1.1", KeyKind::Rsa3072),
];

pub(super) fn are_told(session: &mut Session<'_>) -> Verdict {
    let target = session.target();
    let Some(url) = target.demanding_url.as_deref() else {
        return Err(Stop::Skip("the target has no demanding_url".into()));
    };
    let endpoint = session.endpoint_at(url)?;
    let response = session.exchange(&endpoint.get("csrattrs"))?;
    require(response.status == 200, || format!("GET csrattrs gave {}, where something is demanded", response.status))?;
    let told = Element::parse(&certs_only::decode_base64(&response.content)?)?;
    // RFC 7030 §4.5.2: "If the CA requires a particular crypto system or use of a particular signature scheme (e.g., certification of a
    // public key based on a certain elliptic curve, or signing using a certain hash algorithm) it MUST provide that information in the
    // CSR Attribute Response."
    for demand in &target.demands {
        let oid = ObjectIdentifier::new(demand).map_err(|error| Stop::Fail(format!("in the target: {demand}: {error}")))?;
        require(holds(&told, oid), || format!("csrattrs does not tell of {demand}"))?;
    }
    // RFC 7030 §4.5.2: "If an EST server requires the linking of identity and POP information (see Section 3.5), it MUST include the
    // challengePassword OID in the CSR Attributes Response."
    require(holds(&told, CHALLENGE_PASSWORD), || "csrattrs does not tell of challengePassword".into())?;

    let wanted = KINDS.iter().find(|(oid, _)| target.demands.iter().any(|demand| demand == oid));
    let key = Key::new(wanted.map_or(session.device_key, |(_, kind)| *kind))?;
    // RFC 7030 §3.5: "The EST server MAY reject requests without tls-unique information as indicated by server policy."
    let unbound = endpoint.with_password("simpleenroll", &Wish::common_name(&endpoint.user).sign(&key)?);
    let refused = session.exchange(&unbound)?;
    require_refusal(&refused, "without challengePassword")?;
    let taken = linking::enroll_bound(session, &endpoint, &key)?;
    issued(&taken, &key).map_err(|stop| stop.about("as demanded"))?;
    Ok(format!(
        "told of {} object identifiers and challengePassword; without it {}, as demanded 200",
        target.demands.len(),
        refused.status
    ))
}

/// Whether an object identifier stands anywhere in it.
fn holds(element: &Element, oid: ObjectIdentifier) -> bool {
    element.oid() == Some(oid) || element.elements().iter().any(|inner| holds(inner, oid))
}
