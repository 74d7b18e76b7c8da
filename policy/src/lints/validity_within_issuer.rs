//! A certificate that outlives its issuer fails validation when the issuer's ends (RFC 5280 §6.1.3 (a)(2)).

use certgate_pki::{Template, Validity};

use super::{Circumstances, Lint};

pub(crate) const LINT: Lint = Lint { name: "validity-within-issuer", citation: "RFC 5280 §4.1.2.5, §6.1.3", check };

fn check(template: &Template, circumstances: &Circumstances) -> Result<(), String> {
    let Validity { not_before, not_after } = template.validity;
    let issuer = circumstances.issuer;
    if not_before > not_after {
        return Err(format!("notBefore {not_before} is after notAfter {not_after}"));
    }
    if not_before < issuer.not_before || not_after > issuer.not_after {
        return Err(format!(
            "{not_before} to {not_after} is not within the issuer's {} to {}",
            issuer.not_before, issuer.not_after
        ));
    }
    Ok(())
}
