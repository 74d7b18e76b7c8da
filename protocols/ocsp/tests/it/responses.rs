//! Responses octet by octet, and as they are put together.

use certgate_ocsp::{
    BasicResponse, CertId, CertStatus, ErrorStatus, IssuerHashes, Nonce, OcspRequest, ResponderId, SingleResponse,
};
use certgate_pki::asn1::{Tlv, tag};
use certgate_pki::{CrlReason, DigestAlgorithm, PublicKey, Serial, SignatureAlgorithm, Timestamp};

use crate::client::{NULL, cert_id, certificate, explicit, extension, ocsp_oid, provider, read, sequence, tlv};

/// 2026-09-21T14:13:20Z, and some milliseconds that are not written.
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_789);
const LATER: Timestamp = Timestamp::from_seconds(1_790_003_600);
const RESPONDER: ResponderId = ResponderId::ByKey([0x5a; 20]);

fn single(id: &[u8], status: CertStatus) -> SingleResponse<'_> {
    let cert_id = CertId::from_der(id).unwrap();
    SingleResponse { cert_id, status, this_update: NOW, next_update: Some(LATER), archive_cutoff: None }
}

fn response<'a>(responses: &'a [SingleResponse<'a>]) -> BasicResponse<'a> {
    BasicResponse { responder: &RESPONDER, produced_at: NOW, responses, nonce: None, extended_revoke: false }
}

fn to_be_signed(response: &BasicResponse<'_>) -> Vec<u8> {
    response.prepare(SignatureAlgorithm::EcdsaSha256).to_be_signed().to_vec()
}

fn time(text: &str) -> Vec<u8> {
    tlv(tag::GENERALIZED_TIME, text.as_bytes())
}

/// As RFC 6960 §4.2.1 has it, octet by octet.
#[test]
fn response_data_of_one_good_certificate() {
    let id = cert_id(&[7]);
    let expected = [
        &[0x30, 0x81, 0x8f][..],            // ResponseData, without the version
        &[0xa2, 0x16, 0x04, 0x14],          // byKey
        &[0x5a; 20],                        //
        b"\x18\x0f20260921141320Z",         // producedAt
        &[0x30, 0x64, 0x30, 0x62],          // responses, SingleResponse
        &id,                                // certID
        &[0x80, 0x00],                      // good
        b"\x18\x0f20260921141320Z",         // thisUpdate
        b"\xa0\x11\x18\x0f20260921151320Z", // nextUpdate
    ]
    .concat();
    assert_eq!(to_be_signed(&response(&[single(&id, CertStatus::Good)])), expected);
}

#[test]
fn statuses() {
    let id = cert_id(&[7]);
    let at = Timestamp::from_seconds(1_700_000_000);
    let since = time("20231114221320Z");
    let not_issued = [time("19700101000000Z"), explicit(0, &[0x0a, 1, 6])].concat();
    let hold = [since.clone(), explicit(0, &[0x0a, 1, 6])].concat();
    let for_delegates = [since.clone(), explicit(0, &[0x0a, 1, 10])].concat();
    for (status, expected) in [
        (CertStatus::Good, vec![0x80, 0]),
        (CertStatus::Unknown, vec![0x82, 0]),
        (CertStatus::Revoked { at, reason: None }, explicit(1, &since)),
        (CertStatus::Revoked { at, reason: Some(CrlReason::CertificateHold) }, explicit(1, &hold)),
        (CertStatus::Revoked { at, reason: Some(CrlReason::AaCompromise) }, explicit(1, &for_delegates)),
        (CertStatus::NotIssued, explicit(1, &not_issued)),
    ] {
        let der = to_be_signed(&response(&[single(&id, status)]));
        let written = [id.as_slice(), &expected, &time("20260921141320Z")].concat();
        assert!(der.windows(written.len()).any(|window| window == written), "{status:?}: {der:02x?}");
    }
    let codes: Vec<u8> = CrlReason::ALL.into_iter().map(CrlReason::code).collect();
    assert_eq!(codes, [1, 2, 3, 4, 5, 6, 9, 10], "RFC 5280 §5.3.1");
}

#[test]
fn response_extensions() {
    let id = cert_id(&[7]);
    let nonce = Nonce::new(&[9; 32]).unwrap();
    let nonce_extension = extension(&ocsp_oid(2), None, &tlv(tag::OCTET_STRING, &[9; 32]));
    let revoke = extension(&ocsp_oid(9), None, &NULL);
    let (good, not_issued) = ([single(&id, CertStatus::Good)], [single(&id, CertStatus::NotIssued)]);
    for (responses, nonce, extended_revoke, expected) in [
        (&good, Some(nonce), false, vec![&nonce_extension]),
        (&good, None, true, vec![&revoke]),
        (&not_issued, None, false, vec![&revoke]),
        (&not_issued, Some(nonce), true, vec![&nonce_extension, &revoke]),
    ] {
        let der = to_be_signed(&BasicResponse { nonce, extended_revoke, ..response(responses) });
        let expected = explicit(1, &tlv(tag::SEQUENCE, &expected.into_iter().flatten().copied().collect::<Vec<_>>()));
        assert!(der.ends_with(&expected), "{der:02x?}");
    }
    assert!(to_be_signed(&response(&good)).ends_with(&time("20260921151320Z")), "none at all");
    assert!(Nonce::new(&[]).is_none() && Nonce::new(&[0; 129]).is_none());
}

#[test]
fn an_archive_cutoff_is_in_single_extensions_and_next_update_may_be_absent() {
    let id = cert_id(&[7]);
    let one = SingleResponse { next_update: None, archive_cutoff: Some(LATER), ..single(&id, CertStatus::Good) };
    let der = to_be_signed(&response(&[one]));
    let cutoff = extension(&ocsp_oid(6), None, &time("20260921151320Z"));
    assert!(der.ends_with(&[time("20260921141320Z"), explicit(1, &sequence(&[&cutoff]))].concat()));
}

#[test]
fn responders() {
    let (ca, digests) = (certificate("ca.der"), provider().digest);
    // The issuerKeyHash of openssl's SHA-1 request is the same hash.
    let request = read("sha1.der");
    let request = OcspRequest::parse(&request).unwrap();
    let key_hash = request.sole_cert_id().unwrap().issuer_key_hash();
    let by_key = ResponderId::by_key(ca.public_key(), &*digests);
    assert_eq!(by_key, ResponderId::ByKey(key_hash.try_into().unwrap()));
    let by_name = ResponderId::ByName(ca.subject().clone());
    let der = to_be_signed(&BasicResponse { responder: &by_name, ..response(&[]) });
    assert_eq!(der, sequence(&[&explicit(1, ca.subject().as_der()), &time("20260921141320Z"), &sequence(&[])]));
}

#[test]
fn the_whole_response() {
    let id = cert_id(&[7]);
    let one = [single(&id, CertStatus::Good)];
    let algorithm = SignatureAlgorithm::Ed25519;
    let draft = response(&one).prepare(algorithm);
    assert_eq!(draft.algorithm(), algorithm);
    let signed =
        [draft.to_be_signed(), &sequence(&[&tlv(tag::OID, &[0x2b, 0x65, 0x70])]), &tlv(tag::BIT_STRING, &[0, 1, 2])].concat();
    let responder = certificate("responder.der");
    let certs = explicit(0, &sequence(&[responder.as_der()]));
    for (certificates, basic) in [(&[][..], sequence(&[&signed])), (&[&responder], sequence(&[&signed, &certs]))] {
        let basic_type = tlv(tag::OID, ocsp_oid(1).as_bytes());
        let bytes = explicit(0, &sequence(&[&basic_type, &tlv(tag::OCTET_STRING, &basic)]));
        assert_eq!(draft.assemble(&[1, 2], certificates), sequence(&[&[0x0a, 1, 0], &bytes]));
    }
}

/// Every certificate of a request of openssl, signed by the delegated responder.
#[test]
fn an_answer_repeats_what_was_asked_and_is_signed() {
    let request = read("three.der");
    let request = OcspRequest::parse(&request).unwrap();
    let (provider, signer) = (provider(), certificate("responder.der"));
    let key = provider.sign.load(&read("responder.pk8")).unwrap();
    let responder = ResponderId::by_key(key.public_key(), &*provider.digest);
    let ids: Vec<CertId<'_>> = request.requests().map(|one| one.cert_id).collect();
    let singles: Vec<_> = ids.iter().map(|id| single(id.as_der(), CertStatus::Good)).collect();
    let whole = BasicResponse { responder: &responder, nonce: request.nonce(), ..response(&singles) };
    let draft = whole.prepare(key.algorithm());
    let signature = key.sign(draft.to_be_signed()).unwrap();
    let der = draft.assemble(&signature, &[&signer]);
    let mut from = 0;
    for id in ids {
        let found = der[from..].windows(id.as_der().len()).position(|window| window == id.as_der()).unwrap();
        from += found + id.as_der().len();
    }
    assert!(der.windows(draft.to_be_signed().len()).any(|window| window == draft.to_be_signed()));
    let verified = provider.verify.verify(signer.public_key(), key.algorithm(), draft.to_be_signed(), &signature);
    assert!(verified.is_ok() && der.ends_with(signer.as_der()));
}

#[test]
fn an_answer_made_before_anyone_asks() {
    let (ca, provider) = (certificate("ca.der"), provider());
    let key: &PublicKey = ca.public_key();
    let serial = Serial::from_octets(&[7]).unwrap();
    let both: Vec<Vec<u8>> = [DigestAlgorithm::Sha1, DigestAlgorithm::Sha256]
        .map(|hash| IssuerHashes::new(hash, ca.subject(), key, &*provider.digest).cert_ids(&serial)[0].clone())
        .to_vec();
    let singles: Vec<_> = both.iter().map(|id| single(id, CertStatus::Good)).collect();
    let der = to_be_signed(&response(&singles));
    assert!(both.iter().all(|id| der.windows(id.len()).any(|window| window == id)));
}

#[test]
fn errors_are_five_octets_and_none_is_number_4() {
    let numbers: Vec<u8> = ErrorStatus::ALL
        .into_iter()
        .map(|status| {
            let outer = Tlv::only(status.as_der()).unwrap();
            let inner = Tlv::only(outer.value).unwrap();
            assert_eq!((outer.tag, inner.tag, inner.value.len()), (tag::SEQUENCE, 0x0a, 1), "{}", status.name());
            inner.value[0]
        })
        .collect();
    assert_eq!(numbers, [1, 2, 3, 5, 6], "RFC 6960 §4.2.1");
}
