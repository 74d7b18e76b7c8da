//! RFC 5280 §4.2.1.9: "If the cA boolean is not asserted, then the keyCertSign bit in the key usage extension MUST NOT be asserted", and
//! a CA without it signs nothing: both or neither.

use certgate_pki::{ObjectIdentifier, Template, Validity};

use super::Lint;

pub(crate) const LINT: Lint = Lint { name: "ca-and-key-cert-sign", citation: "RFC 5280 §4.2.1.9", check };

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
/// keyCertSign is bit 5: the third lowest of the first octet of the BIT STRING, after its header and its count of unused bits.
const KEY_CERT_SIGN: u8 = 0x04;

fn check(template: &Template, _: Validity) -> Result<(), String> {
    let value =
        |oid| template.extensions.iter().find(|extension| extension.oid == oid).map(|extension| extension.value.as_slice());
    let ca = value(BASIC_CONSTRAINTS).is_some_and(|der| der.len() > 2);
    let signs = value(KEY_USAGE).and_then(|der| der.get(3)).is_some_and(|bits| bits & KEY_CERT_SIGN != 0);
    if ca == signs { Ok(()) } else { Err(format!("cA is {ca} and keyCertSign is {signs}")) }
}
