//! Enrollment that waits for a person (RFC 8894 §4.4).

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{
    message::{Draft, attribute},
    reply::{Reply, Status},
    session::Session,
    steps::{BAD_CERT_ID, BAD_REQUEST, Device, require_status},
};
use crate::{
    certificate::hex,
    csr::{self, encode_name},
    hook::Hook,
    verdict::{Stop, Verdict, require},
};

/// How long the suite waits for an answer after a decision.
const DECIDED: Duration = Duration::from_secs(30);
/// The pause between two polls.
const PAUSE: Duration = Duration::from_secs(1);

/// One whose request waits.
struct Applicant {
    device: Device,
    csr: Vec<u8>,
    asked: Draft,
}

impl Applicant {
    /// Asks, and is put off; gives the reply too.
    fn apply(session: &mut Session<'_>) -> Result<(Self, Reply), Stop> {
        let url = session.manual_url()?;
        let device = Device::new(session, url.clone())?;
        let csr = device.csr(&session.challenge(&url)?)?;
        let asked = device.request(&csr)?;
        let reply = device.ask(session, &asked)?;
        require_pending(&reply)?;
        session.trust(&url, &reply, &asked)?;
        Ok((Self { device, csr, asked }, reply))
    }

    /// Polls once.
    fn poll(&self, session: &mut Session<'_>) -> Result<(Draft, Reply), Stop> {
        let poll = self.device.poll(&self.asked, &self.device.subject())?;
        let reply = self.device.ask(session, &poll)?;
        session.trust(&self.device.url, &reply, &poll)?;
        Ok((poll, reply))
    }

    /// Polls, and is put off again.
    fn poll_pending(&self, session: &mut Session<'_>) -> Result<(), Stop> {
        let (_, reply) = self.poll(session)?;
        require_pending(&reply).map_err(|stop| stop.about("polled"))
    }

    /// Has its request decided upon.
    fn decide(&self, session: &mut Session<'_>, hook: Hook) -> Result<(), Stop> {
        let digest = hex(&Sha256::digest(&self.csr));
        session.run_hook(hook, &[("csr_sha256", &digest)]).map(|_| ())
    }

    /// Polls until there is another answer than PENDING.
    fn await_answer(&self, session: &mut Session<'_>) -> Result<(Draft, Reply), Stop> {
        let mut waited = Duration::ZERO;
        loop {
            let (poll, reply) = self.poll(session)?;
            if reply.status()? != Status::Pending {
                return Ok((poll, reply));
            }
            require(waited < DECIDED, || format!("still PENDING {} s after the decision", DECIDED.as_secs()))?;
            session.wait(PAUSE);
            waited += PAUSE;
        }
    }
}

/// RFC 8894 §3.3.2.3: "When the pkiStatus attribute is set to PENDING, the pkcsPKIEnvelope (Section 3.2.2) MUST be omitted."
fn require_pending(reply: &Reply) -> Result<(), Stop> {
    require_status(reply, Status::Pending)?;
    require(reply.content.is_none(), || "PENDING with a pkcsPKIEnvelope".into())?;
    // RFC 8894 §3.2.1: failInfo is there "if pkiStatus = FAILURE".
    require(reply.attribute(attribute::FAIL_INFO)?.is_none(), || "PENDING with failInfo".into())
}

/// A reply of PENDING.
pub(super) fn pending_reply(session: &mut Session<'_>) -> Result<Reply, Stop> {
    Applicant::apply(session).map(|(_, reply)| reply)
}

pub(super) fn pending_is_bare(session: &mut Session<'_>) -> Verdict {
    pending_reply(session)?;
    Ok("PENDING, no pkcsPKIEnvelope, no failInfo".into())
}

pub(super) fn is_decided(session: &mut Session<'_>) -> Verdict {
    let (approved, _) = Applicant::apply(session)?;
    approved.poll_pending(session)?;
    approved.decide(session, Hook::Approve)?;
    let (poll, reply) = approved.await_answer(session)?;
    let certificate = approved.device.granted(session, &reply, &poll).map_err(|stop| stop.about("approved"))?;
    let (poll, reply) = approved.await_answer(session)?;
    let again = approved.device.granted(session, &reply, &poll).map_err(|stop| stop.about("polled again"))?;
    require(again.der == certificate.der, || "polled again: another certificate".into())?;

    let (denied, _) = Applicant::apply(session)?;
    denied.poll_pending(session)?;
    denied.decide(session, Hook::Deny)?;
    let (poll, reply) = denied.await_answer(session)?;
    let how =
        denied.device.refused(session, &reply, &poll, &[BAD_REQUEST, BAD_CERT_ID]).map_err(|stop| stop.about("denied"))?;
    Ok(format!("PENDING, PENDING, SUCCESS {} after approval; {how} after denial", certificate.serial_hex()))
}

pub(super) fn minds_the_transaction_alone(session: &mut Session<'_>) -> Verdict {
    let (applicant, _) = Applicant::apply(session)?;
    // RFC 8894 §3.3.3: "implementations SHOULD assume that the polling operation will be controlled by the recipientInfo and
    // transactionID rather than the contents of the messageData."
    let other = encode_name(&[(csr::attribute::COMMON_NAME, "another device".into())]);
    let poll = applicant.device.poll(&applicant.asked, &other)?;
    let reply = applicant.device.ask(session, &poll)?;
    require_pending(&reply)?;
    session.trust(&applicant.device.url, &reply, &poll)?;
    Ok("PENDING for another subject".into())
}

pub(super) fn nothing_to_poll(session: &mut Session<'_>) -> Verdict {
    let url = session.url();
    let device = Device::new(session, url.clone())?;
    // RFC 8894 §4.4: "A CA receiving a CertPoll for which it does not have a matching PKCSReq/RenewalReq MUST reject this request."
    let never_sent = device.request(&device.csr("no challenge")?)?;
    let poll = device.poll(&never_sent, &device.subject())?;
    device.must_refuse(session, &poll, &[BAD_REQUEST, BAD_CERT_ID])
}
