//! Requests that must be refused, and how (RFC 8894 §3.3.2.2).

use super::{
    algorithm::{Cipher, Hash},
    envelope::{Envelope, ID_SIGNED_DATA, issuer_and_serial},
    message::{Draft, Spoiled, attribute, kind, printable},
    reply::{Reply, Status},
    session::{Answer, Session},
    steps::{ANY_REASON, BAD_ALG, BAD_MESSAGE_CHECK, BAD_REQUEST, Device, require_failure, self_signed},
};
use crate::{
    asn1::{Element, tag},
    certificate::hex,
    csr::Wish,
    key::{Key, KeyKind, random},
    parts::Parts,
    verdict::{Stop, Verdict, require},
};

/// A device, and a CSR of its own that would be granted.
pub(super) fn applicant(session: &mut Session<'_>) -> Result<(Device, Vec<u8>), Stop> {
    let url = session.url();
    let device = Device::new(session, url.clone())?;
    let csr = device.csr(&session.challenge(&url)?)?;
    Ok((device, csr))
}

pub(super) fn forbids_des_and_md5(session: &mut Session<'_>) -> Verdict {
    let (device, csr) = applicant(session)?;
    let sealed = Envelope::seal(&csr, Cipher::Des, device.authorities.recipient()?)?;
    let by_des = Draft::new(kind::PKCS_REQ, sealed.encode().encode())?;
    let by_md5 = Draft { hash: Hash::Md5, ..device.request(&csr)? };
    let mut found = Vec::new();
    for (what, draft) in [("DES", by_des), ("MD5", by_md5)] {
        let how = match session.offer(&device.url, &draft.sign(&device.signer)?.encode())? {
            Answer::Refused(status) => format!("HTTP {status}"),
            Answer::Reply(reply) => device.refused(session, &reply, &draft, &[BAD_ALG]).map_err(|stop| stop.about(what))?,
        };
        found.push(format!("{what}: {how}"));
    }
    Ok(found.join("; "))
}

pub(super) fn minds_the_challenge(session: &mut Session<'_>) -> Verdict {
    let url = session.url();
    let device = Device::new(session, url)?;
    let wrong = device.request(&device.csr(&hex(&random::<16>()?))?)?;
    let how = device.must_refuse(session, &wrong, &[BAD_REQUEST]).map_err(|stop| stop.about("a wrong challenge"))?;
    let missing = device.request(&device.wish().sign(&device.signer.key)?)?;
    let reply = device.ask(session, &missing)?;
    // RFC 8894 §2.4: "The SCEP CA MAY either reject unauthorised requests or mark them for manual authorisation according to CA policy."
    let without = if reply.status()? == Status::Pending {
        session.trust(&device.url, &reply, &missing)?;
        "PENDING".into()
    } else {
        device.refused(session, &reply, &missing, &[BAD_REQUEST]).map_err(|stop| stop.about("no challenge"))?
    };
    Ok(format!("wrong: {how}; missing: {without}"))
}

pub(super) fn says_why(session: &mut Session<'_>) -> Verdict {
    let url = session.url();
    let device = Device::new(session, url)?;
    let wrong = device.request(&device.csr(&hex(&random::<16>()?))?)?;
    let reply = device.ask(session, &wrong)?;
    require_failure(&reply)?;
    let info = reply.fail_info()?;
    // RFC 8894 §3.2.1, Table 1: failInfoText is a UTF8String.
    if let Some(text) = reply.attribute(attribute::FAIL_INFO_TEXT)? {
        text.expect_tag(tag::UTF8_STRING, "failInfoText")?;
    }
    session.trust(&device.url, &reply, &wrong)?;
    Ok(format!("failInfo {info}, no pkcsPKIEnvelope"))
}

pub(super) fn minds_whose_key_it_is(session: &mut Session<'_>) -> Verdict {
    let (device, csr) = applicant(session)?;
    let other = Key::new(session.device_key())?;
    let stranger = Device { signer: self_signed(&device.name, other, session.now())?, ..device };
    let asked = stranger.request(&csr)?;
    stranger.must_refuse(session, &asked, ANY_REASON)
}

pub(super) fn minds_the_signature(session: &mut Session<'_>) -> Verdict {
    let (device, csr) = applicant(session)?;
    for (what, spoiled) in [("the signature", Spoiled::Signature), ("messageDigest", Spoiled::Digest)] {
        let asked = Draft { spoiled: Some(spoiled), ..device.request(&csr)? };
        device.must_refuse(session, &asked, &[BAD_MESSAGE_CHECK]).map_err(|stop| stop.about(what))?;
    }
    Ok("FAILURE 1 for the signature and for messageDigest".into())
}

pub(super) fn knows_its_message_types(session: &mut Session<'_>) -> Verdict {
    let (device, csr) = applicant(session)?;
    let mut parts = Parts::default();
    for wrong in ["0", "3", "18", "99", ""] {
        let message_type = (!wrong.is_empty()).then(|| printable(wrong));
        let asked = Draft { message_type, ..device.request(&csr)? };
        let what = if wrong.is_empty() { "missing" } else { wrong };
        let how = device.must_turn_away(session, &asked.sign(&device.signer)?.encode());
        parts.add(what, how)?;
    }
    parts.verdict()
}

