//! Extensions that say what a key is for (RFC 5280 §4.2.1).

use const_oid::ObjectIdentifier;

use crate::{
    asn1::tag,
    certificate::{Certificate, extension},
    chain::KEY_CERT_SIGN,
};

/// `anyExtendedKeyUsage`.
pub(super) const ANY_PURPOSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
/// `id-kp-OCSPSigning` (RFC 6960 §4.2.2.2).
pub(super) const OCSP_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9");
/// `id-kp-cmcRA` (RFC 6402 §2.10).
pub(super) const CMC_RA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.28");

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// Bits of `keyUsage` that a key which only signs cannot have: keyEncipherment, dataEncipherment.
const ENCIPHERMENT: [usize; 2] = [2, 3];
/// Bits of `keyUsage` that an RSA key cannot have: keyAgreement, encipherOnly, decipherOnly.
const AGREEMENT: [usize; 3] = [4, 7, 8];

pub(super) fn key_identifiers(certificate: &Certificate, issuer: Option<&Certificate>) -> Result<(), String> {
    let authority = certificate.extension(extension::AUTHORITY_KEY_IDENTIFIER);
    // RFC 5280 §4.2.1.1: "The keyIdentifier field of the authorityKeyIdentifier extension MUST be included in all certificates generated
    // by conforming CAs to facilitate certification path construction. There is one exception; where a CA distributes its public key in
    // the form of a "self-signed" certificate, the authority key identifier MAY be omitted."
    let identifier = certificate.authority_key_identifier();
    if identifier.is_none() && !certificate.is_self_issued() {
        return Err("no keyIdentifier in the authority key identifier".into());
    }
    // RFC 5280 §4.2.1.1, §4.2.1.2: "Conforming CAs MUST mark this extension as non-critical."
    let subject = certificate.extension(extension::SUBJECT_KEY_IDENTIFIER);
    if authority.is_some_and(|extension| extension.critical) || subject.is_some_and(|extension| extension.critical) {
        return Err("a key identifier that is critical".into());
    }
    // RFC 5280 §4.2.1.2: "this extension MUST appear in all conforming CA certificates".
    if certificate.is_authority() && certificate.subject_key_identifier().is_none() {
        return Err("a CA without subject key identifier".into());
    }
    // RFC 5280 §4.2.1.2: "this value … MUST be the value placed in the key identifier field of the authority key identifier extension of
    // certificates issued by the subject of this certificate."
    match (identifier, issuer.and_then(Certificate::subject_key_identifier)) {
        (Some(wanted), Some(found)) if wanted != found => Err("the authority key identifier is not the issuer's".into()),
        _ => Ok(()),
    }
}

pub(super) fn key_usage(certificate: &Certificate, _: Option<&Certificate>) -> Result<(), String> {
    let Some(usage) = certificate.extension(extension::KEY_USAGE) else {
        // RFC 5280 §4.2.1.3: "Conforming CAs MUST include this extension in certificates that contain public keys that are used to
        // validate digital signatures on other public key certificates or CRLs."
        return if certificate.is_authority() { Err("a CA without keyUsage".into()) } else { Ok(()) };
    };
    // RFC 5280 §4.2.1.3: "When present, conforming CAs SHOULD mark this extension as critical."
    if !usage.critical {
        return Err("keyUsage is not critical".into());
    }
    let bits = usage.element().map_err(|fault| fault.0)?;
    // X.690 §11.2.2: "all trailing 0 bits removed"; RFC 5280 §4.2.1.3: "at least one of the bits MUST be set to 1."
    let is_minimal = matches!(bits.octets(), [unused, .., last] if last.trailing_zeros() == u32::from(*unused) && *last != 0);
    if bits.tag != tag::BIT_STRING || !is_minimal {
        return Err("keyUsage is no BIT STRING that ends in a set bit".into());
    }
    // RFC 5280 §4.2.1.9: "If the cA boolean is not asserted, then the keyCertSign bit in the key usage extension MUST NOT be asserted."
    if certificate.key_usage(KEY_CERT_SIGN) != Some(certificate.is_authority()) {
        return Err("keyCertSign and cA do not agree".into());
    }
    let algorithm = certificate
        .spki
        .elements()
        .first()
        .and_then(|algorithm| algorithm.elements().first())
        .and_then(crate::asn1::Element::oid);
    // RFC 3279 §2.3.1 for RSA; RFC 5480 §3 for EC: "dataEncipherment … keyEncipherment MUST NOT be present".
    let unsuited: &[usize] = if algorithm == Some(RSA_ENCRYPTION) { &AGREEMENT } else { &ENCIPHERMENT };
    match unsuited.iter().find(|bit| certificate.key_usage(**bit) == Some(true)) {
        Some(bit) => Err(format!("keyUsage bit {bit} does not suit the key")),
        None => Ok(()),
    }
}

