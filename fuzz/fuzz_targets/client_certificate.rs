//! Client certificates: whose key is presented, and whom one of our own certificates vouches for.
//!
//! The first octets are choices: of the ledger's record, of the time, and whether the rest is a certificate, DER, or choices of which one
//! is made.
#![no_main]

use std::time::Duration;

use certgate_enrollment::{CertificateRecord, CertificateStatus, Operation, Protocol, Revocation, RevocationReason, judge};
use certgate_fuzz::{Octets, der, profile, root};
use certgate_pki::asn1::{Tlv, tag};
use certgate_pki::{
    Certificate, CertificateOutline, Extension, Name, NameAttribute, NameAttributeType, ObjectIdentifier, PublicKey, Serial,
    SignatureAlgorithm, Template, Timestamp, Validity,
};
use libfuzzer_sys::fuzz_target;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix;

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");

fuzz_target!(|data: &[u8]| {
    let mut octets = Octets::new(data);
    let case = Case::read(&mut octets);
    let der = if octets.flag() { certificate(&mut octets) } else { octets.rest().to_vec() };
    assert_outline(&der);
    let Ok(presented) = Certificate::from_der(&der) else { return };
    case.assert_judged(&presented);
});

/// The outline of whatever is a certificate to anybody is found, and is the same for all.
fn assert_outline(octets: &[u8]) {
    let found = CertificateOutline::from_der(octets);
    if let Ok(certificate) = Certificate::from_der(octets) {
        let Some(found) = found else { panic!("a certificate has an outline") };
        assert_eq!((found.der, found.public_key), (octets, certificate.public_key().spki()));
        assert_eq!((found.issuer, found.subject), (certificate.issuer().as_der(), certificate.subject().as_der()));
    }
    if let Ok(certificate) = x509_cert::Certificate::from_der(octets)
        && certificate.to_der().is_ok_and(|again| again == octets)
        && octets.len() <= certgate_pki::limits::MAX_CERTIFICATE
    {
        let serial = certificate.tbs_certificate().serial_number().to_der().ok();
        assert_eq!(found.map(|found| der::tlv(tag::INTEGER, found.serial)), serial);
        assert_eq!(
            found.map(|found| found.public_key.to_vec()),
            certificate.tbs_certificate().subject_public_key_info().to_der().ok()
        );
    }
    if found.is_some() {
        assert_eq!(CertificateOutline::from_der(&octets[..octets.len() - 1]), None);
        assert_eq!(CertificateOutline::from_der(&[octets, &[0]].concat()), None);
    }
}

/// A certificate of whatever validity and purposes.
fn certificate(octets: &mut Octets<'_>) -> Vec<u8> {
    let not_before = Timestamp::from_seconds(1_700_000_000 + u64::from(octets.number()));
    let validity = Validity { not_before, not_after: not_before.after(Duration::from_secs(octets.number().into())) };
    let Ok(public_key) = PublicKey::from_der(&der::spki(octets)) else { return Vec::new() };
    let extensions = (0..octets.below(4)).map(|_| {
        let (oid, value) = match octets.below(4) {
            0 => (BASIC_CONSTRAINTS, der::basic_constraints(octets)),
            1 => (KEY_USAGE, der::tlv(tag::BIT_STRING, &[octets.below(9), octets.octet()])),
            2 => (EXTENDED_KEY_USAGE, der::purposes(octets)),
            _ => (octets.choose(&[BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE]), octets.piece().to_vec()),
        };
        Extension { oid, critical: octets.flag(), value }
    });
    let template = Template {
        extensions: extensions.collect(),
        serial: Serial::from_parts(not_before, [7; 10]),
        issuer: root().subject().clone(),
        validity,
        subject: Name::from_attributes(vec![NameAttribute::new(NameAttributeType::CommonName, "device-1")]),
        public_key,
    };
    let algorithm = SignatureAlgorithm::EcdsaSha256;
    Template::assemble(&template.to_be_signed(algorithm), algorithm, b"no signature")
}

/// What the ledger knows, and when it is asked.
#[derive(Clone, Copy)]
struct Case {
    /// 0: no record; 1: of another certificate; 2: one octet of it differs; else of this one.
    der: u8,
    changed: u16,
    authority: &'static str,
    profile: &'static str,
    status: CertificateStatus,
    grace: Duration,
    operation: Operation,
    /// Its principal was removed after it was recorded: one that was issued so many seconds after notBefore, which decides nothing.
    ended: Option<i8>,
    /// From notAfter, or else from notBefore.
    from_end: bool,
    milliseconds: i32,
}

