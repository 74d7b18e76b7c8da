//! A certificate by PKCSReq (RFC 8894 §4.3), and the CertRep that brings it (RFC 8894 §3.3.2.1).

use super::{
    envelope::Envelope,
    message::{Draft, attribute, kind, new_nonce},
    reply::{Reply, Status},
    session::{Session, reply_of},
    steps::{Device, IN_KIND, require_status},
};
use crate::{
    asn1::{Element, Fault, tag},
    verdict::{Stop, Verdict, require},
};

/// A device, what it has asked, and the reply: SUCCESS.
struct Exchange {
    device: Device,
    asked: Draft,
    reply: Reply,
}

impl Exchange {
    fn new(session: &mut Session<'_>) -> Result<Self, Stop> {
        let url = session.url();
        let device = Device::new(session, url.clone())?;
        let challenge = session.challenge(&url)?;
        let asked = device.request(&device.csr(&challenge)?)?;
        let response = session.post(&url, &asked.sign(&device.signer)?.encode())?;
        let reply = reply_of(&response)?;
        Ok(Self { device, asked, reply })
    }
}

pub(super) fn gives_a_certificate(session: &mut Session<'_>) -> Verdict {
    let Exchange { device, asked, reply } = Exchange::new(session)?;
    let certificate = device.granted(session, &reply, &asked)?;
    Ok(format!("SUCCESS, {}", certificate.serial_hex()))
}

pub(super) fn is_signed(session: &mut Session<'_>) -> Verdict {
    let url = session.url();
    let Exchange { reply, .. } = Exchange::new(session)?;
    require_status(&reply, Status::Success)?;
    let authorities = session.authorities(&url)?;
    let signer = reply.verify(&authorities.certificates)?;
    authorities.validate(signer, session.now()).map_err(|stop| stop.about("the signer's certificate"))?;
    // Bit 0 of keyUsage (RFC 5280 §4.2.1.3).
    require(signer.key_usage(0) != Some(false), || "the signer's keyUsage lacks digitalSignature".into())?;
    let who = if signer.is_authority() { "CA" } else { "RA" };
    Ok(format!("one SignerInfo, by the {who}, {:?}", reply.hash))
}

pub(super) fn has_its_attributes(session: &mut Session<'_>) -> Verdict {
    let url = session.url();
    let Exchange { asked, reply, .. } = Exchange::new(session)?;
    let text = |oid, name| reply.text(oid, name);
    require(text(attribute::MESSAGE_TYPE, "messageType")? == "3", || "messageType is not 3".into())?;
    require(text(attribute::PKI_STATUS, "pkiStatus")? == "0", || format!("{}, not SUCCESS", reply.summary()))?;
    let transaction = text(attribute::TRANSACTION_ID, "transactionID")?;
    let own = asked.transaction.as_ref().map(|own| String::from_utf8_lossy(own.octets()).into_owned());
    require(own.as_ref() == Some(&transaction), || format!("transactionID {transaction:?}, not {own:?}"))?;
    let nonce = required(&reply, attribute::RECIPIENT_NONCE, "recipientNonce", tag::OCTET_STRING)?;
    require(asked.sender_nonce.as_ref() == Some(&nonce), || "recipientNonce is not the request's senderNonce".into())?;
    // RFC 5652 §11.1 and §11.2: both MUST be there with signed attributes.
    let kind = required(&reply, attribute::CONTENT_TYPE, "contentType", tag::OBJECT_IDENTIFIER)?;
    require(kind.oid() == Some(super::envelope::ID_DATA), || "contentType is not id-data".into())?;
    required(&reply, attribute::MESSAGE_DIGEST, "messageDigest", tag::OCTET_STRING)?;
    session.trust(&url, &reply, &asked)?;
    Ok("messageType, pkiStatus, transactionID, recipientNonce, contentType, messageDigest".into())
}

fn required(reply: &Reply, oid: const_oid::ObjectIdentifier, name: &str, tag: u8) -> Result<Element, Fault> {
    let value = reply.attribute(oid)?.ok_or_else(|| Fault(format!("no {name}")))?;
    value.expect_tag(tag, name).cloned()
}

pub(super) fn has_a_fresh_nonce(session: &mut Session<'_>) -> Verdict {
    let Exchange { device, asked, reply } = Exchange::new(session)?;
    let first = nonce(&reply)?;
    let again = Draft { sender_nonce: Some(new_nonce()?), ..asked.clone() };
    let second = nonce(&device.ask(session, &again)?)?;
    require(first != second, || "two replies have the same senderNonce".into())?;
    require(asked.sender_nonce.as_ref() != Some(&first), || "senderNonce is the request's own".into())?;
    session.trust(&device.url, &reply, &asked)?;
    Ok("16 octets, others each time".into())
}

/// RFC 8894 §3.2.1.5: "a 16-byte random number".
fn nonce(reply: &Reply) -> Result<Element, Stop> {
    let nonce = required(reply, attribute::SENDER_NONCE, "senderNonce", tag::OCTET_STRING)?;
    require(nonce.octets().len() == 16, || format!("a senderNonce of {} octets", nonce.octets().len()))?;
    Ok(nonce)
}

pub(super) fn is_for_its_signer(session: &mut Session<'_>) -> Verdict {
    let Exchange { device, asked, reply } = Exchange::new(session)?;
    require_status(&reply, Status::Success)?;
    let (envelope, certificates) = device.open(&reply)?;
    let issued = device.granted(session, &reply, &asked)?;
    // RFC 8894 §3.3.2.1: "The reply MAY contain additional certificates, but the issued certificate MUST be the leaf certificate."
    let below = certificates.iter().find(|other| other.issuer == issued.subject);
    require(!issued.is_authority() && below.is_none(), || "the issued certificate is not the leaf".into())?;
    let stranger = certificates.iter().find(|other| other.der != issued.der && !other.is_authority());
    require(stranger.is_none(), || "the reply has another end entity's certificate".into())?;
    device.authorities.validate(&issued, session.now()).map_err(|stop| stop.about("the issued certificate"))?;
    Ok(format!("{:?}, certs-only, {} certificates", envelope.cipher, certificates.len()))
}

pub(super) fn answers_in_kind(session: &mut Session<'_>) -> Verdict {
    let url = session.url();
    let mut found = Vec::new();
    for (cipher, hash) in IN_KIND {
        let what = format!("{cipher:?} with {hash:?}");
        let device = Device::new(session, url.clone())?;
        let csr = device.csr(&session.challenge(&url)?)?;
        let envelope = Envelope::seal(&csr, cipher, device.authorities.recipient()?)?;
        let asked = Draft { hash, ..Draft::new(kind::PKCS_REQ, envelope.encode().encode())? };
        let reply = device.ask(session, &asked).map_err(|stop| stop.about(&what))?;
        require_status(&reply, Status::Success).map_err(|stop| stop.about(&what))?;
        require(reply.hash == hash, || format!("{what}: signed by {:?}", reply.hash))?;
        let (answer, _) = device.open(&reply).map_err(|stop| stop.about(&what))?;
        require(answer.cipher == cipher, || format!("{what}: encrypted by {:?}", answer.cipher))?;
        device.granted(session, &reply, &asked).map_err(|stop| stop.about(&what))?;
        found.push(what);
    }
    Ok(found.join("; "))
}
