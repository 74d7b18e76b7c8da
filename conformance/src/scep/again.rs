//! Messages that come again, and challenges that do (RFC 8894 §3.2.1.1, §2.4).

use super::{
    message::{Draft, new_nonce},
    session::Session,
    steps::{BAD_REQUEST, Device},
};
use crate::verdict::{Verdict, require};

/// How often a request is repeated.
const AGAIN: usize = 3;

pub(super) fn is_one_certificate(session: &mut Session<'_>) -> Verdict {
    let url = session.url();
    let device = Device::new(session, url.clone())?;
    let challenge = session.challenge(&url)?;
    let csr = device.csr(&challenge)?;
    let asked = device.request(&csr)?;
    let first = device.enroll(session, &asked)?;
    for _ in 0..AGAIN {
        // Octet for octet, as after a lost answer; then made anew, as by a device that has been started again.
        let made_anew =
            Draft { content: device.envelope(&csr)?.encode().encode(), sender_nonce: Some(new_nonce()?), ..asked.clone() };
        for again in [&asked, &made_anew] {
            let second = device.enroll(session, again).map_err(|stop| stop.about("asked again"))?;
            require(second.der == first.der, || {
                format!("two certificates for one request: {} and {}", first.serial_hex(), second.serial_hex())
            })?;
        }
    }
    Ok(format!("{} each time", first.serial_hex()))
}

pub(super) fn a_challenge_is_good_once(session: &mut Session<'_>) -> Verdict {
    let url = session.url();
    let challenge = session.new_challenge(&url)?;
    let device = Device::new(session, url.clone())?;
    let asked = device.request(&device.csr(&challenge)?)?;
    device.enroll(session, &asked)?;
    // RFC 8894 §2.4: "It is RECOMMENDED that the challengePassword be a one-time authenticator value".
    let other = Device::new(session, url)?;
    let asked = other.request(&other.csr(&challenge)?)?;
    let how = other.must_refuse(session, &asked, &[BAD_REQUEST])?;
    Ok(format!("SUCCESS, then {how}"))
}
