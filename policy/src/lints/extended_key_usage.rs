//! No end entity speaks for the CA, for other requesters, or for everything: anyExtendedKeyUsage, OCSPSigning and cmcRA stand in nothing
//! that a request leads to, whatever the request, the rules and the configuration say.
//!
//! But for a delegated OCSP responder (RFC 6960 §4.2.2.2): OCSPSigning, and nothing besides, is its purpose. Its certificate comes from an
//! internal profile of the core, for a key that certgate has made, and whoever calls [`super::lint`] says so: nothing in a template, a
//! request or a configured profile can.

use certgate_pki::asn1::{Tlv, tag};
use certgate_pki::{ExtendedKeyUsage, ObjectIdentifier, Template};

use super::template_extensions::{find, is_ca};
use super::{Circumstances, Holder, Lint};

pub(crate) const LINT: Lint =
    Lint { name: "extended-key-usage", citation: "RFC 5280 §4.2.1.12, RFC 6960 §4.2.2.2, RFC 6402 §2.10", check };

const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");

/// Purposes that speak for a CA, for others, or for everything.
const FORBIDDEN: [ExtendedKeyUsage; 3] = [ExtendedKeyUsage::Any, ExtendedKeyUsage::OcspSigning, ExtendedKeyUsage::CmcRa];

fn check(template: &Template, circumstances: &Circumstances) -> Result<(), String> {
    let Some(extension) = find(template, EXTENDED_KEY_USAGE) else { return Ok(()) };
    // RFC 5280 §4.2.1.12: SEQUENCE SIZE (1..MAX) OF KeyPurposeId.
    let purposes = read(&extension.value).filter(|purposes| !purposes.is_empty());
    let purposes = purposes.ok_or("extKeyUsage is malformed, or without a purpose")?;
    if circumstances.holder == Holder::OcspResponder && purposes == [ExtendedKeyUsage::OcspSigning] {
        return Ok(());
    }
    match purposes.iter().find(|purpose| FORBIDDEN.contains(purpose)) {
        Some(purpose) if !is_ca(template) => Err(format!("an end entity's extKeyUsage has {purpose}")),
        _ => Ok(()),
    }
}

fn read(value: &[u8]) -> Option<Vec<ExtendedKeyUsage>> {
    let mut reader = Tlv::only(value).ok().filter(|sequence| sequence.tag == tag::SEQUENCE)?.contents().ok()?;
    let mut purposes = Vec::new();
    while !reader.is_finished() {
        purposes.push(ExtendedKeyUsage::from_oid(reader.expect(tag::OID).ok()?.oid().ok()?));
    }
    Some(purposes)
}
