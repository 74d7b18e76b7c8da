//! [`certgate_enrollment::EstUsers`].

use std::sync::Arc;

use certgate_enrollment::{
    Along, CertificateRecord, Cursor, EnrollmentRecord, EnrollmentState, EstUser, EstUserAdded, EventKind, Ledger, LedgerError,
    PrincipalRemoved, Proof, SecretHash, Submitted,
};

use super::events;
use super::records::{CREDENTIAL, certificate, enrollment, event, event_at, user};
use crate::NOW;

const ADDED: EventKind = EventKind::EstUserAdded;
const REMOVED: EventKind = EventKind::EstUserRemoved;

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    a_credential_is_good_at_one_endpoint(&*make().await).await;
    secrets_and_uses_are_kept_as_they_were_given(&*make().await).await;
    a_credential_is_never_replaced(&*make().await).await;
    a_credential_is_put_in_the_place_of_another(&*make().await).await;
    what_was_asked_with_a_credential_ends_with_it(&*make().await).await;
    lists_count_certificates(&*make().await).await;
    removal_is_by_name_at_every_endpoint(&*make().await).await;
}

async fn add(ledger: &dyn Ledger, user: &EstUser) {
    assert_eq!(ledger.add(user.clone(), event(ADDED)).await, Ok(EstUserAdded::Added));
}

async fn a_credential_is_good_at_one_endpoint(ledger: &dyn Ledger) {
    let user = user("first-device", "default");
    let endless = EstUser { name: "ö:'".into(), allow: Vec::new(), expires_at: None, ..user.clone() };
    add(ledger, &user).await;
    add(ledger, &endless).await;
    assert_eq!(ledger.find_user("first-device", "default").await, Ok(Some(user)));
    assert_eq!(ledger.find_user("ö:'", "default").await, Ok(Some(endless)));
    for (name, endpoint) in [("first-device", "lab"), ("first", "default"), ("First-Device", "default"), ("", "")] {
        assert_eq!(ledger.find_user(name, endpoint).await, Ok(None), "{name} at {endpoint}");
    }
}

async fn secrets_and_uses_are_kept_as_they_were_given(ledger: &dyn Ledger) {
    let phc = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ";
    let secrets = [SecretHash::Sha256([0; 32]), SecretHash::Sha256([0xff; 32]), SecretHash::Argon2id(phc.to_owned())];
    for (number, secret) in secrets.into_iter().enumerate() {
        for (endpoint, uses) in [("none", None), ("zero", Some(0)), ("one", Some(1)), ("many", Some(u64::from(u32::MAX)))] {
            let id = if endpoint == "zero" { 0 } else { i64::MAX.unsigned_abs() };
            let user = EstUser { secret: secret.clone(), uses, id, ..user(&number.to_string(), endpoint) };
            add(ledger, &user).await;
            assert_eq!(ledger.find_user(&user.name, endpoint).await, Ok(Some(user.clone())));
            let listed = ledger.list_users(100, None).await.unwrap().items;
            assert!(listed.contains(&(user, 0)), "{listed:?}");
        }
        let told = format!("{secret:?}");
        assert!(told.ends_with("(…)") && !told.contains("255"), "nothing of a secret is in a log: {told}");
    }
}

async fn a_credential_is_never_replaced(ledger: &dyn Ledger) {
    let user = user("first-device", "default");
    add(ledger, &user).await;
    let other = EstUser { secret: SecretHash::Sha256([1; 32]), ..user.clone() };
    assert_eq!(ledger.add(other, event(ADDED)).await, Ok(EstUserAdded::Exists));
    assert_eq!(ledger.find_user("first-device", "default").await, Ok(Some(user)));
    assert_eq!(events(ledger).await, 1, "what changed nothing leaves no event");
}

async fn a_credential_is_put_in_the_place_of_another(ledger: &dyn Ledger) {
    let first = user("first-device", "default");
    let replaced = event(EventKind::EstUserReplaced);
    assert_eq!(ledger.replace(first.clone(), replaced.clone()).await, Ok(false), "there is none");
    assert_eq!(events(ledger).await, 0, "what changed nothing leaves no event");
    add(ledger, &first).await;
    add(ledger, &user("first-device", "lab")).await;
    // Looked up before: what is remembered must not outlive it.
    assert_eq!(ledger.find_user("first-device", "default").await, Ok(Some(first.clone())));
    let other = EstUser { secret: SecretHash::Sha256([1; 32]), allow: Vec::new(), uses: Some(3), id: CREDENTIAL + 1, ..first };
    let other = EstUser { expires_at: None, created_at: NOW, ..other };
    assert_eq!(ledger.replace(other.clone(), replaced).await, Ok(true));
    assert_eq!(ledger.find_user("first-device", "default").await, Ok(Some(other)));
    assert_eq!(ledger.find_user("first-device", "lab").await, Ok(Some(user("first-device", "lab"))));
    assert_eq!(events(ledger).await, 3);
}

