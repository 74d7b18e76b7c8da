//! Attributes of a request: its challengePassword, its ChangeSubjectName, and what is the same request without the former.
//!
//! The first octet says whether the rest is a request, DER, or choices of which one is made.
#![no_main]

use base64ct::{Base64, Encoding};
use certgate_est::{BindingError, ChannelBinding, check_binding};
use certgate_fuzz::der::{self, CHALLENGE_PASSWORD, Request};
use certgate_fuzz::{Octets, provider, unsupported_key};
use certgate_pki::asn1::{oid_tlv, tag};
use certgate_pki::{Csr, limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut octets = Octets::new(data);
    let der = if octets.flag() { request(&mut octets).to_der() } else { octets.rest().to_vec() };
    let Ok(csr) = Csr::from_der(&der) else { return };
    assert_challenge(&csr);
    assert_change(&csr);
    assert_parsed_again(&csr);
    assert_same_request(&csr);
    assert_other_requests(&csr);
    assert_bound(csr.challenge_password());
});

/// A request of whatever attributes, in whatever order and as often as it comes.
fn request(octets: &mut Octets<'_>) -> Request {
    let (subject, spki) = (der::name(octets), der::spki(octets));
    let attributes = (0..octets.below(5)).map(|_| match octets.below(5) {
        0 | 1 => der::challenge(octets),
        2 => der::change_subject_name(octets),
        3 => der::extension_request(&der::extensions(octets)),
        _ => {
            let oid = certgate_pki::ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.2");
            der::attribute(&oid, octets.piece())
        }
    });
    Request { subject, spki, attributes: attributes.collect(), algorithm: der::algorithm() }
}

fn is_challenge(attribute: &[u8]) -> bool {
    der::elements(attribute).first().is_some_and(|oid| *oid == oid_tlv(&CHALLENGE_PASSWORD))
}

/// The challengePassword is there when there is such an attribute, and is kept to itself.
fn assert_challenge(csr: &Csr) {
    let attributes = Request::of(csr).attributes;
    assert_eq!(csr.challenge_password().is_some(), attributes.iter().any(|attribute| is_challenge(attribute)));
    let Some(challenge) = csr.challenge_password() else { return };
    assert!(challenge.len() <= 2 * limits::MAX_CHALLENGE_PASSWORD);
    // Not told by what is printed; `raw` holds it as numbers.
    let shown = format!("{csr:?}");
    assert!(shown.contains("Secret(…)"));
}

/// A ChangeSubjectName asks for something, and reads the same in the form that is tagged by the erratum.
fn assert_change(csr: &Csr) {
    let Some(change) = csr.change_subject_name() else { return };
    assert!(change.subject.is_some() || change.subject_alt_names.is_some());
    let names = change.subject_alt_names.as_ref().map(|names| {
        assert!((1..=limits::MAX_GENERAL_NAMES).contains(&names.len()));
        der::written(|w| names.iter().for_each(|name| name.write(w)))
    });
    // A SEQUENCE is no GeneralName, and is taken for one of a form that is never issued; behind an IMPLICIT tag it looks like GeneralNames.
    if names.as_ref().is_some_and(|names| names.first() == Some(&tag::SEQUENCE)) {
        return;
    }
    let names = names.map(|names| der::tlv(tag::context_constructed(1), &names));
    let subject = change.subject.as_ref().map_or(&[][..], |subject| subject.as_der());
    let value = der::sequence(&[subject, &names.unwrap_or_default()]);
    let attributes = vec![der::attribute(&der::CHANGE_SUBJECT_NAME, &value)];
    let again = Request { attributes, ..Request::of(csr) }.to_der();
    match Csr::from_der(&again) {
        Ok(again) => assert_eq!(again.change_subject_name(), Some(change)),
        Err(error) => assert!(again.len() > limits::MAX_CSR, "{error}"),
    }
}

