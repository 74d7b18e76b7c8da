//! Who signs (RFC 6960 §2.2, §4.2.2.2): the CA of the CertID, or one whom it has certified for that directly.

use const_oid::ObjectIdentifier;

use super::{
    reply::Basic,
    request::{Ask, SHA1, extension, key_bits},
    session::Session,
};
use crate::{
    asn1::{Element, tag},
    certificate::Certificate,
    signature,
    verdict::{Stop, Verdict, require},
};

/// `id-kp-OCSPSigning` (RFC 6960 §4.2.2.2).
const OCSP_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9");
/// Authority information access (RFC 5280 §4.2.2.1).
const AUTHORITY_INFORMATION_ACCESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.1");
/// `id-ad-ocsp` (RFC 6960 §4.2.2.2.1).
const ACCESS_OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");
/// CRL distribution points (RFC 5280 §4.2.1.13).
const CRL_DISTRIBUTION_POINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");
/// Bit of `keyUsage` that says a key signs other things than certificates and CRLs (RFC 5280 §4.2.1.3).
const DIGITAL_SIGNATURE: usize = 0;

/// Signature algorithms by SHA-256 or better: ECDSA, RSA PKCS #1 v1.5, Ed25519, Ed448.
const STRONG: [&str; 8] = [
    "1.2.840.10045.4.3.2",
    "1.2.840.10045.4.3.3",
    "1.2.840.10045.4.3.4",
    "1.2.840.113549.1.1.11",
    "1.2.840.113549.1.1.12",
    "1.2.840.113549.1.1.13",
    "1.3.101.112",
    "1.3.101.113",
];

/// The certificate that `responderID` means: the issuer's, or one in `certs`.
fn signer_of<'b>(basic: &'b Basic, issuer: &'b Certificate) -> Result<&'b Certificate, Stop> {
    let [inner] = basic.responder.elements() else { return Err(Stop::fail("responderID holds more than one element")) };
    let is_meant = |certificate: &&Certificate| {
        if basic.responder.tag == tag::context(2) {
            // RFC 6960 §4.2.1: "SHA-1 hash of responder's public key (excluding the tag and length fields)".
            inner.tag == tag::OCTET_STRING && inner.octets() == SHA1.digest(key_bits(&certificate.spki))
        } else {
            *inner == certificate.subject
        }
    };
    let found = std::iter::once(issuer).chain(&basic.certificates).find(is_meant);
    found.ok_or_else(|| Stop::fail("responderID is neither the issuer's nor that of a certificate in certs"))
}

fn is_delegated(signer: &Certificate, issuer: &Certificate) -> bool {
    signer.spki != issuer.spki
}

/// Verifies an answer about certificates of `issuer` at time `now` (seconds since 1970).
pub(super) fn trust(basic: &Basic, issuer: &Certificate, now: i64) -> Result<(), Stop> {
    let signer = signer_of(basic, issuer)?;
    if is_delegated(signer, issuer) {
        // RFC 6960 §4.2.2.2: "This certificate MUST be issued directly by the CA that is identified in the request."
        require(signer.issuer == issuer.subject, || "the signer's certificate is not issued by the CA of the CertID".into())?;
        let step = signature::verify(&issuer.spki, &signer.algorithm, &signer.tbs, &signer.signature);
        step.map_err(|error| Stop::Fail(format!("the signer's certificate: {error}")))?;
        require(signer.key_purposes().contains(&OCSP_SIGNING), || "the signer's certificate lacks id-kp-OCSPSigning".into())?;
        require(signer.key_usage(DIGITAL_SIGNATURE) != Some(false), || {
            "the keyUsage of the signer's certificate lacks digitalSignature".into()
        })?;
        let period = (signer.not_before.unix(), signer.not_after.unix());
        require(matches!(period, (Some(begin), Some(end)) if begin <= now && now <= end), || {
            format!("the signer's certificate is valid from {} to {}", signer.not_before.text, signer.not_after.text)
        })?;
    }
    signature::verify(&signer.spki, &basic.algorithm, &basic.tbs, &basic.signature)
        .map_err(|error| Stop::Fail(format!("the answer's signature: {error}")))
}

pub(super) fn is_identified(session: &mut Session<'_>) -> Verdict {
    let (basic, _) = session.ask_good()?;
    let signer = signer_of(&basic, &session.responder().issuer)?;
    trust(&basic, &session.responder().issuer, session.now())?;
    let how = if basic.responder.tag == tag::context(2) { "byKey" } else { "byName, where RFC 9919 §3.2.2 wants byKey" };
    let whose = if is_delegated(signer, &session.responder().issuer) { "a delegate's" } else { "the CA's" };
    Ok(format!("{how}, {whose}"))
}