impl Case {
    fn read(octets: &mut Octets<'_>) -> Self {
        const NAMES: [&str; 8] = ["default", "default", "default", "default", "default", "default", "Default", "other"];
        let since = Timestamp::from_seconds(1_700_000_000);
        let status = match octets.below(8) {
            0 => CertificateStatus::Held(since),
            1 => CertificateStatus::Revoked(Revocation::new(since, RevocationReason::Superseded)),
            _ => CertificateStatus::Valid,
        };
        Self {
            der: octets.below(8),
            changed: octets.number(),
            authority: octets.choose(&NAMES),
            profile: octets.choose(&NAMES),
            status,
            grace: octets.choose(&[Duration::ZERO, Duration::from_secs(60), Duration::from_secs(86_400), Duration::MAX]),
            operation: octets.choose(&Operation::ALL),
            ended: (octets.below(4) == 0).then(|| i8::from_be_bytes([octets.octet()])),
            from_end: octets.flag(),
            milliseconds: octets.choose(&[1, 1000, 60_000]) * i32::from(octets.number().cast_signed()),
        }
    }

    /// The DER that the record has.
    fn recorded(&self, presented: &Certificate) -> Vec<u8> {
        let mut der = presented.as_der().to_vec();
        match self.der {
            1 => der = root().as_der().to_vec(),
            2 => {
                let at = usize::from(self.changed) % der.len();
                der[at] ^= 1;
            }
            _ => {}
        }
        der
    }

    fn assert_judged(&self, presented: &Certificate) {
        let validity = presented.validity();
        let record = CertificateRecord {
            serial: presented.serial().clone(),
            authority: self.authority.into(),
            profile: self.profile.into(),
            protocol: Protocol::Est,
            endpoint: "default".into(),
            principal: "device".into(),
            validity,
            shard: 0,
            no_rev_avail: false,
            issued_at: moved(validity.not_before, i32::from(self.ended.unwrap_or(0)) * 1000),
            status: self.status,
            asked_subject: None,
            is_ended: self.ended.is_some(),
            der: self.recorded(presented),
        };
        let now = moved(if self.from_end { validity.not_after } else { validity.not_before }, self.milliseconds);
        let known = (self.der != 0).then_some(&record);
        let profile = certgate_policy::Profile { renew_grace: self.grace, ..profile() };
        let judged = judge(presented, known, &profile, self.operation, now);
        let is_ours = known.is_some_and(|known| known.der == presented.as_der());
        let is_here = self.authority == "default" && self.profile == "default" && self.status == CertificateStatus::Valid;
        let grace = if self.operation == Operation::Renew { self.grace.as_secs() } else { 0 };
        let last = validity.not_after.seconds().saturating_add(grace);
        let is_in_time = validity.not_before.millis() <= now.millis() && now.seconds() <= last;
        let expected = is_ours && is_here && self.ended.is_none() && is_in_time && is_for_clients(presented);
        assert_eq!(judged.is_ok(), expected, "{judged:?}");
    }
}

/// By another crate's readers; where these read nothing and ours does, by the octets.
fn is_for_clients(certificate: &Certificate) -> bool {
    let extensions = certificate.extensions();
    let value = |oid| extensions.value_of(oid);
    let is_true = |field: &&[u8]| Tlv::only(field).is_ok_and(|field| field.tag == tag::BOOLEAN && field.value != [0]);
    let is_ca = value(BASIC_CONSTRAINTS).is_some_and(|value| {
        let theirs = pkix::BasicConstraints::from_der(value).map(|constraints| constraints.ca);
        theirs.unwrap_or_else(|_| extensions.is_ca().is_err() || der::elements(value).iter().any(is_true))
    });
    let signs = value(KEY_USAGE).is_none_or(|value| match pkix::KeyUsage::from_der(value) {
        Ok(theirs) => theirs.digital_signature(),
        Err(_) => {
            extensions.key_usage().is_ok() && Tlv::only(value).is_ok_and(|bits| matches!(bits.value, [0..=7, 0x80..=0xff, ..]))
        }
    });
    let client_auth = certgate_pki::asn1::oid_tlv(&ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2"));
    let is_purpose = value(EXTENDED_KEY_USAGE)
        .is_none_or(|value| extensions.extended_key_usage().is_ok() && der::elements(value).contains(&client_auth.as_slice()));
    !is_ca && signs && is_purpose
}

fn moved(time: Timestamp, milliseconds: i32) -> Timestamp {
    Timestamp::from_millis(time.millis().saturating_add_signed(milliseconds.into()))
}
