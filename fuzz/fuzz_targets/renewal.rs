//! Re-enrollment with every signature taken for good: the names of the old certificate, or others that are granted, and nothing else.
//!
//! The first octets are choices: of the profile, of the old certificate, and whether the rest is a CSR, DER, or choices of which one is
//! made.
#![no_main]

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use certgate_ca_backend_api::Locality;
use certgate_enrollment::{EnrollError, EnrollRequest, Principal, Proof, Protocol, Renewal};
use certgate_fuzz::der::{self, Request, SUBJECT_ALT_NAME};
use certgate_fuzz::{
    Authority, Octets, Records, allowed_names, assert_end_entity, authority, is_allowed, is_allowed_common_name, issue,
    profile, provider, read_by_another, root,
};
use certgate_pki::asn1::{oid_tlv, tag};
use certgate_pki::{
    Certificate, Csr, DigestAlgorithm, ExtendedKeyUsage, Extension, GeneralName, KeyIdentifier, KeyUsage, LeafFields, Name,
    NameAttributeType, Pointers, PublicKey, Serial, SignatureAlgorithm, Template, Validity,
};
use certgate_policy::{ChangeSubject, Circumstances, Holder, NamePattern, Profile, Rekey, lint};
use libfuzzer_sys::fuzz_target;
use x509_cert::der::Encode;
use x509_cert::ext::pkix::name::GeneralName as TheirName;

/// Made by openssl, of the fixtures of certgate-pki: a certificate that certgate has not issued.
const FOREIGN: &[u8] = include_bytes!("../../protocols/pki/tests/fixtures/certificate/leaf-by-p256.der");

static AUTHORITIES: LazyLock<[(Authority, Arc<Records>); 2]> =
    LazyLock::new(|| [Locality::InProcess, Locality::Elsewhere].map(authority));

fuzz_target!(|data: &[u8]| {
    let mut octets = Octets::new(data);
    let settings = Settings::read(&mut octets);
    let old = if octets.below(8) == 0 { Some(FOREIGN.to_vec()) } else { old_certificate(&mut octets) };
    let Some(old) = old.and_then(|der| Certificate::from_der(&der).ok()) else { return };
    let csr = if octets.below(8) == 0 { octets.rest().to_vec() } else { request(&mut octets, &old).to_der() };
    let Ok(csr) = Csr::from_der(&csr) else { return };
    let case = Case { settings, old, csr };
    let (authority, records) = &AUTHORITIES[usize::from(settings.is_elsewhere)];
    match authority.authorize(&settings.profile(), case.request()) {
        Ok(authorized) => {
            case.assert_granted(authorized.template());
            case.assert_names(&issue(authority, records, authorized).der);
        }
        Err(error) => {
            assert!(records.take().is_empty());
            case.assert_refused(&error);
        }
    }
});

/// What an endpoint and its profile leave to the operator.
#[derive(Clone, Copy)]
struct Settings {
    is_elsewhere: bool,
    may_omit_names: bool,
    rekey: Rekey,
    change_subject: ChangeSubject,
    /// The principal's credential grants names.
    grants_allowed: bool,
    /// The old certificate grants its names, as the gateway has it.
    grants_old: bool,
    /// How the old certificate was asked for: 0 is not known, 1 with the subject that the CSR has, 2 with another one.
    asked: u8,
}

impl Settings {
    fn read(octets: &mut Octets<'_>) -> Self {
        Self {
            is_elsewhere: octets.flag(),
            may_omit_names: octets.flag(),
            rekey: octets.choose(&[Rekey::Allow, Rekey::Require, Rekey::Forbid]),
            change_subject: octets.choose(&[ChangeSubject::Refuse, ChangeSubject::Honour]),
            grants_allowed: octets.flag(),
            grants_old: octets.flag(),
            asked: octets.below(3),
        }
    }

    fn profile(self) -> Profile {
        Profile { rekey: self.rekey, change_subject: self.change_subject, ..profile() }
    }
}

/// A certificate such as this authority issues, with names of whatever kind.
fn old_certificate(octets: &mut Octets<'_>) -> Option<Vec<u8>> {
    let (subject, names) = (Name::from_der(&der::name(octets)).ok()?, der::general_names(octets));
    let public_key = PublicKey::from_der(&der::spki(octets)).ok()?;
    let root = root();
    let identifier = |key: &PublicKey| KeyIdentifier::of(key, &provider());
    let mut extensions = LeafFields {
        subject: &subject,
        public_key: &public_key,
        subject_key: &identifier(&public_key),
        authority_key: &identifier(root.public_key()),
        subject_alt_names: &[],
        extended_key_usage: &[ExtendedKeyUsage::ClientAuth],
        pointers: &Pointers::default(),
    }
    .extensions();
    if !names.is_empty() {
        let value = der::sequence(&[&names]);
        extensions.push(Extension { oid: SUBJECT_ALT_NAME, critical: subject.is_empty(), value });
    }
    let not_before = root.validity().not_before;
    let validity = Validity { not_before, not_after: root.validity().not_after };
    let (serial, issuer) = (Serial::from_parts(not_before, [7; 10]), root.subject().clone());
    let template = Template { serial, issuer, validity, subject, public_key, extensions };
    // What does not pass the linter was never issued.
    lint(&template, &Circumstances { issuer: validity, holder: Holder::Anyone }).ok()?;
    let algorithm = SignatureAlgorithm::EcdsaSha256;
    Some(Template::assemble(&template.to_be_signed(algorithm), algorithm, b"no signature"))
}

