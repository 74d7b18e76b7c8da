//! pkiMessages, and the CertReps to them.
#![no_main]

use std::sync::LazyLock;

use certgate_fuzz::provider;
use certgate_pki::{Certificate, SignatureAlgorithm};
use certgate_scep::{Answer, CertRep, FailInfo, MessageType, PkiMessage, to_der};
use libfuzzer_sys::fuzz_target;

static SIGNER: LazyLock<Certificate> = LazyLock::new(|| {
    let der = include_bytes!("../../protocols/scep/tests/fixtures/ra.der");
    Certificate::from_der(der).expect("a certificate")
});

fuzz_target!(|octets: &[u8]| {
    let Ok(der) = to_der(octets) else { return };
    let Ok(message) = PkiMessage::from_der(&der) else { return };
    let _ = (message.verify(&provider()), message.digest(), message.envelope());
    for answer in [
        Answer::Success(octets.to_vec()),
        Answer::Failure(FailInfo::BadRequest, message.transaction.to_string()),
        Answer::Pending,
    ] {
        let reply =
            CertRep { answer, transaction: &message.transaction, recipient_nonce: message.sender_nonce, sender_nonce: [9; 16] };
        let draft = reply.prepare(&SIGNER, SignatureAlgorithm::RsaSha256, &*provider().digest);
        let made = draft.assemble(b"signature");
        // What was just short of the limit may be longer now.
        let Ok(read) = PkiMessage::from_der(&made) else { return assert!(made.len() > certgate_scep::MAX_MESSAGE) };
        assert_eq!((&read.transaction, read.message_type), (&message.transaction, Some(MessageType::CertRep)));
        assert_eq!((read.sender_nonce, read.signer.der), (Some(&[9; 16][..]), SIGNER.as_der()));
        assert_eq!(read.verify(&provider()), Ok(()));
    }
});
