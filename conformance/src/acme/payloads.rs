//! What clients of ACME say in their requests.

use serde_json::{Value, json};

use super::jws::base64url;
use crate::csr::Wish;

/// The payload of an ordinary newAccount (RFC 8555 §7.3).
#[must_use]
pub fn terms() -> Value {
    json!({"termsOfServiceAgreed": true})
}

/// The payload of newOrder for these names (RFC 8555 §7.4).
#[must_use]
pub fn identifiers(names: &[String]) -> Value {
    let list: Vec<Value> = names.iter().map(|name| json!({"type": "dns", "value": name})).collect();
    json!({"identifiers": list})
}

/// The payload of finalize (RFC 8555 §7.4).
#[must_use]
pub fn csr_payload(csr: &[u8]) -> Value {
    json!({"csr": base64url(csr)})
}

/// A CSR of exactly these names.
#[must_use]
pub fn wish(names: &[String]) -> Wish {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Wish::empty().with_dns_names(&names)
}
