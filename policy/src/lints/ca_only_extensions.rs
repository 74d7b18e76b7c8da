//! Constraints on what may follow below stand in the certificates of CAs only. RFC 5280 §4.2.1.10: "The name constraints extension, which
//! MUST be used only in a CA certificate, …"; §4.2.1.11: "The policy constraints extension can be used in certificates issued to CAs";
//! §4.2.1.14: "The inhibit anyPolicy extension can be used in certificates issued to CAs"; §4.2.1.5 has policyMappings so too.

use certgate_pki::{ObjectIdentifier, Template};

use super::template_extensions::{find, is_ca};
use super::{Circumstances, Lint};

pub(crate) const LINT: Lint =
    Lint { name: "ca-only-extensions", citation: "RFC 5280 §4.2.1.5, §4.2.1.10, §4.2.1.11, §4.2.1.14", check };

const CA_ONLY: [(ObjectIdentifier, &str); 4] = [
    (ObjectIdentifier::new_unwrap("2.5.29.30"), "nameConstraints"),
    (ObjectIdentifier::new_unwrap("2.5.29.33"), "policyMappings"),
    (ObjectIdentifier::new_unwrap("2.5.29.36"), "policyConstraints"),
    (ObjectIdentifier::new_unwrap("2.5.29.54"), "inhibitAnyPolicy"),
];

fn check(template: &Template, _: &Circumstances) -> Result<(), String> {
    match CA_ONLY.iter().find(|(oid, _)| find(template, *oid).is_some()) {
        Some((_, name)) if !is_ca(template) => Err(format!("an end entity's certificate has {name}")),
        _ => Ok(()),
    }
}
