//! What no request may ask for: to be a CA, or to speak for one.

use certgate_pki::{ExtendedKeyUsage, KeyUsage, ObjectIdentifier};

use crate::{Asked, Rule};

pub(crate) const RULE: Rule =
    Rule { name: "forbidden-extensions", citation: "RFC 5280 §4.2.1.3, §4.2.1.9, RFC 8555 §7.4", check };

/// Extensions that only CA certificates and responders have, and what they are called.
const CA_ONLY: [(ObjectIdentifier, &str); 5] = [
    (ObjectIdentifier::new_unwrap("2.5.29.30"), "nameConstraints"),
    (ObjectIdentifier::new_unwrap("2.5.29.33"), "policyMappings"),
    (ObjectIdentifier::new_unwrap("2.5.29.36"), "policyConstraints"),
    (ObjectIdentifier::new_unwrap("2.5.29.54"), "inhibitAnyPolicy"),
    (ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.5"), "ocsp-nocheck"),
];

/// Purposes that speak for a CA, for others, or for everything.
const FORBIDDEN_PURPOSES: [ExtendedKeyUsage; 3] =
    [ExtendedKeyUsage::OcspSigning, ExtendedKeyUsage::CmcRa, ExtendedKeyUsage::Any];

fn check(asked: &Asked<'_>) -> Result<(), String> {
    let requested = asked.csr.requested();
    if requested.ca {
        return Err("the CSR asks for basicConstraints cA TRUE; leave it out".into());
    }
    if requested.key_usage.intersects(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN) {
        return Err("the CSR asks for keyUsage keyCertSign or cRLSign; leave them out".into());
    }
    if let Some(purpose) = requested.extended_key_usage.iter().find(|purpose| FORBIDDEN_PURPOSES.contains(purpose)) {
        return Err(format!("the CSR asks for extendedKeyUsage {purpose}; leave it out"));
    }
    match CA_ONLY.iter().find(|(oid, _)| requested.others.contains(oid)) {
        Some((_, name)) => Err(format!("the CSR asks for the extension {name}; leave it out")),
        None => Ok(()),
    }
}