/// A request that repeats the old certificate, but for what the fuzzer changes.
fn request(octets: &mut Octets<'_>, old: &Certificate) -> Request {
    let reversed = |der: &[u8]| der::sequence(&der::elements(der).into_iter().rev().collect::<Vec<_>>());
    let subject = match octets.below(8) {
        0 => der::name(octets),
        1 => reversed(old.subject().as_der()),
        2 => Name::from_attributes(old.subject().attributes().to_vec()).as_der().to_vec(),
        _ => old.subject().as_der().to_vec(),
    };
    let spki = if octets.flag() { der::spki(octets) } else { old.public_key().spki().to_vec() };
    let old_names = old.extensions().value_of(SUBJECT_ALT_NAME);
    let names = match octets.below(8) {
        0 => None,
        1 => Some(der::sequence(&[&der::general_names(octets)])),
        2 => old_names.map(reversed),
        _ => old_names.map(<[u8]>::to_vec),
    };
    let names = names.map(|value| der::sequence(&[&oid_tlv(&SUBJECT_ALT_NAME), &der::tlv(tag::OCTET_STRING, &value)]));
    let others = (0..octets.below(8) / 6).map(|_| der::extension(octets)).collect::<Vec<_>>();
    let extensions: Vec<&[u8]> = names.iter().chain(&others).map(Vec::as_slice).collect();
    let mut attributes = vec![der::extension_request(&der::sequence(&extensions))];
    attributes.extend(octets.flag().then(|| der::challenge(octets)));
    attributes.extend((octets.below(4) == 0).then(|| der::change_subject_name(octets)));
    Request { subject, spki, attributes, algorithm: der::algorithm() }
}

/// The alternative names of a certificate, DER, as a set; letter case counts for nothing in host names.
fn names_of(certificate: &Certificate) -> BTreeSet<Vec<u8>> {
    let names = certificate.extensions().value_of(SUBJECT_ALT_NAME).unwrap_or_default();
    der::elements(names).into_iter().map(lowercase).collect()
}

fn lowercase(name: &[u8]) -> Vec<u8> {
    if name.first() == Some(&0x82) { name.to_ascii_lowercase() } else { name.to_vec() }
}

fn as_set(names: &[GeneralName]) -> BTreeSet<Vec<u8>> {
    names.iter().map(|name| lowercase(&der::written(|w| name.write(w)))).collect()
}

/// One re-enrollment.
struct Case {
    settings: Settings,
    old: Certificate,
    csr: Csr,
}

impl Case {
    fn request(&self) -> EnrollRequest {
        let names = self.old.extensions().subject_alt_names().unwrap_or_default();
        let old = NamePattern::of_certificate(self.old.subject(), &names);
        let allowed = allowed_names().into_iter().filter_map(|grant| grant.parse().ok());
        let allowed = allowed.filter(|_| self.settings.grants_allowed);
        let grants = allowed.chain(old.into_iter().filter(|_| self.settings.grants_old)).collect();
        let asked = provider().digest.digest(DigestAlgorithm::Sha256, &self.csr.subject().as_set());
        let asked_subject = match self.settings.asked {
            0 => None,
            1 => asked.try_into().ok(),
            _ => Some([1; 32]),
        };
        let may_omit_names = self.settings.may_omit_names;
        EnrollRequest {
            protocol: Protocol::Est,
            endpoint: "default".into(),
            principal: Principal {
                name: "device".into(),
                grants,
                proof: Proof::Certificate(self.old.serial().clone()),
                ends_at: None,
            },
            csr: self.csr.clone(),
            renews: Some(Box::new(Renewal { certificate: self.old.clone(), asked_subject, may_omit_names })),
            transaction: None,
        }
    }

    /// Does the CSR repeat the subject and the names of the old certificate?
    fn repeats(&self) -> (bool, bool) {
        let requested = as_set(&self.csr.requested().subject_alt_names);
        let is_omitted = requested.is_empty() && self.settings.may_omit_names;
        let attributes = |name: &Name| {
            let attributes = name.attributes().iter();
            let mut set: Vec<_> = attributes.map(|one| (one.kind.oid(), one.string_type, one.value.clone())).collect();
            set.sort_unstable();
            set
        };
        let is_subject = attributes(self.csr.subject()) == attributes(self.old.subject());
        (is_subject || self.settings.asked == 1, is_omitted || requested == names_of(&self.old))
    }

