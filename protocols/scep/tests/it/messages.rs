//! pkiMessages as they come.

use base64ct::{Base64, Encoding};
use certgate_pki::asn1::{ber, tag};
use certgate_pki::cms::{CmsError, EnvelopedData, SignatureFault};
use certgate_pki::{Csr, DigestAlgorithm};
use certgate_scep::{MAX_MESSAGE, MessageError, MessageType, Operation, PkiMessage, Query, decode_message, to_der};

use crate::client::{device, message, of_type, printable, provider, ra, read, substitute};

/// transactionID of strongSwan: SHA-1 of the key, which is the serial number of its self-signed certificate too.
const TRANSACTION: &str = "36FB2F80D3DCECC780CE0C96F16FF14CCA806A0C";

fn assert_is_strongswans(der: &[u8]) -> Csr {
    let message = PkiMessage::from_der(der).unwrap();
    assert_eq!((message.transaction.as_str(), message.message_type), (TRANSACTION, Some(MessageType::PkcsReq)));
    assert_eq!((message.sender_nonce.unwrap().len(), message.digest()), (16, Some(DigestAlgorithm::Sha256)));
    assert_eq!(message.verify(&provider()), Ok(()));
    let envelope = message.envelope().unwrap();
    let envelope = EnvelopedData::from_der(&envelope).unwrap();
    let substitute = substitute(envelope.cipher.unwrap().0);
    let csr = envelope.open(&*ra().decryption, substitute, &*provider().decrypt).unwrap();
    let csr = Csr::from_der(&csr).unwrap();
    assert_eq!((csr.subject().to_string().as_str(), csr.challenge_password()), ("CN=ps1,C=DE", Some("secret-challenge")));
    assert_eq!(message.signer.public_key, csr.public_key().spki(), "self-signed with the key that is to be certified");
    assert!(csr.clone().verify(&provider()).is_ok());
    csr
}

#[test]
fn strongswan_posts_a_request() {
    let der = to_der(&read("strongswan-pkcsreq.der")).unwrap();
    let csr = assert_is_strongswans(&der);
    assert_eq!(csr.requested().subject_alt_names[0].to_string(), "dns:ps1.example.com");
}

#[test]
fn the_same_request_in_a_query() {
    let escaped =
        Base64::encode_string(&read("strongswan-pkcsreq.der")).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let text = format!("operation=PKIOperation&message={escaped}");
    let query = Query::parse(&text).unwrap();
    assert_eq!(query.operation, Some(Operation::PkiOperation));
    assert_is_strongswans(&to_der(&decode_message(query.message.unwrap()).unwrap()).unwrap());
}

#[test]
fn a_message_is_its_signers_in_every_part() {
    let der = read("strongswan-pkcsreq.der");
    let mut refused = 0;
    for place in (0..der.len()).step_by(17) {
        let mut changed = der.clone();
        changed[place] ^= 0x20;
        let Ok(message) = PkiMessage::from_der(&changed) else { continue };
        // What is not covered by the signature: the certificate but for its key, and the algorithms beside it.
        refused += usize::from(message.verify(&provider()).is_err());
    }
    assert!(refused > 80, "{refused}");
    let other_content = [&der[..200], &[der[200] ^ 1], &der[201..]].concat();
    let message = PkiMessage::from_der(&other_content).unwrap();
    assert_eq!(message.verify(&provider()), Err(SignatureFault::Broken));
}

fn certificates() -> Vec<Vec<u8>> {
    vec![ra().certificate.as_der().to_vec()]
}

#[test]
fn what_is_missing_is_said_or_left_to_the_answer() {
    let transaction = || printable(7, "t-1");
    let whole = message(None, vec![transaction(), printable(2, "20"), of_type(5, tag::OCTET_STRING, &[1; 16])], certificates());
    let read = PkiMessage::from_der(&whole).unwrap();
    assert_eq!((read.message_type, read.sender_nonce), (Some(MessageType::CertPoll), Some(&[1; 16][..])));
    assert_eq!(read.envelope(), Err(CmsError::Malformed("pkcsPKIEnvelope")));
    assert_eq!(read.verify(&provider()), Ok(()), "a message without content is signed all the same");
    for code in ["0", "18", "99", "019", "", "nineteen"] {
        let unknown = message(None, vec![transaction(), printable(2, code)], certificates());
        let read = PkiMessage::from_der(&unknown).unwrap();
        assert_eq!((read.message_type, read.sender_nonce), (None, None), "{code:?}");
    }
    for nonce in [&[][..], &[0; 65]] {
        let odd = message(None, vec![transaction(), of_type(5, tag::OCTET_STRING, nonce)], certificates());
        assert_eq!(PkiMessage::from_der(&odd).unwrap().sender_nonce, None, "{} octets are not sent back", nonce.len());
    }
    for (string, is_taken) in [(tag::UTF8_STRING, true), (tag::IA5_STRING, true), (tag::OCTET_STRING, false)] {
        let typed = message(None, vec![of_type(7, string, b"t-1")], certificates());
        assert_eq!(PkiMessage::from_der(&typed).is_ok(), is_taken, "tag {string:#x}");
    }
    for wrong in ["", "a\nb", "ö", &"x".repeat(257)] {
        let named = message(None, vec![of_type(7, tag::UTF8_STRING, wrong.as_bytes())], certificates());
        assert_eq!(PkiMessage::from_der(&named), Err(MessageError::NoTransactionId), "{wrong:?}");
    }
    let nobody = message(None, vec![transaction()], Vec::new());
    assert_eq!(PkiMessage::from_der(&nobody), Err(MessageError::NoSigner));
    let twice = message(None, vec![transaction(), transaction()], certificates());
    assert_eq!(PkiMessage::from_der(&twice), Err(MessageError::Cms(CmsError::Malformed("signedAttrs"))));
}

#[test]
fn an_envelope_may_be_ber_within_its_string() {
    let der = read("strongswan-pkcsreq.der");
    let sealed = PkiMessage::from_der(&der).unwrap().envelope().unwrap();
    // The outermost length becomes indefinite: two octets of zero end the contents (X.690 §8.1.3.6).
    assert_eq!(sealed[..2], [0x30, 0x82], "a length of two octets");
    let loose = [&[0x30, 0x80], &sealed[4..], &[0, 0]].concat();
    let loose = message(Some(loose), vec![printable(7, "t-1")], certificates());
    let read = PkiMessage::from_der(&loose).unwrap();
    assert_eq!((read.verify(&provider()), read.envelope()), (Ok(()), Ok(sealed)));
    let cut_off = message(Some(vec![0x30, 0x80]), vec![printable(7, "t-1")], certificates());
    assert_eq!(PkiMessage::from_der(&cut_off).unwrap().envelope(), Err(CmsError::Malformed("pkcsPKIEnvelope")));
}

#[test]
fn a_certificate_that_is_not_the_signers_verifies_nothing() {
    let leaf = certgate_testkit::CsrBuilder::new(&device()).common_name("x").sign();
    // No certificate, but a request: not what the message needs.
    let odd = message(None, vec![printable(7, "t-1")], vec![leaf]);
    assert_eq!(PkiMessage::from_der(&odd), Err(MessageError::NoSigner));
}

#[test]
fn what_is_no_message_is_refused() {
    assert_eq!(to_der(&vec![0x30; MAX_MESSAGE + 1]), Err(MessageError::TooLarge));
    assert_eq!(to_der(&[0x30]), Err(MessageError::Ber(ber::BerError::Truncated)));
    assert_eq!(PkiMessage::from_der(&[0x30, 0]), Err(MessageError::Cms(CmsError::Malformed("ContentInfo"))));
}
