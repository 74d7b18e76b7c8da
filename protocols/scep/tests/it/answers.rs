//! CertReps as a client reads them.

use certgate_pki::asn1::{Tlv, tag};
use certgate_pki::cms::{Draft, EnvelopedData, Seal, SignedData, certs_only};
use certgate_pki::{ContentCipher, ObjectIdentifier};
use certgate_scep::{Answer, CertRep, FailInfo, PkiMessage};

use crate::client::{Ra, provider, ra, read};

/// A CertRep to strongSwan's request, signed by the RA.
fn answer(what: Answer) -> Vec<u8> {
    let request = read("strongswan-pkcsreq.der");
    let request = PkiMessage::from_der(&request).unwrap();
    let Ra { certificate, signing, .. } = ra();
    let reply = CertRep {
        answer: what,
        transaction: &request.transaction,
        recipient_nonce: request.sender_nonce,
        sender_nonce: [3; 16],
    };
    let draft: Draft = reply.prepare(&certificate, signing.algorithm(), &*provider().digest);
    let signature = signing.sign(draft.to_be_signed()).unwrap();
    draft.assemble(&signature)
}

/// The value of an attribute of SCEP: its tag and contents.
fn attribute<'a>(signed: &SignedData<'a>, number: u8) -> Option<(u8, &'a [u8])> {
    let oid = ObjectIdentifier::new(&format!("2.16.840.1.113733.1.9.{number}")).unwrap();
    let found: Option<Tlv<'a>> = signed.signer().unwrap().attributes.get(&oid).unwrap();
    found.map(|tlv| (tlv.tag, tlv.value))
}

fn assert_answers<'a>(der: &'a [u8], status: &str) -> SignedData<'a> {
    let request = read("strongswan-pkcsreq.der");
    let request = PkiMessage::from_der(&request).unwrap();
    let signed = SignedData::from_der(der).unwrap();
    let (printable, octets) = (tag::PRINTABLE_STRING, tag::OCTET_STRING);
    assert_eq!(attribute(&signed, 2), Some((printable, &b"3"[..])), "messageType");
    assert_eq!(attribute(&signed, 3), Some((printable, status.as_bytes())), "pkiStatus");
    assert_eq!(attribute(&signed, 5), Some((octets, &[3; 16][..])), "senderNonce");
    assert_eq!(attribute(&signed, 6).map(|(_, nonce)| nonce), request.sender_nonce, "recipientNonce");
    assert_eq!(attribute(&signed, 7), Some((printable, request.transaction.as_str().as_bytes())), "transactionID");
    let Ra { certificate, .. } = ra();
    let (content_type, content) = (signed.content_type, signed.content.unwrap_or_default());
    assert_eq!(signed.signer().unwrap().verify(certificate.public_key(), &content_type, content, &provider()), Ok(()));
    assert_eq!(signed.certificates, [certificate.as_der()]);
    signed
}

#[test]
fn a_certificate_for_the_signer_of_the_request() {
    let request = read("strongswan-pkcsreq.der");
    let request = PkiMessage::from_der(&request).unwrap();
    let issued = certs_only(&[&read("ra.der")]);
    let seal = Seal { cipher: ContentCipher::Aes128Cbc, content_key: &[5; 16], iv: [6; 16] };
    let envelope = seal.envelop(&issued, &request.signer, &*provider().encrypt).unwrap();
    let der = answer(Answer::Success(envelope.clone()));
    let signed = assert_answers(&der, "0");
    assert_eq!((signed.content, attribute(&signed, 4)), (Some(envelope.as_slice()), None));
    let envelope = EnvelopedData::from_der(&envelope).unwrap();
    assert_eq!((envelope.recipients.len(), envelope.cipher), (1, Some((ContentCipher::Aes128Cbc, [6; 16]))));
}

#[test]
fn a_failure_says_why_and_has_no_content() {
    for (info, code) in [
        (FailInfo::BadAlg, "0"),
        (FailInfo::BadMessageCheck, "1"),
        (FailInfo::BadRequest, "2"),
        (FailInfo::BadTime, "3"),
        (FailInfo::BadCertId, "4"),
    ] {
        let der = answer(Answer::Failure(info, "not this one: ö".into()));
        let signed = assert_answers(&der, "2");
        assert_eq!((signed.content, attribute(&signed, 4)), (None, Some((tag::PRINTABLE_STRING, code.as_bytes()))));
        let text = ObjectIdentifier::new("1.3.6.1.5.5.7.24.1").unwrap();
        let text = signed.signer().unwrap().attributes.get(&text).unwrap().unwrap();
        assert_eq!((text.tag, text.value), (tag::UTF8_STRING, "not this one: ö".as_bytes()));
    }
    // Longer than what a client is to take; cut between characters.
    let long = answer(Answer::Failure(FailInfo::BadRequest, "ö".repeat(1000)));
    let signed = assert_answers(&long, "2");
    let text = ObjectIdentifier::new("1.3.6.1.5.5.7.24.1").unwrap();
    assert_eq!(signed.signer().unwrap().attributes.get(&text).unwrap().unwrap().value, "ö".repeat(256).as_bytes());
}

#[test]
fn pending_has_neither_content_nor_reason() {
    let der = answer(Answer::Pending);
    let signed = assert_answers(&der, "3");
    assert_eq!((signed.content, attribute(&signed, 4)), (None, None));
}
