//! What the answer to an envelope that cannot be read tells of it: nothing (RFC 3218 §2.3.2).

use super::{
    algorithm::Cipher,
    envelope::{Envelope, transport},
    message::{Draft, kind},
    refusal::applicant,
    session::Session,
    steps::ANY_REASON,
};
use crate::{
    asn1::Element,
    clock::Stopwatch,
    key::random,
    verdict::{Verdict, require},
};

/// How often each fault is tried: the fastest of them counts.
const TRIES: usize = 12;
/// Answers whose times differ by no more than this factor, or by no more than [`JITTER_MICROS`], are of one class.
const FACTOR: u128 = 2;
const JITTER_MICROS: u128 = 2_000;

/// Whoever can tell what is wrong with an envelope can decrypt one by asking (RFC 3218 §2.3.2).
pub(super) fn is_no_oracle(session: &mut Session<'_>) -> Verdict {
    let (device, csr) = applicant(session)?;
    let recipient = device.authorities.recipient()?.clone();
    let faults: [(&str, Envelope); 4] = [
        ("contents", Envelope::seal(&random::<512>()?, Cipher::Aes128, &recipient)?),
        ("padding of the contents", Envelope::seal_blocks(&[0; 512], Cipher::Aes128, &recipient)?),
        ("length of the key", Envelope { encrypted_key: transport(&[7; 5], &recipient)?, ..device.envelope(&csr)? }),
        ("padding of the key", Envelope { encrypted_key: vec![1; rsa_octets(&recipient.spki)], ..device.envelope(&csr)? }),
    ];
    let mut fastest = [u128::MAX; 4];
    let mut first: Option<(String, usize)> = None;
    for _ in 0..TRIES {
        for ((what, envelope), fastest) in faults.iter().zip(&mut fastest) {
            let asked = Draft::new(kind::PKCS_REQ, envelope.encode().encode())?;
            let message = asked.sign(&device.signer)?;
            let watch = Stopwatch::start();
            let reply = session.ask(&device.url, &message)?;
            *fastest = watch.elapsed().as_micros().min(*fastest);
            device.refused(session, &reply, &asked, ANY_REASON).map_err(|stop| stop.about(what))?;
            let told = (reply.summary(), reply.der.len());
            let wanted = first.get_or_insert_with(|| told.clone());
            require(told == *wanted, || format!("wrong {what}: {told:?}, elsewhere {wanted:?}"))?;
        }
    }
    let (least, most) = (fastest.iter().min().copied().unwrap_or(0), fastest.iter().max().copied().unwrap_or(0));
    require(most <= least * FACTOR || most - least <= JITTER_MICROS, || format!("{least} to {most} us, by what is wrong"))?;
    Ok(format!("one answer for 4 faults, in {least} to {most} us"))
}

/// Octets of an RSA modulus: as long as what is encrypted by it.
fn rsa_octets(spki: &Element) -> usize {
    let bits = spki.elements().get(1).and_then(|bits| bits.octets().get(1..)).unwrap_or_default();
    let key = Element::parse(bits).ok();
    let modulus = key.as_ref().and_then(|key| key.elements().first()).map(Element::octets).unwrap_or_default();
    modulus.iter().skip_while(|octet| **octet == 0).count()
}