pub(super) fn opens_its_own_envelopes_only(session: &mut Session<'_>) -> Verdict {
    let (device, csr) = applicant(session)?;
    let other = self_signed("another CA", Key::new(session.device_key())?, session.now())?.certificate;
    let of_another = Envelope::seal(&csr, Cipher::Aes128, &other)?;
    let own_name = Envelope { recipient: issuer_and_serial(device.authorities.recipient()?), ..of_another.clone() };
    for (what, envelope) in [("another recipient", of_another), ("another's key under the CA's name", own_name)] {
        let asked = Draft::new(kind::PKCS_REQ, envelope.encode().encode())?;
        device.must_refuse(session, &asked, ANY_REASON).map_err(|stop| stop.about(what))?;
    }
    Ok("FAILURE for another recipient, and for another's key under the CA's name".into())
}

pub(super) fn wants_what_the_type_says(session: &mut Session<'_>) -> Verdict {
    let (device, csr) = applicant(session)?;
    let seal = |contents: &Element| device.envelope(&contents.encode());
    let no_csr = seal(&Element::primitive(tag::OCTET_STRING, b"no request at all"))?;
    let serial = seal(&issuer_and_serial(device.authorities.recipient()?))?;
    let no_data = Envelope { kind: ID_SIGNED_DATA, ..device.envelope(&csr)? };
    let mut parts = Parts::default();
    for (what, envelope) in [("no CSR", no_csr), ("issuerAndSerialNumber", serial), ("content type not data", no_data)] {
        let asked = Draft::new(kind::PKCS_REQ, envelope.encode().encode())?;
        let how = device.must_refuse(session, &asked, &[BAD_REQUEST]);
        parts.add(what, how)?;
    }
    parts.verdict()
}

pub(super) fn wants_a_whole_csr(session: &mut Session<'_>) -> Verdict {
    let url = session.url();
    let device = Device::new(session, url.clone())?;
    let key = &device.signer.key;
    let challenge = session.challenge(&url)?;
    // RFC 8894 §3.3.1: "The certificate request MUST contain at least … The subject Distinguished Name. The subject public key."
    let nameless = Wish::empty().with_dns_names(&[&device.name]).with_challenge(&challenge).sign(key)?;
    let unproven = device.wish().with_challenge(&challenge).sign_wrongly(key)?;
    let keyless = without_key(&device.csr(&challenge)?, key)?;
    for (what, csr) in [("no subject", nameless), ("a wrong signature", unproven), ("no key", keyless)] {
        let asked = device.request(&csr)?;
        device.must_refuse(session, &asked, ANY_REASON).map_err(|stop| stop.about(what))?;
    }
    Ok("FAILURE without subject, without key, with a wrong signature".into())
}

/// The CSR with an empty key, signed all the same.
fn without_key(csr: &[u8], key: &Key) -> Result<Vec<u8>, Stop> {
    let whole = Element::parse(csr)?;
    let [info, algorithm, _] = whole.elements() else { return Err(Stop::fail("in the suite: no CSR")) };
    let mut info = info.clone();
    let spki = info.elements_mut().and_then(|fields| fields.get_mut(2)).and_then(Element::elements_mut);
    if let Some(bits) = spki.and_then(|fields| fields.get_mut(1)) {
        *bits = Element::primitive(tag::BIT_STRING, &[0]);
    }
    let signature = [vec![0], key.sign(&info.encode())?].concat();
    Ok(Element::sequence(vec![info, algorithm.clone(), Element::primitive(tag::BIT_STRING, &signature)]).encode())
}

/// RFC 8894 §3.1: "If the key is not encryption capable (for example, DSA or ECDSA), then the messageData is encrypted using the
/// challengePassword with the CMS PasswordRecipientInfo mechanism."
pub(super) fn encrypts_to_every_key(session: &mut Session<'_>) -> Verdict {
    let url = session.url();
    let device = Device::of_kind(session, url.clone(), KeyKind::P256)?;
    let asked = device.request(&device.csr(&session.challenge(&url)?)?)?;
    let reply = device.ask(session, &asked)?;
    if reply.status()? == Status::Success {
        require(is_for_a_password(&reply)?, || "SUCCESS, not encrypted by the challenge".into())?;
        return Ok("SUCCESS, by PasswordRecipientInfo".into());
    }
    device.refused(session, &reply, &asked, &[BAD_ALG])
}

/// Whether the only recipient is `[3] PasswordRecipientInfo` (RFC 5652 §6.2).
fn is_for_a_password(reply: &Reply) -> Result<bool, Stop> {
    let content = reply.content.as_deref().ok_or_else(|| Stop::fail("SUCCESS without pkcsPKIEnvelope"))?;
    let message = Element::parse(content)?;
    let enveloped = super::envelope::content(&message, super::envelope::ID_ENVELOPED_DATA)?;
    let recipients = enveloped.elements().iter().find(|field| field.tag == tag::SET).map(Element::elements).unwrap_or_default();
    Ok(matches!(recipients, [only] if only.tag == tag::context(3)))
}
