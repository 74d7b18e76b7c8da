//! Path building and validation (RFC 5280 §6.1), as much of it as these servers' chains need.

use crate::{
    certificate::Certificate,
    signature::{self, Unverified},
};

/// Bit of `keyUsage` that says a key signs certificates (RFC 5280 §4.2.1.3).
pub const KEY_CERT_SIGN: usize = 5;

/// Longer than any chain here; ends a search that loops.
const LONGEST_CHAIN: usize = 8;

/// Finds the way from `leaf` to a self-signed certificate, through `pool` only, and checks every step of it at time `now`
/// (seconds since 1970).
///
/// # Errors
/// Why there is no such way: the reason of the last candidate that failed.
pub fn validate<'p>(leaf: &'p Certificate, pool: &'p [Certificate], now: i64) -> Result<Vec<&'p Certificate>, Unverified> {
    check_period(leaf, now)?;
    let mut chain = vec![leaf];
    extend(&mut chain, pool, now)?;
    Ok(chain)
}

/// Checks that each certificate is certified by the one behind it, at time `now` (seconds since 1970).
///
/// # Errors
/// Why the first that is not is not.
pub fn check_steps(certificates: &[Certificate], now: i64) -> Result<(), Unverified> {
    for (below, pair) in certificates.windows(2).enumerate() {
        let [subject, issuer] = pair else { continue };
        if issuer.subject != subject.issuer {
            return Err(Unverified::Wrong(format!("certificate {} is not the issuer of the one before it", below + 2)));
        }
        check_step(subject, issuer, below, now)?;
    }
    certificates.first().map_or(Ok(()), |leaf| check_period(leaf, now))
}

fn extend<'p>(chain: &mut Vec<&'p Certificate>, pool: &'p [Certificate], now: i64) -> Result<(), Unverified> {
    let Some(subject) = chain.last().copied() else { return Ok(()) };
    let mut reason = Unverified::Wrong("the issuer's certificate is not there".into());
    for issuer in pool {
        // RFC 5280 §6.1.3 (a)(4): "The certificate issuer name is the working_issuer_name."
        if issuer.subject != subject.issuer {
            continue;
        }
        let is_end = issuer.is_self_issued();
        match check_step(subject, issuer, chain.len() - 1, now) {
            Err(error) => reason = error,
            Ok(()) if issuer.der == subject.der => return Ok(()),
            Ok(()) if chain.len() >= LONGEST_CHAIN => reason = Unverified::Wrong("the chain does not end".into()),
            Ok(()) => {
                chain.push(issuer);
                if is_end && check_signature(issuer, issuer).is_ok() {
                    return Ok(());
                }
                match extend(chain, pool, now) {
                    Ok(()) => return Ok(()),
                    Err(error) => reason = error,
                }
                chain.pop();
            }
        }
    }
    Err(reason)
}

/// One step: `issuer` signed `subject`, which has `below` intermediate certificates under it.
fn check_step(subject: &Certificate, issuer: &Certificate, below: usize, now: i64) -> Result<(), Unverified> {
    check_period(issuer, now)?;
    // RFC 5280 §6.1.4 (k): "verify that the basicConstraints extension is present and that cA is set to TRUE".
    if !issuer.is_authority() {
        return Err(Unverified::Wrong("the issuer's basicConstraints does not say cA".into()));
    }
    // RFC 5280 §6.1.4 (n): "If a key usage extension is present, verify that the keyCertSign bit is set."
    if issuer.key_usage(KEY_CERT_SIGN) == Some(false) {
        return Err(Unverified::Wrong("the issuer's keyUsage lacks keyCertSign".into()));
    }
    if issuer.path_length().is_some_and(|limit| limit < below as u64) {
        return Err(Unverified::Wrong("pathLenConstraint is exceeded".into()));
    }
    if let (Some(wanted), Some(found)) = (subject.authority_key_identifier(), issuer.subject_key_identifier())
        && wanted != found
    {
        return Err(Unverified::Wrong("the authority key identifier names another key".into()));
    }
    check_signature(subject, issuer)
}

fn check_signature(subject: &Certificate, issuer: &Certificate) -> Result<(), Unverified> {
    signature::verify(&issuer.spki, &subject.algorithm, &subject.tbs, &subject.signature)
}

/// RFC 5280 §6.1.3 (a)(2): "The certificate validity period includes the current time."
fn check_period(certificate: &Certificate, now: i64) -> Result<(), Unverified> {
    match (certificate.not_before.unix(), certificate.not_after.unix()) {
        (Some(begin), Some(end)) if begin <= now && now <= end => Ok(()),
        _ => Err(Unverified::Wrong(format!(
            "valid from {} to {}, which is not now",
            certificate.not_before.text, certificate.not_after.text
        ))),
    }
}
