//! Requests of OCSP: what is read is a slice of the request, is asked again by the octets that are echoed, and is answered in them.
#![no_main]

use certgate_ocsp::{
    BasicResponse, CertId, CertStatus, MAX_CERT_IDS, MAX_NONCE, MAX_PREFERENCES, MAX_REQUEST, Nonce, OcspRequest, ResponderId,
    SingleResponse,
};
use certgate_pki::asn1::{DerReader, DerWriter, Tlv, tag};
use certgate_pki::{CrlReason, ObjectIdentifier, Serial, SignatureAlgorithm, Timestamp};
use libfuzzer_sys::fuzz_target;

/// id-pkix-ocsp-nonce.
const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");

fuzz_target!(|der: &[u8]| {
    let _ = CertId::from_der(der);
    let Ok(request) = OcspRequest::parse(der) else { return };
    assert!(der.len() <= MAX_REQUEST);
    assert!(OcspRequest::parse(&der[..der.len() - 1]).is_err());
    assert!(OcspRequest::parse(&[der, &[0]].concat()).is_err());
    let ids: Vec<CertId<'_>> = request.requests().map(|one| one.cert_id).collect();
    assert!(ids.len() == request.count() && (1..=MAX_CERT_IDS).contains(&ids.len()));
    for id in &ids {
        assert!(der.as_ptr_range().contains(&id.as_der().as_ptr()), "a slice of the request");
        assert_eq!(CertId::from_der(id.as_der()).as_ref(), Ok(id));
        // What is looked up in the ledger is what was asked for.
        assert!(Serial::from_octets(id.serial_octets()).is_none_or(|serial| serial.as_octets() == id.serial_octets()));
    }
    assert!(request.nonce().is_none_or(|nonce| (1..=MAX_NONCE).contains(&nonce.as_octets().len())));
    assert!(request.preferred_signature_algorithms().is_none_or(|all| all.iter().count() <= MAX_PREFERENCES));
    assert_simple(&request, &ids);
    assert_asked_again(&ids, request.nonce());
    assert_answered(&ids, request.nonce());
});

/// What is answered from a cache asks for one certificate and for nothing else.
fn assert_simple(request: &OcspRequest<'_>, ids: &[CertId<'_>]) {
    let Some(key) = request.sole_cert_id().map(CertId::as_der) else { return };
    assert_eq!(ids.iter().map(CertId::as_der).collect::<Vec<_>>(), [key]);
    assert!(request.nonce().is_none() && request.preferred_signature_algorithms().is_none());
    assert!(request.accepts_basic() && request.unknown_critical().is_none());
}

fn assert_asked_again(ids: &[CertId<'_>], nonce: Option<Nonce<'_>>) {
    let mut writer = DerWriter::default();
    writer.sequence(|w| {
        w.sequence(|w| {
            w.sequence(|w| {
                for id in ids {
                    w.tlv(tag::SEQUENCE, id.as_der());
                }
            });
            if let Some(nonce) = nonce {
                w.nested(tag::context_constructed(2), |w| {
                    w.sequence(|w| write_nonce(w, nonce));
                });
            }
        });
    });
    let again = writer.finish();
    // A nonce among extensions whose lengths were spared may make it longer.
    let Ok(request) = OcspRequest::parse(&again) else { return assert!(again.len() > MAX_REQUEST) };
    assert_eq!(request.requests().map(|one| one.cert_id).collect::<Vec<_>>(), ids);
    assert_eq!((request.nonce(), request.sole_cert_id().is_some()), (nonce, ids.len() == 1 && nonce.is_none()));
}

fn write_nonce(writer: &mut DerWriter, nonce: Nonce<'_>) {
    writer.sequence(|w| {
        w.oid(&NONCE).nested(tag::OCTET_STRING, |w| {
            w.tlv(tag::OCTET_STRING, nonce.as_octets());
        });
    });
}

/// The answer has one SingleResponse for each certificate, in the order of the request, and the nonce.
fn assert_answered(ids: &[CertId<'_>], nonce: Option<Nonce<'_>>) {
    let at = Timestamp::from_seconds(1_790_000_000);
    let status = |number: usize| match number % 4 {
        0 => CertStatus::Good,
        1 => CertStatus::Revoked { at, reason: Some(CrlReason::Superseded) },
        2 => CertStatus::Unknown,
        _ => CertStatus::Revoked { at, reason: None },
    };
    let responses: Vec<SingleResponse<'_>> = ids
        .iter()
        .enumerate()
        .map(|(number, id)| SingleResponse {
            cert_id: *id,
            status: status(number),
            this_update: at,
            next_update: (number % 3 > 0).then_some(at),
            archive_cutoff: (number % 5 > 3).then_some(at),
        })
        .collect();
    let responder = ResponderId::ByKey([7; 20]);
    let response =
        BasicResponse { responder: &responder, produced_at: at, responses: &responses, nonce, extended_revoke: false };
    let draft = response.prepare(SignatureAlgorithm::EcdsaSha256);
    let whole = draft.assemble(b"signature", &[]);
    let basic = read_basic(&whole).expect("a basic response");
    assert_eq!(basic.raw, draft.to_be_signed());
    let mut fields = basic.contents().expect("fields");
    let (_, _) = (fields.any().expect("responderID"), fields.expect(tag::GENERALIZED_TIME).expect("producedAt"));
    let mut singles = fields.expect(tag::SEQUENCE).and_then(|list| list.contents()).expect("responses");
    for id in ids {
        let mut single = singles.expect(tag::SEQUENCE).and_then(|one| one.contents()).expect("a SingleResponse");
        assert_eq!(single.any().map(|echoed| echoed.raw), Ok(id.as_der()));
    }
    assert!(singles.is_finished(), "and none besides");
    let extensions = fields.optional(tag::context_constructed(1)).expect("responseExtensions");
    let expected = nonce.map(|nonce| {
        let mut writer = DerWriter::default();
        writer.sequence(|w| write_nonce(w, nonce));
        writer.finish()
    });
    assert_eq!(extensions.map(|tlv| tlv.value), expected.as_deref());
    assert!(fields.is_finished());
}

/// tbsResponseData of a whole response.
fn read_basic(der: &[u8]) -> Option<Tlv<'_>> {
    let mut outer = Tlv::only(der).ok()?.contents().ok()?;
    assert_eq!(outer.any().ok()?.raw, [0x0a, 1, 0], "successful");
    let bytes = Tlv::only(outer.expect(tag::context_constructed(0)).ok()?.value).ok()?;
    let mut fields: DerReader<'_> = bytes.contents().ok()?;
    fields.expect(tag::OID).ok()?;
    Tlv::only(fields.expect(tag::OCTET_STRING).ok()?.value).ok()?.contents().ok()?.expect(tag::SEQUENCE).ok()
}
