//! RFC 5280 §4.2.1.9: "If the cA boolean is not asserted, then the keyCertSign bit in the key usage extension MUST NOT be asserted", and
//! a CA without it signs nothing: both or neither.

use certgate_pki::Template;

use super::key_usage::{KEY_CERT_SIGN, read_bits};
use super::template_extensions::is_ca;
use super::{Circumstances, Lint};

pub(crate) const LINT: Lint = Lint { name: "ca-and-key-cert-sign", citation: "RFC 5280 §4.2.1.9", check };

fn check(template: &Template, _: &Circumstances) -> Result<(), String> {
    let ca = is_ca(template);
    let signs = read_bits(template).is_some_and(|bits| bits & KEY_CERT_SIGN != 0);
    if ca == signs { Ok(()) } else { Err(format!("cA is {ca} and keyCertSign is {signs}")) }
}
