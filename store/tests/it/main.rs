//! The embedded ledger: the contract of every ledger, and what is its own.

mod credentials;
mod damage;
mod durability;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{CertificateRecord, CertificateStatus, Event, EventKind, Ledger, Protocol};
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
        issued_at: at,
        status: CertificateStatus::Valid,
        der: vec![0x30; 500],
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
