//! Credentials that were looked up are remembered, and what was removed is not.

use certgate_enrollment::{
    Along, CertificateRecord, CertificateRecorded, Certificates, EstUser, EstUserAdded, EstUsers, Event, EventKind, Proof,
    SecretHash,
};
use certgate_testkit::NOW;

use super::{certificate, issued, open};

/// Of the id 1.
pub(super) fn user(endpoint: &str, secret: u8) -> EstUser {
    EstUser {
        name: "device".into(),
        endpoint: endpoint.into(),
        secret: SecretHash::Sha256([secret; 32]),
        allow: Vec::new(),
        created_at: NOW,
        expires_at: None,
        uses: None,
        id: 1,
    }
}

fn event(kind: EventKind) -> Event {
    Event { at: NOW, kind, actor: "operator".into(), details: Vec::new() }
}

#[tokio::test]
async fn a_removed_credential_is_gone_at_once_and_a_new_one_counts_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    for secret in 0..50 {
        for endpoint in ["a", "b"] {
            let added = ledger.add(user(endpoint, secret), event(EventKind::EstUserAdded)).await;
            assert_eq!(added, Ok(EstUserAdded::Added));
            // Twice: from the file, then as remembered.
            for _ in 0..2 {
                assert_eq!(ledger.find_user("device", endpoint).await, Ok(Some(user(endpoint, secret))));
            }
        }
        assert_eq!(ledger.remove("device", event(EventKind::EstUserRemoved)).await.unwrap().credentials, 2);
        for endpoint in ["a", "b"] {
            assert_eq!(ledger.find_user("device", endpoint).await, Ok(None));
        }
    }
}

#[tokio::test]
async fn a_use_that_was_spent_is_seen_by_whoever_looks_next() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    for (endpoint, uses) in [("default", Some(3)), ("other", Some(9))] {
        let user = EstUser { uses, ..user(endpoint, 1) };
        ledger.add(user, event(EventKind::EstUserAdded)).await.unwrap();
    }
    let spending = Along { proof: Some(Proof::Credential(1)), ..Along::default() };
    for left in (0..3).rev() {
        // As remembered before: it must be forgotten.
        assert_eq!(ledger.find_user("device", "default").await.unwrap().unwrap().uses, Some(left + 1));
        let certificate = CertificateRecord { principal: "device".into(), ..certificate(left) };
        assert_eq!(ledger.record(certificate, spending.clone(), issued()).await, Ok(CertificateRecorded::Recorded));
        assert_eq!(ledger.find_user("device", "default").await.unwrap().unwrap().uses, Some(left));
    }
    let certificate = CertificateRecord { principal: "device".into(), ..certificate(9) };
    assert_eq!(ledger.record(certificate, spending, issued()).await, Ok(CertificateRecorded::CredentialUsedUp));
    assert_eq!(ledger.find_user("device", "other").await.unwrap().unwrap().uses, Some(9));
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_while_removing_brings_nothing_back() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    for secret in 0..50 {
        ledger.add(user("a", secret), event(EventKind::EstUserAdded)).await.unwrap();
        let lookers: Vec<_> = (0..4)
            .map(|_| {
                let ledger = ledger.clone();
                #[expect(clippy::disallowed_methods, reason = "the test awaits every one of them")]
                tokio::spawn(async move {
                    while ledger.find_user("device", "a").await.unwrap().is_some() {
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        tokio::task::yield_now().await;
        ledger.remove("device", event(EventKind::EstUserRemoved)).await.unwrap();
        assert_eq!(ledger.find_user("device", "a").await, Ok(None));
        for looker in lookers {
            looker.await.unwrap();
        }
        assert_eq!(ledger.find_user("device", "a").await, Ok(None));
    }
}