pub(super) fn basic_constraints(certificate: &Certificate, _: Option<&Certificate>) -> Result<(), String> {
    let Some(constraints) = certificate.extension(extension::BASIC_CONSTRAINTS) else {
        let signs = certificate.key_usage(KEY_CERT_SIGN) == Some(true);
        return if signs { Err("keyCertSign without basicConstraints".into()) } else { Ok(()) };
    };
    let value = constraints.element().map_err(|fault| fault.0)?;
    // RFC 5280 §4.2.1.9: "Conforming CAs MUST include this extension in all CA certificates that contain public keys used to validate
    // digital signatures on certificates and MUST mark the extension as critical in such certificates."
    if certificate.is_authority() && !constraints.critical {
        return Err("basicConstraints of a CA is not critical".into());
    }
    // RFC 5280 §4.2.1.9: "CAs MUST NOT include the pathLenConstraint field unless the cA boolean is asserted and the key usage extension
    // asserts the keyCertSign bit."
    let may_limit = certificate.is_authority() && certificate.key_usage(KEY_CERT_SIGN) == Some(true);
    if certificate.path_length().is_some() && !may_limit {
        return Err("pathLenConstraint without cA and keyCertSign".into());
    }
    // X.690 §11.5: cA DEFAULT FALSE is not encoded, so that an end entity's is an empty SEQUENCE.
    let writes_false = value.elements().iter().any(|element| element.tag == tag::BOOLEAN && element.octets() == [0]);
    if writes_false || value.tag != tag::SEQUENCE { Err("cA FALSE is written out".into()) } else { Ok(()) }
}

pub(super) fn extended_key_usage(certificate: &Certificate, _: Option<&Certificate>) -> Result<(), String> {
    let Some(usage) = certificate.extension(extension::EXTENDED_KEY_USAGE) else { return Ok(()) };
    // RFC 5280 §4.2.1.12: "ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF KeyPurposeId".
    let purposes = certificate.key_purposes();
    let written = usage.element().map_err(|fault| fault.0)?.elements().len();
    if purposes.is_empty() || purposes.len() != written {
        return Err("extKeyUsage is no list of key purposes".into());
    }
    // RFC 5280 §4.2.1.12: "Conforming CAs SHOULD NOT mark this extension as critical if the anyExtendedKeyUsage KeyPurposeId is present";
    // here nobody needs it at all.
    if purposes.contains(&ANY_PURPOSE) { Err("anyExtendedKeyUsage".into()) } else { Ok(()) }
}

pub(super) fn path_constraints(certificate: &Certificate, _: Option<&Certificate>) -> Result<(), String> {
    for (oid, what) in [
        // RFC 5280 §4.2.1.10: "The name constraints extension, which MUST be used only in a CA certificate … Conforming CAs MUST mark this
        // extension as critical".
        (extension::NAME_CONSTRAINTS, "nameConstraints"),
        // RFC 5280 §4.2.1.11: "The policy constraints extension can be used in certificates issued to CAs … Conforming CAs MUST mark this
        // extension as critical."
        (extension::POLICY_CONSTRAINTS, "policyConstraints"),
        // RFC 5280 §4.2.1.14: "The inhibit anyPolicy extension can be used in certificates issued to CAs … Conforming CAs MUST mark this
        // extension as critical."
        (extension::INHIBIT_ANY_POLICY, "inhibitAnyPolicy"),
    ] {
        match certificate.extension(oid) {
            Some(_) if !certificate.is_authority() => return Err(format!("{what} in an end entity's certificate")),
            Some(found) if !found.critical => return Err(format!("{what} is not critical")),
            _ => {}
        }
    }
    Ok(())
}