/// Without its challengePassword it is a request that differs in nothing else.
fn assert_parsed_again(csr: &Csr) {
    let info = csr.info_without_challenge();
    let signed = der::signed(&info, &der::algorithm());
    let Ok(again) = Csr::from_der(&signed) else { return assert!(signed.len() > limits::MAX_CSR) };
    assert_eq!((again.subject(), again.public_key()), (csr.subject(), csr.public_key()));
    assert_eq!((again.requested(), again.change_subject_name()), (csr.requested(), csr.change_subject_name()));
    assert_eq!((again.challenge_password(), again.info()), (None, info.as_slice()));
    assert_eq!(again.info_without_challenge(), info);
    let mut others: Vec<_> = Request::of(csr).attributes.into_iter().filter(|attribute| !is_challenge(attribute)).collect();
    others.sort_unstable();
    assert_eq!(Request::of(&again).attributes, others, "DER has them in ascending order");
    assert_eq!(again.verify(&provider()).err(), unsupported_key(csr));
}

/// Requests that differ in the challengePassword only, or in the order of their attributes, are the same.
fn assert_same_request(csr: &Csr) {
    let request = Request::of(csr);
    let others: Vec<_> = request.attributes.iter().filter(|attribute| !is_challenge(attribute)).cloned().collect();
    let challenge = |text: &[u8]| der::attribute(&CHALLENGE_PASSWORD, &der::tlv(tag::UTF8_STRING, text));
    for challenge in [None, Some(challenge(b"")), Some(challenge(b"from another session"))] {
        let attributes: Vec<_> = others.iter().rev().cloned().chain(challenge.clone()).collect();
        let is_too_many = attributes.len() > limits::MAX_CSR_ATTRIBUTES;
        let der = Request { attributes, ..request.clone() }.to_der();
        let Ok(other) = Csr::from_der(&der) else {
            assert!(is_too_many || der.len() > limits::MAX_CSR);
            continue;
        };
        assert_eq!(other.challenge_password().is_some(), challenge.is_some());
        assert_eq!(other.info_without_challenge(), csr.info_without_challenge());
    }
}

/// Requests that differ in anything else are not.
fn assert_other_requests(csr: &Csr) {
    let request = Request::of(csr);
    let differs = |request: Request| {
        Csr::from_der(&request.to_der()).map_or(true, |other| other.info_without_challenge() != csr.info_without_challenge())
    };
    let (mut subject, mut spki, mut more) = (request.clone(), request.clone(), request.clone());
    subject.subject = certgate_pki::Name::from_attributes(Vec::new()).as_der().to_vec();
    assert!(csr.subject().is_empty() || differs(subject));
    spki.spki = der::spki(&mut Octets::new(&[2]));
    assert!(spki.spki == request.spki || differs(spki));
    more.attributes.push(der::attribute(&certgate_pki::ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.3"), &[5, 0]));
    assert!(differs(more));
    for (at, attribute) in request.attributes.iter().enumerate().filter(|(_, attribute)| !is_challenge(attribute)) {
        let mut without = request.clone();
        without.attributes.remove(at);
        assert!(differs(without), "{attribute:02x?}");
    }
}

/// A challengePassword is of one session or of none.
fn assert_bound(challenge: Option<&str>) {
    for is_required in [false, true] {
        let missing = if is_required { Err(BindingError::Missing) } else { Ok(()) };
        let without = challenge.map_or(missing, |_| Err(BindingError::Wrong));
        assert_eq!(check_binding(None, challenge, is_required), without);
        let octets = challenge.and_then(|challenge| Base64::decode_vec(challenge).ok()).unwrap_or_default();
        let sessions = [
            octets.as_slice().try_into().ok().map(ChannelBinding::TlsUnique),
            octets.as_slice().try_into().ok().map(ChannelBinding::TlsExporter),
        ];
        for session in sessions.into_iter().flatten() {
            assert_eq!(check_binding(Some(session), challenge, is_required), Ok(()));
        }
        let other = ChannelBinding::TlsUnique([0x5a; 12]);
        let expected = if octets == [0x5a; 12] { Ok(()) } else { without };
        assert_eq!(check_binding(Some(other), challenge, is_required), expected);
    }
}