pub(super) fn signs_rightly(session: &mut Session<'_>) -> Verdict {
    let (basic, _) = session.ask_good()?;
    trust(&basic, &session.responder().issuer, session.now())?;
    Ok(format!("{} verifies", algorithm(&basic)))
}

pub(super) fn is_authorized(session: &mut Session<'_>) -> Verdict {
    let (basic, _) = session.ask_good()?;
    let issuer = &session.responder().issuer;
    let signer = signer_of(&basic, issuer)?;
    if !is_delegated(signer, issuer) {
        return Ok("the CA signs by itself".into());
    }
    trust(&basic, issuer, session.now())?;
    let mut found = vec!["id-kp-OCSPSigning"];
    // RFC 6960 §4.2.2.2.1: "This SHOULD be a non-critical extension. The value of the extension SHALL be NULL."
    match signer.extension(extension::NO_CHECK) {
        Some(no_check) => {
            require(!no_check.critical, || "id-pkix-ocsp-nocheck is critical".into())?;
            require(no_check.value == [tag::NULL, 0], || "the value of id-pkix-ocsp-nocheck is not NULL".into())?;
            found.push("id-pkix-ocsp-nocheck");
        }
        None => found.push("without id-pkix-ocsp-nocheck, which RFC 9919 §3.2.2 recommends"),
    }
    // RFC 9919 §3.2.2: "it is RECOMMENDED that neither an OCSP authorityInfoAccess (AIA) extension nor cRLDistributionPoints (CRLDP)
    // extension be included in the OCSP responder's certificate."
    if signer.extension(CRL_DISTRIBUTION_POINTS).is_some() || names_responder(signer) {
        found.push("tells where it is checked, which RFC 9919 §3.2.2 advises against");
    }
    Ok(found.join(", "))
}

fn names_responder(signer: &Certificate) -> bool {
    let access = signer.extension(AUTHORITY_INFORMATION_ACCESS).and_then(|extension| extension.element().ok());
    let methods = access.map(|access| access.elements().to_vec()).unwrap_or_default();
    methods.iter().any(|method| method.elements().first().and_then(Element::oid) == Some(ACCESS_OCSP))
}

pub(super) fn signs_strongly(session: &mut Session<'_>) -> Verdict {
    let (basic, _) = session.ask_good()?;
    require_strong(&basic)
}

/// RFC 6960 §5.1.1: not "a signing mechanism that is not considered acceptably secure", which is what is weaker than SHA-256. Says which
/// algorithm it is.
pub(super) fn require_strong(basic: &Basic) -> Verdict {
    let algorithm = algorithm(basic);
    require(STRONG.contains(&algorithm.as_str()), || format!("signed by {algorithm}, which is weak or unknown"))?;
    Ok(algorithm)
}

fn algorithm(basic: &Basic) -> String {
    basic.algorithm.elements().first().and_then(Element::oid).map(|oid| oid.to_string()).unwrap_or_default()
}

pub(super) fn minds_preferences(session: &mut Session<'_>) -> Verdict {
    let id = session.good_id()?;
    let mut found = Vec::new();
    // Strong and strange to the usual key first; weak first; none that anybody knows.
    for (what, preferred) in [
        ("ecdsa-with-SHA384 first", ["1.2.840.10045.4.3.3", "1.2.840.10045.4.3.2"]),
        ("sha1WithRSAEncryption first", ["1.2.840.113549.1.1.5", "1.2.840.10045.4.1"]),
        ("unknown algorithms", ["1.3.6.1.4.1.32473.3", "1.3.6.1.4.1.32473.4"]),
    ] {
        let ask = Ask::about(&id).with_extension(extension::PREFERRED_ALGORITHMS, false, &preferences(&preferred)?.encode());
        let basic = session.ask(&ask).map_err(|stop| stop.about(what))?;
        // RFC 6960 §4.4.7.2.1: "as long as the selected algorithm meets all security requirements of the OCSP responder".
        found.push(format!("{what}: {}", require_strong(&basic).map_err(|stop| stop.about(what))?));
    }
    Ok(found.join("; "))
}

/// "PreferredSignatureAlgorithms ::= SEQUENCE OF PreferredSignatureAlgorithm" (RFC 6960 §4.4.7.1).
fn preferences(preferred: &[&str]) -> Result<Element, Stop> {
    let one = |oid: &&str| {
        let algorithm = Element::object_identifier(ObjectIdentifier::new(oid).map_err(Stop::fail)?);
        Ok(Element::sequence(vec![Element::sequence(vec![algorithm])]))
    };
    Ok(Element::sequence(preferred.iter().map(one).collect::<Result<_, Stop>>()?))
}
