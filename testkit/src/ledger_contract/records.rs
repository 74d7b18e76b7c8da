//! What the tests of the contract record.

use std::time::Duration;

use certgate_enrollment::{
    CertificateRecord, CertificateStatus, EnrollmentId, EnrollmentKey, EnrollmentRecord, EnrollmentState, EstUser, Event,
    EventKind, Operation, Proof, Protocol, SecretHash,
};
use certgate_pki::{Serial, Timestamp, Validity};

use crate::NOW;

/// The id of the credential of [`user`], with which [`enrollment`] is asked for.
pub(super) const CREDENTIAL: u64 = 3;

/// A serial number of that moment.
pub(super) fn serial(at: Timestamp) -> Serial {
    Serial::from_parts(at, [7; Serial::RANDOM_OCTETS])
}

/// A certificate that was issued so many seconds after [`NOW`], for an hour; every field differs from its neighbours' defaults.
pub(super) fn certificate(second: u64) -> CertificateRecord {
    let at = NOW.after(Duration::from_secs(second));
    CertificateRecord {
        serial: serial(at),
        authority: "default".into(),
        profile: "device".into(),
        protocol: Protocol::Est,
        endpoint: "lab".into(),
        principal: "first-device".into(),
        validity: Validity { not_before: at.before(Duration::from_secs(60)), not_after: at.after(Duration::from_secs(3600)) },
        shard: 0,
        no_rev_avail: false,
        issued_at: at.after(Duration::from_millis(5)),
        status: CertificateStatus::Valid,
        asked_subject: Some([second.to_be_bytes()[7]; 32]),
        is_ended: false,
        der: vec![0x30, 0x03, 0x02, 0x01, second.to_be_bytes()[7]],
    }
}

/// An enrollment that was submitted so many seconds after [`NOW`] and waits; each second's has a key of its own.
pub(super) fn enrollment(second: u64) -> EnrollmentRecord {
    let at = NOW.after(Duration::from_millis(1000 * second + 7));
    let octet = second.to_be_bytes()[7];
    EnrollmentRecord {
        id: EnrollmentId::parse(&format!("{second:032x}")).unwrap(),
        key: EnrollmentKey {
            protocol: Protocol::Est,
            endpoint: "lab".into(),
            operation: Operation::Enroll,
            principal: "first-device".into(),
            info_sha256: [octet; 32],
            transaction: None,
        },
        profile: "device".into(),
        grants: ["dns:*.fleet.example", "ip:2001:db8::/32", "cn:Router: *, \"7\""].map(|text| text.parse().unwrap()).into(),
        authority: "default".into(),
        proof: Proof::Credential(CREDENTIAL),
        renews: None,
        may_omit_names: false,
        csr: vec![0x30, 0x03, 0x02, 0x01, octet],
        csr_sha256: [!octet; 32],
        created_at: at,
        state: EnrollmentState::Pending,
        changed_at: at,
        reason: String::new(),
        serial: None,
    }
}

/// A credential at an endpoint.
pub(super) fn user(name: &str, endpoint: &str) -> EstUser {
    EstUser {
        name: name.into(),
        endpoint: endpoint.into(),
        secret: SecretHash::Sha256([0xa5; 32]),
        allow: ["dns:*.fleet.example", "ip:2001:db8::/32", "cn:Router: *, \"7\""].map(|text| text.parse().unwrap()).into(),
        created_at: NOW.after(Duration::from_millis(123)),
        expires_at: Some(NOW.after(Duration::from_secs(86_400))),
        uses: None,
        id: CREDENTIAL,
    }
}

/// An event of this kind.
pub(super) fn event(kind: EventKind) -> Event {
    event_at(kind, NOW)
}

/// An event of this kind, at that time.
pub(super) fn event_at(kind: EventKind, at: Timestamp) -> Event {
    Event {
        at,
        kind,
        actor: "operator \"ö\"".into(),
        details: vec![("name", "first-device\n".into()), ("from", String::new())],
    }
}
