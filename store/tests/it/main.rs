//! The embedded ledger: the contract of every ledger, and what is its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod credentials;
mod damage;
mod durability;
mod migration;
mod restoring;
mod torn_journal;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{
    Along, CertificateQuery, CertificateRecord, CertificateStatus, Certificates, EnrollmentId, EnrollmentKey, EnrollmentRecord,
    EnrollmentState, Event, EventKind, Ledger, Operation, Proof, Protocol,
};
use certgate_pki::{Serial, Validity};
use certgate_store::{OpenError, SqliteLedger};
use certgate_testkit::NOW;

const QUEUE: usize = 1024;

fn open(directory: &Path) -> Result<SqliteLedger, OpenError> {
    SqliteLedger::open(&directory.join("ledger.db"), QUEUE, certgate_testkit::provider(1).digest)
}

fn certificate(number: u64) -> CertificateRecord {
    let at = NOW.after(Duration::from_millis(number));
    CertificateRecord {
        serial: Serial::from_parts(at, [1; Serial::RANDOM_OCTETS]),
        authority: "default".into(),
        profile: "default".into(),
        protocol: Protocol::Est,
        endpoint: "default".into(),
        principal: format!("device-{number}"),
        validity: Validity { not_before: NOW, not_after: NOW.after(Duration::from_secs(3600)) },
        shard: 0,
        no_rev_avail: false,
        issued_at: at,
        status: CertificateStatus::Valid,
        asked_subject: Some([1; 32]),
        is_ended: false,
        der: vec![0x30; 500],
    }
}

/// An enrollment that waits, of `device`, which asked with the credential of id 1.
fn enrollment(number: u64) -> EnrollmentRecord {
    let mut info_sha256 = [0; 32];
    info_sha256[..8].copy_from_slice(&number.to_be_bytes());
    EnrollmentRecord {
        id: EnrollmentId::parse(&format!("{number:032x}")).unwrap(),
        key: EnrollmentKey {
            protocol: Protocol::Est,
            endpoint: "default".into(),
            operation: Operation::Enroll,
            principal: "device".into(),
            info_sha256,
            transaction: None,
        },
        profile: "default".into(),
        authority: "default".into(),
        grants: vec!["dns:*.fleet.example".parse().unwrap()],
        proof: Proof::Credential(1),
        renews: None,
        may_omit_names: false,
        csr: vec![0x30; 500],
        csr_sha256: info_sha256,
        created_at: NOW,
        state: EnrollmentState::Pending,
        changed_at: NOW,
        reason: String::new(),
        serial: None,
    }
}

fn issued() -> Event {
    Event { at: NOW, kind: EventKind::CertificateIssued, actor: "device".into(), details: vec![("serial", "01".into())] }
}

#[tokio::test]
async fn fulfils_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicUsize::new(0);
    certgate_testkit::ledger_contract::run(async || {
        let own = directory.path().join(number.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string());
        std::fs::create_dir(&own).unwrap();
        Arc::new(open(&own).unwrap()) as Arc<dyn Ledger>
    })
    .await;
}

/// However rare what is asked for is, a page looks at so many certificates and no more.
#[tokio::test]
async fn a_page_does_not_look_further_than_asked() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    for number in 1..=10 {
        ledger.record(certificate(number), Along::default(), issued()).await.unwrap();
    }
    let mut query = CertificateQuery { principal: Some("device-3".into()), walk: 4, ..CertificateQuery::all(NOW, 5) };
    let mut sizes = Vec::new();
    loop {
        let page = ledger.list(query.clone()).await.unwrap();
        sizes.push(page.items.len());
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [0, 1, 0], "10 to 7, 6 to 3, 2 and 1");
}