    /// What is granted is what may be asked: the names of the old certificate, the key that the profile wants.
    fn assert_granted(&self, template: &Template) {
        let requested = self.csr.requested();
        assert!(!requested.ca && !requested.key_usage.intersects(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN));
        assert_eq!(self.repeats(), (true, true));
        assert_eq!(&template.public_key, self.csr.public_key());
        match self.settings.rekey {
            Rekey::Allow => {}
            Rekey::Require => assert_ne!(&template.public_key, self.old.public_key()),
            Rekey::Forbid => assert_eq!(&template.public_key, self.old.public_key()),
        }
        let change = self.csr.change_subject_name();
        assert!(change.is_none() || self.settings.change_subject == ChangeSubject::Honour);
        if change.is_none_or(|change| change.subject.is_none()) {
            assert_eq!(template.subject.as_der(), self.old.subject().as_der());
        }
    }

    /// The issued names are the old ones, or those that an honoured ChangeSubjectName asks for, and then each is granted.
    fn assert_names(&self, der: &[u8]) {
        let theirs = read_by_another(der);
        let names = assert_end_entity(&theirs);
        let Ok(issued) = Certificate::from_der(der) else { panic!("what was issued is read") };
        let change = self.csr.change_subject_name();
        match change.and_then(|change| change.subject_alt_names.as_deref()) {
            None => assert_eq!(names_of(&issued), names_of(&self.old)),
            Some(wanted) => {
                assert_eq!(names_of(&issued), as_set(wanted));
                assert!(names.iter().all(|name| self.may_have(name)), "{names:?}");
            }
        }
        assert!(names.iter().all(|name| matches!(name, TheirName::DnsName(_) | TheirName::IpAddress(_))));
        let Some(wanted) = change.and_then(|change| change.subject.as_ref()) else { return };
        for attribute in theirs.tbs_certificate().subject().iter() {
            let (kind, value) = (NameAttributeType::from_oid(attribute.oid), attribute.value.value());
            let is_wanted = |other: &&certgate_pki::NameAttribute| other.kind == kind && other.value.as_bytes() == value;
            assert!(wanted.attributes().iter().any(|other| is_wanted(&other)));
            let is_old = || self.settings.grants_old && self.old.subject().attributes().iter().any(|other| is_wanted(&other));
            match kind {
                NameAttributeType::CommonName => {
                    assert!(self.settings.grants_allowed && is_allowed_common_name(value) || is_old(), "{value:02x?}");
                }
                kind => assert!(profile().subject_copy.contains(&kind), "{kind} is not copied"),
            }
        }
    }

    /// Is this name granted, or one that the old certificate has?
    fn may_have(&self, name: &TheirName) -> bool {
        let der = name.to_der().unwrap_or_default();
        let is_wildcard = matches!(name, TheirName::DnsName(name) if name.as_str().starts_with('*'));
        let is_old = self.settings.grants_old && names_of(&self.old).contains(&der) && !is_wildcard;
        self.settings.grants_allowed && is_allowed(name) || is_old
    }

    /// Nobody but the requester is to blame, and who repeats the old certificate is not refused.
    fn assert_refused(&self, error: &EnrollError) {
        match error {
            EnrollError::Refused(_) => {}
            EnrollError::Csr(error) => return assert_eq!(self.csr.clone().verify(&provider()).err().as_ref(), Some(error)),
            EnrollError::NotRenewable(_) => return assert!(self.old.extensions().subject_alt_names().is_err()),
            error => panic!("a CSR is never somebody else's fault: {error}"),
        }
        let asks_nothing_else = {
            let requested = self.csr.requested();
            let usages = requested.key_usage == KeyUsage::default() && requested.extended_key_usage.is_empty();
            usages && !requested.ca && requested.others.is_empty() && self.csr.change_subject_name().is_none()
        };
        let is_key_right = match self.settings.rekey {
            Rekey::Allow => true,
            Rekey::Require => self.csr.public_key() != self.old.public_key(),
            Rekey::Forbid => self.csr.public_key() == self.old.public_key(),
        };
        let names = self.old.extensions().subject_alt_names().unwrap_or_default();
        let are_names_issued = names.iter().all(|name| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_)));
        let has_common_name = self.old.subject().attributes().iter().any(|one| one.kind == NameAttributeType::CommonName);
        let is_key_allowed = profile().key_types.iter().any(|key| key.key_type() == self.csr.public_key().key_type());
        let names_somebody = are_names_issued && (has_common_name || !names.is_empty());
        let repeats = self.repeats() == (true, true) && asks_nothing_else;
        assert!(!(repeats && is_key_right && is_key_allowed && names_somebody), "{error}");
    }
}