/// What waits is denied: at that endpoint alone, and not what a certificate has asked for.
async fn what_was_asked_with_a_credential_ends_with_it(ledger: &dyn Ledger) {
    for (name, endpoint) in [("first-device", "lab"), ("first-device", "default"), ("second-device", "lab")] {
        add(ledger, &user(name, endpoint)).await;
    }
    let issued = event(EventKind::CertificateIssued);
    ledger.record(certificate(1), Along::default(), issued).await.unwrap();
    let [pending, mut approved, mut failed, mut elsewhere, mut of_another, mut by_certificate] =
        [1, 2, 3, 4, 5, 6].map(enrollment);
    elsewhere.key.endpoint = "default".into();
    of_another.key.principal = "second-device".into();
    by_certificate.proof = Proof::Certificate(certificate(1).serial);
    for one in [&pending, &approved, &failed, &elsewhere, &of_another, &by_certificate] {
        assert_eq!(ledger.submit(one.clone().into(), 99, event(EventKind::EnrollmentSubmitted)).await, Ok(Submitted::Created));
    }
    for (one, state) in [(&mut approved, EnrollmentState::Approved), (&mut failed, EnrollmentState::Failed)] {
        assert_eq!(ledger.advance(one, state, "because", event(EventKind::EnrollmentApproved)).await, Ok(true));
        *one = ledger.find_by_id(&one.id).await.unwrap().unwrap();
    }
    let before = events(ledger).await;
    let at = NOW.after(std::time::Duration::from_secs(50));
    let next = EstUser { id: CREDENTIAL + 1, ..user("first-device", "lab") };
    assert_eq!(ledger.replace(next, event_at(EventKind::EstUserReplaced, at)).await, Ok(true));
    let denied = [pending, approved].map(|one| EnrollmentRecord {
        state: EnrollmentState::Denied,
        changed_at: at,
        reason: "the credential was replaced; ask again with the new one".to_owned(),
        ..one
    });
    for expected in denied.into_iter().chain([failed, elsewhere, of_another, by_certificate]) {
        assert_eq!(ledger.find_by_id(&expected.id).await, Ok(Some(expected)));
    }
    let found = ledger.find(&certificate(1).serial).await;
    assert_eq!(found, Ok(Some(certificate(1))), "what was issued to its principal stays as it is");
    assert_eq!(events(ledger).await, before + 1, "one event for all of it");
}

async fn lists_count_certificates(ledger: &dyn Ledger) {
    assert_eq!(ledger.list_users(10, None).await.unwrap().items, []);
    let users = [user("b", "default"), user("a", "lab"), user("a", "default"), user("c", "default")];
    for user in &users {
        add(ledger, user).await;
    }
    for (second, principal) in [(1, "b"), (2, "b"), (3, "c"), (4, "stranger")] {
        let certificate = CertificateRecord { principal: principal.into(), endpoint: "default".into(), ..certificate(second) };
        ledger.record(certificate, Along::default(), event(EventKind::CertificateIssued)).await.unwrap();
    }
    let [b, a_lab, a, c] = users;
    let expected = [(a, 0), (a_lab, 0), (b, 2), (c, 1)];
    for limit in 1..=5 {
        assert_eq!(walk(ledger, limit).await, expected, "limit {limit}");
    }
    assert_eq!(ledger.list_users(1, Some(Cursor("no cursor".into()))).await, Err(LedgerError::BadCursor));
}

async fn walk(ledger: &dyn Ledger, limit: usize) -> Vec<(EstUser, u64)> {
    let mut walked = Vec::new();
    let mut cursor = None;
    loop {
        let page = ledger.list_users(limit, cursor).await.unwrap();
        assert!((1..=limit).contains(&page.items.len()), "limit {limit}: a page of {}", page.items.len());
        walked.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return walked,
        }
    }
}

async fn removal_is_by_name_at_every_endpoint(ledger: &dyn Ledger) {
    for (name, endpoint) in [("a", "default"), ("a", "lab"), ("ab", "default")] {
        add(ledger, &user(name, endpoint)).await;
    }
    let certificate = CertificateRecord { principal: "a".into(), ..certificate(1) };
    ledger.record(certificate.clone(), Along::default(), event(EventKind::CertificateIssued)).await.unwrap();
    let before = events(ledger).await;
    let removed = PrincipalRemoved { credentials: 2, enrollments: 0, had_certificates: true };
    assert_eq!(ledger.remove("a", event(REMOVED)).await, Ok(removed));
    assert_eq!(ledger.remove("nobody", event(REMOVED)).await, Ok(PrincipalRemoved::default()));
    assert_eq!(events(ledger).await, before + 1, "one event, and none for what was not there");
    assert_eq!(ledger.find_user("a", "lab").await, Ok(None));
    assert!(ledger.find_user("ab", "default").await.unwrap().is_some());
    let ended = CertificateRecord { is_ended: true, ..certificate };
    assert_eq!(ledger.find(&ended.serial).await, Ok(Some(ended)), "certificates stay");
    add(ledger, &user("a", "lab")).await;
}
