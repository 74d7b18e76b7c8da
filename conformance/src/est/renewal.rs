//! Simple re-enrollment (RFC 7030 §4.2.2): the same names, the same key or a new one.

use super::{
    client_certificate,
    device::Device,
    steps::{issued, require_refusal, require_turned_away},
};
use crate::{
    certificate::Certificate,
    csr::Wish,
    parts::Parts,
    session::Session,
    verdict::{Stop, Verdict, require},
};

pub(super) fn renews(session: &mut Session<'_>) -> Verdict {
    // RFC 7030 §4.2.2: "If the Subject Public Key Info in the certification request is the same as the current client certificate, then the
    // EST server renews the client certificate."
    let device = Device::enroll(session, session.endpoint()?)?;
    let renewed = device.renew(session, &device.same_names(), &device.key)?;
    require_successor(&device.certificate, &renewed)?;
    require(renewed.spki == device.certificate.spki, || "another key than before".into())?;
    Ok(format!("200, serial number {} after {}", renewed.serial_hex(), device.certificate.serial_hex()))
}

pub(super) fn rekeys(session: &mut Session<'_>) -> Verdict {
    // RFC 7030 §4.2.2: "If the public key information in the certification request is different than the current client certificate, then
    // the EST server rekeys the client certificate."
    let device = Device::enroll(session, session.endpoint()?)?;
    let key = session.new_device_key()?;
    let rekeyed = device.renew(session, &device.same_names(), &key)?;
    require_successor(&device.certificate, &rekeyed)?;
    require(rekeyed.spki != device.certificate.spki, || "the key is the old one".into())?;
    // Whoever has the new certificate may renew it in its turn.
    let successor = Device::holding(session, device.endpoint.clone(), key, rekeyed)?;
    issued(&successor.ask(session, "simplereenroll")??, &successor.key)
        .map_err(|stop| stop.about("with the new certificate"))?;
    Ok("200, the new key, and the new certificate renews itself".into())
}

/// The same subject and alternative names under another serial number.
pub(super) fn require_successor(old: &Certificate, new: &Certificate) -> Result<(), Stop> {
    require(new.serial != old.serial, || "the serial number is the old one".into())?;
    require(new.subject == old.subject, || "the subject is not the old one, octet for octet".into())?;
    require(sorted_names(new) == sorted_names(old), || {
        format!("subjectAltName {:?}, where it was {:?}", new.dns_names(), old.dns_names())
    })
}

/// The alternative names in the order of their encodings: they are a set.
pub(super) fn sorted_names(certificate: &Certificate) -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = certificate.alternative_names().iter().map(crate::asn1::Element::encode).collect();
    names.sort();
    names
}

pub(super) fn minds_who_renews(session: &mut Session<'_>) -> Verdict {
    let mut parts = Parts::default();
    let verdict = by_password_only(session);
    parts.add("Basic only", verdict)?;
    // RFC 7030 §3.3.2: "Certificate validation MUST be performed as per [RFC5280]."
    let verdict = client_certificate::expired(session).and_then(|device| refused(session, &device));
    parts.add("expired", verdict)?;
    let verdict = client_certificate::revoked(session).and_then(|device| refused(session, &device));
    parts.add("revoked", verdict)?;
    parts.verdict()
}

fn refused(session: &mut Session<'_>, device: &Device) -> Verdict {
    let outcome = device.ask(session, "simplereenroll")?;
    require_turned_away(outcome)
}

/// By policy: RFC 7030 §3.3.2 says "Generally, the client will use an existing certificate for renew or rekey operations", and §4.2 lets
/// any authentication do.
fn by_password_only(session: &mut Session<'_>) -> Verdict {
    let endpoint = session.endpoint()?;
    let key = session.device_key()?;
    let csr = Wish::common_name(&endpoint.user).sign(&key)?;
    let response = session.exchange(&endpoint.with_password("simplereenroll", &csr))?;
    if response.status == 200 {
        issued(&response, &key)?;
        return Ok("200, by policy".into());
    }
    require_refusal(&response, "simplereenroll")?;
    Ok(format!("{}, by policy", response.status))
}
