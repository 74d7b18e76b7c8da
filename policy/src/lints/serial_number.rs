//! RFC 5280 §4.1.2.2: "The serial number MUST be a positive integer […] Conforming CAs MUST NOT use serialNumber values longer than 20
//! octets."

use certgate_pki::Template;

use super::{Circumstances, Lint};

pub(crate) const LINT: Lint = Lint { name: "serial-number", citation: "RFC 5280 §4.1.2.2", check };

/// Content octets of the INTEGER, the one for the sign included.
const MAX: usize = 20;

fn check(template: &Template, _: &Circumstances) -> Result<(), String> {
    let octets = template.serial.as_octets();
    let is_positive = octets.first().is_some_and(|first| first & 0x80 == 0) && octets.iter().any(|octet| *octet != 0);
    if !is_positive {
        return Err(format!("the serial number {} is not positive", template.serial));
    }
    if octets.len() > MAX {
        return Err(format!("the serial number {} has {} octets, and {MAX} is the most", template.serial, octets.len()));
    }
    Ok(())
}
