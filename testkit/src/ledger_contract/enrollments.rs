//! [`certgate_enrollment::Enrollments`].

use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{
    Along, CertificateRecord, Cursor, EnrollmentKey, EnrollmentQuery, EnrollmentRecord, EnrollmentState, EstUser, EventKind,
    Ledger, LedgerError, Operation, Proof, Protocol, Submitted,
};
use certgate_pki::Timestamp;

use super::records::{certificate, enrollment, event, event_at, serial, user};
use super::{both, events};
use crate::NOW;

const APPROVED: EventKind = EventKind::EnrollmentApproved;
const DENIED: EventKind = EventKind::EnrollmentDenied;
/// More than any test submits.
const MANY: u64 = 1000;
const MILLI: Duration = Duration::from_millis(1);

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    // Each with the credential that [`enrollment`] is asked for with.
    let make = async || {
        let ledger = make().await;
        credential(&*ledger, &enrollment(0)).await;
        ledger
    };
    what_was_submitted_is_found(&*make().await).await;
    a_request_waits_once(&*make().await).await;
    each_part_of_a_key_counts(&*make().await).await;
    what_is_over_is_found_by_its_key_for_a_while(&*make().await).await;
    the_newest_of_a_key_counts(&*make().await).await;
    all_that_wait_with_a_csr_are_found(&*make().await).await;
    what_is_over_is_found_by_its_csr_when_nothing_else_is(&*make().await).await;
    a_principal_has_so_many_waiting_at_the_most(&*make().await).await;
    a_state_is_left_once(&*make().await).await;
    issued_is_reached_with_a_certificate_only(&*make().await).await;
    of_two_decisions_at_the_same_time_one_counts(&*make().await).await;
    of_two_submissions_at_the_same_time_one_waits(&*make().await).await;
    lists_are_newest_first_and_by_state(&*make().await).await;
    pages_leave_nothing_out(&*make().await).await;
}

/// The ledger holds the credential with which an enrollment is asked for.
async fn credential(ledger: &dyn Ledger, asked: &EnrollmentRecord) {
    let Proof::Credential(id) = asked.proof else { panic!("{:?} is no credential", asked.proof) };
    let user = EstUser { id, ..user(&asked.key.principal, &asked.key.endpoint) };
    ledger.add(user, event(EventKind::EstUserAdded)).await.unwrap();
}

async fn submit(ledger: &dyn Ledger, enrollment: &EnrollmentRecord) -> Submitted {
    ledger.submit(enrollment.clone().into(), MANY, event(EventKind::EnrollmentSubmitted)).await.unwrap()
}

/// Brings an enrollment from where its record says it is to `next`, at that time.
async fn advance(ledger: &dyn Ledger, from: &EnrollmentRecord, next: EnrollmentState, at: Timestamp) -> EnrollmentRecord {
    assert_eq!(ledger.advance(from, next, "because", event_at(DENIED, at)).await, Ok(true), "{next:?}");
    EnrollmentRecord { state: next, changed_at: at, reason: "because".into(), ..from.clone() }
}

async fn find(ledger: &dyn Ledger, enrollment: &EnrollmentRecord) -> Option<EnrollmentRecord> {
    ledger.find_by_id(&enrollment.id).await.unwrap()
}

async fn what_was_submitted_is_found(ledger: &dyn Ledger) {
    let mut plain = EnrollmentRecord { proof: Proof::Credential(i64::MAX.unsigned_abs()), ..enrollment(1) };
    plain.key.principal = "second-device".into();
    credential(ledger, &plain).await;
    let voucher = CertificateRecord { authority: "ö \"'; --".into(), ..certificate(1) };
    ledger.record(voucher.clone(), Along::default(), event(EventKind::CertificateIssued)).await.unwrap();
    let before = events(ledger).await;
    let mut odd = EnrollmentRecord {
        profile: "ö \"'; --".into(),
        grants: Vec::new(),
        authority: voucher.authority,
        proof: Proof::Certificate(voucher.serial),
        renews: Some(serial(NOW)),
        may_omit_names: true,
        csr: vec![0; 60_000],
        ..enrollment(2)
    };
    odd.key = EnrollmentKey {
        protocol: Protocol::Internal,
        endpoint: String::new(),
        operation: Operation::Renew,
        principal: "ö \"'; --".into(),
        info_sha256: [0; 32],
        transaction: Some("7; '\" ö".into()),
    };
    for record in [&plain, &odd] {
        assert_eq!(find(ledger, record).await, None);
        assert_eq!(ledger.find_by_key(&record.key, NOW).await, Ok(None));
        assert_eq!(ledger.find_by_csr(&record.csr_sha256, 9).await, Ok(Vec::new()));
        assert_eq!(submit(ledger, record).await, Submitted::Created);
        assert_eq!(find(ledger, record).await.as_ref(), Some(record));
        assert_eq!(ledger.find_by_key(&record.key, NOW).await.unwrap().as_ref(), Some(record));
        assert_eq!(ledger.find_by_csr(&record.csr_sha256, 9).await, Ok(vec![record.clone()]));
    }
    assert_eq!(events(ledger).await, before + 2, "an event for each");
}

async fn a_request_waits_once(ledger: &dyn Ledger) {
    let first = enrollment(1);
    let again = EnrollmentRecord { id: enrollment(2).id, csr: vec![0x30, 0], csr_sha256: [9; 32], ..first.clone() };
    submit(ledger, &first).await;
    assert_eq!(submit(ledger, &again).await, Submitted::Exists(Box::new(first.clone())));
    let approved = advance(ledger, &first, EnrollmentState::Approved, NOW).await;
    assert_eq!(submit(ledger, &again).await, Submitted::Exists(Box::new(approved.clone())));
    assert_eq!((find(ledger, &again).await, events(ledger).await), (None, 3), "what was there already leaves no event");
    advance(ledger, &approved, EnrollmentState::Denied, NOW).await;
    assert_eq!(submit(ledger, &again).await, Submitted::Created, "what is over holds up nobody");
}

async fn each_part_of_a_key_counts(ledger: &dyn Ledger) {
    let base = enrollment(1);
    submit(ledger, &base).await;
    let key = base.key;
    let others = [
        EnrollmentKey { protocol: Protocol::Internal, ..key.clone() },
        EnrollmentKey { endpoint: "default".into(), ..key.clone() },
        EnrollmentKey { operation: Operation::Renew, ..key.clone() },
        EnrollmentKey { principal: "second-device".into(), ..key.clone() },
        EnrollmentKey { principal: "First-device".into(), ..key.clone() },
        EnrollmentKey { info_sha256: [0xff; 32], ..key },
    ];
    for (second, key) in (2..).zip(others) {
        assert_eq!(ledger.find_by_key(&key, NOW).await, Ok(None), "{key:?}");
        let other = EnrollmentRecord { key, ..enrollment(second) };
        credential(ledger, &other).await;
        assert_eq!(submit(ledger, &other).await, Submitted::Created);
        assert_eq!(ledger.find_by_key(&other.key, NOW).await, Ok(Some(other)));
    }
}

async fn what_is_over_is_found_by_its_key_for_a_while(ledger: &dyn Ledger) {
    let far = NOW.after(Duration::from_secs(86_400));
    for (second, state) in (1..).zip([EnrollmentState::Denied, EnrollmentState::Failed]) {
        let waiting = enrollment(second);
        submit(ledger, &waiting).await;
        assert!(ledger.find_by_key(&waiting.key, far).await.unwrap().is_some(), "what waits is found whenever");
        let approved = advance(ledger, &waiting, EnrollmentState::Approved, NOW).await;
        assert_eq!(ledger.find_by_key(&approved.key, far).await, Ok(Some(approved.clone())));
        let at = NOW.after(Duration::from_secs(60));
        let over = advance(ledger, &approved, state, at).await;
        assert_eq!(ledger.find_by_key(&over.key, at).await, Ok(Some(over.clone())), "{state:?}");
        assert_eq!(ledger.find_by_key(&over.key, at.after(MILLI)).await, Ok(None), "{state:?}");
        assert_eq!(find(ledger, &over).await, Some(over), "by its id for ever");
    }
    let waiting = enrollment(9);
    submit(ledger, &waiting).await;
    advance(ledger, &waiting, EnrollmentState::Approved, NOW).await;
    let along = Along { proof: Some(waiting.proof.clone()), fulfils: Some(waiting.id.clone()), ..Along::default() };
    ledger.record(certificate(1), along, event(EventKind::CertificateIssued)).await.unwrap();
    let issued_at = certificate(1).issued_at;
    let found = ledger.find_by_key(&waiting.key, issued_at).await.unwrap().unwrap();
    assert_eq!((found.state, found.serial), (EnrollmentState::Issued, Some(certificate(1).serial)));
    assert_eq!(ledger.find_by_key(&waiting.key, issued_at.after(MILLI)).await, Ok(None));
}

async fn the_newest_of_a_key_counts(ledger: &dyn Ledger) {
    let old = enrollment(1);
    submit(ledger, &old).await;
    let denied = advance(ledger, &old, EnrollmentState::Denied, NOW).await;
    let new = EnrollmentRecord { id: enrollment(2).id, created_at: enrollment(2).created_at, ..old };
    submit(ledger, &new).await;
    assert_eq!(ledger.find_by_key(&new.key, NOW).await, Ok(Some(new.clone())));
    assert_eq!(find(ledger, &denied).await, Some(denied));
    let failed = advance(ledger, &new, EnrollmentState::Failed, NOW).await;
    assert_eq!(ledger.find_by_key(&failed.key, NOW).await, Ok(Some(failed)));
}

/// The same CSR, asked for by principals of these names, the last one the newest.
async fn asked_by<const N: usize>(ledger: &dyn Ledger, principals: [&str; N]) -> [EnrollmentRecord; N] {
    let mut second = 0;
    let asked = principals.map(|principal| {
        second += 1;
        let mut one = EnrollmentRecord { csr_sha256: [9; 32], ..enrollment(second) };
        one.key = EnrollmentKey { principal: principal.into(), info_sha256: [8; 32], ..one.key };
        one
    });
    for one in &asked {
        credential(ledger, one).await;
        assert_eq!(submit(ledger, one).await, Submitted::Created);
    }
    asked
}

async fn find_by_csr(ledger: &dyn Ledger, most: usize) -> Vec<EnrollmentRecord> {
    ledger.find_by_csr(&[9; 32], most).await.unwrap()
}

/// Nothing keeps one requester from sending the CSR of another: a person has to see all of them.
async fn all_that_wait_with_a_csr_are_found(ledger: &dyn Ledger) {
    let [a, b, c, d] = asked_by(ledger, ["a", "b", "c", "d"]).await;
    submit(ledger, &enrollment(9)).await;
    let all = [d.clone(), c.clone(), b.clone(), a.clone()];
    for most in 0..=5 {
        assert_eq!(find_by_csr(ledger, most).await, all[..most.min(4)], "newest first, {most} at the most");
    }
    // What is approved waits still, and what has failed can be approved again; what is over for good does not hide them, be it the newest,
    // and is not told beside them.
    let approved = advance(ledger, &b, EnrollmentState::Approved, NOW).await;
    advance(ledger, &d, EnrollmentState::Denied, NOW.after(Duration::from_secs(60))).await;
    let failed = advance(ledger, &a, EnrollmentState::Failed, NOW.after(Duration::from_secs(60))).await;
    assert_eq!(find_by_csr(ledger, 9).await, [c.clone(), approved.clone(), failed]);
    assert_eq!(find_by_csr(ledger, 1).await, [c]);
    assert_eq!(ledger.find_by_csr(&[10; 32], 9).await, Ok(Vec::new()));
}

async fn what_is_over_is_found_by_its_csr_when_nothing_else_is(ledger: &dyn Ledger) {
    let [a, b, c] = asked_by(ledger, ["a", "b", "c"]).await;
    let approved = advance(ledger, &a, EnrollmentState::Approved, NOW).await;
    let older = advance(ledger, &b, EnrollmentState::Denied, NOW.after(Duration::from_secs(60))).await;
    let denied = advance(ledger, &c, EnrollmentState::Denied, NOW).await;
    assert_eq!(find_by_csr(ledger, 9).await, std::slice::from_ref(&approved));
    let along = Along { proof: Some(a.proof), fulfils: Some(a.id), ..Along::default() };
    let certificate = CertificateRecord { principal: "a".into(), ..certificate(1) };
    ledger.record(certificate, along, event(EventKind::CertificateIssued)).await.unwrap();
    let issued = find(ledger, &approved).await.unwrap();
    assert_eq!(issued.state, EnrollmentState::Issued);
    assert_eq!(find_by_csr(ledger, 9).await, [denied.clone(), older.clone(), issued]);
    assert_eq!(find_by_csr(ledger, 2).await, [denied, older]);
}

async fn a_principal_has_so_many_waiting_at_the_most(ledger: &dyn Ledger) {
    let (pending, other) = (enrollment(1), enrollment(2));
    submit(ledger, &pending).await;
    submit(ledger, &other).await;
    let approved = advance(ledger, &other, EnrollmentState::Approved, NOW).await;
    let third = enrollment(3);
    let try_it =
        async |one: EnrollmentRecord| ledger.submit(one.into(), 2, event(EventKind::EnrollmentSubmitted)).await.unwrap();
    let before = events(ledger).await;
    assert_eq!(try_it(third.clone()).await, Submitted::TooMany);
    assert_eq!((find(ledger, &third).await, events(ledger).await), (None, before));
    assert_eq!(try_it(pending.clone()).await, Submitted::Exists(Box::new(pending)), "what waits already is no more");
    let mut of_another = enrollment(4);
    of_another.key.principal = "second-device".into();
    credential(ledger, &of_another).await;
    assert_eq!(try_it(of_another).await, Submitted::Created);
    let mut by_certificate = enrollment(5);
    by_certificate.proof = Proof::Certificate(certificate(1).serial);
    ledger.record(certificate(1), Along::default(), event(EventKind::CertificateIssued)).await.unwrap();
    assert_eq!(try_it(by_certificate).await, Submitted::Created, "many devices may be one principal");
    advance(ledger, &approved, EnrollmentState::Failed, NOW).await;
    assert_eq!(try_it(third).await, Submitted::Created, "what is over counts no more");
}

async fn a_state_is_left_once(ledger: &dyn Ledger) {
    let pending = enrollment(1);
    assert_eq!(ledger.advance(&pending, EnrollmentState::Approved, "", event(APPROVED)).await, Ok(false), "it is not there");
    assert_eq!(events(ledger).await, 1);
    let bystander = enrollment(2);
    submit(ledger, &pending).await;
    submit(ledger, &bystander).await;
    let steps = [EnrollmentState::Approved, EnrollmentState::Failed, EnrollmentState::Approved, EnrollmentState::Denied];
    let mut current = pending;
    for (step, next) in (1..).zip(steps) {
        let at = NOW.after(Duration::from_millis(step));
        let stale = current;
        current = advance(ledger, &stale, next, at).await;
        assert_eq!(find(ledger, &current).await.as_ref(), Some(&current), "nothing but the state has changed");
        let again = ledger.advance(&stale, next, "twice", event_at(APPROVED, at.after(MILLI))).await;
        assert_eq!((again, events(ledger).await), (Ok(false), 3 + step), "{next:?}");
        assert_eq!(find(ledger, &current).await.as_ref(), Some(&current));
    }
    assert_eq!(find(ledger, &bystander).await, Some(bystander));
}

async fn issued_is_reached_with_a_certificate_only(ledger: &dyn Ledger) {
    submit(ledger, &enrollment(1)).await;
    let approved = advance(ledger, &enrollment(1), EnrollmentState::Approved, NOW).await;
    let refused = ledger.advance(&approved, EnrollmentState::Issued, "", event(APPROVED)).await;
    assert!(matches!(refused, Err(LedgerError::Conflict(_))), "{refused:?}");
    assert_eq!((find(ledger, &approved).await, events(ledger).await), (Some(approved), 3));
}

async fn of_two_decisions_at_the_same_time_one_counts(ledger: &dyn Ledger) {
    for second in 1..=20 {
        let pending = enrollment(second);
        submit(ledger, &pending).await;
        let before = events(ledger).await;
        let approve = ledger.advance(&pending, EnrollmentState::Approved, "", event(APPROVED));
        let deny = ledger.advance(&pending, EnrollmentState::Denied, "no", event(DENIED));
        let state = match both(approve, deny).await {
            [Ok(true), Ok(false)] => EnrollmentState::Approved,
            [Ok(false), Ok(true)] => EnrollmentState::Denied,
            other => panic!("{other:?}"),
        };
        assert_eq!((find(ledger, &pending).await.unwrap().state, events(ledger).await), (state, before + 1));
    }
}

async fn of_two_submissions_at_the_same_time_one_waits(ledger: &dyn Ledger) {
    for second in 1..=20 {
        let one = enrollment(second);
        let other = EnrollmentRecord { id: enrollment(second + 100).id, ..one.clone() };
        match both(submit(ledger, &one), submit(ledger, &other)).await {
            [Submitted::Created, Submitted::Exists(found)] => assert_eq!(*found, one),
            [Submitted::Exists(found), Submitted::Created] => assert_eq!(*found, other),
            unexpected => panic!("{unexpected:?}"),
        }
        assert_eq!(events(ledger).await, 1 + second);
    }
}

async fn lists_are_newest_first_and_by_state(ledger: &dyn Ledger) {
    let of = |state| EnrollmentQuery { state, limit: 100, cursor: None };
    assert_eq!(ledger.list_enrollments(of(None)).await.unwrap().items, []);
    let mut records = Vec::new();
    for (second, state) in (1..).zip(EnrollmentState::ALL) {
        submit(ledger, &enrollment(second)).await;
        let mut record = enrollment(second);
        match state {
            EnrollmentState::Pending => {}
            EnrollmentState::Issued => {
                advance(ledger, &record, EnrollmentState::Approved, NOW).await;
                let along = Along { proof: Some(record.proof.clone()), fulfils: Some(record.id.clone()), ..Along::default() };
                ledger.record(certificate(1), along, event(EventKind::CertificateIssued)).await.unwrap();
                record = find(ledger, &record).await.unwrap();
            }
            other => record = advance(ledger, &record, other, NOW).await,
        }
        records.insert(0, record);
    }
    assert_eq!(ledger.list_enrollments(of(None)).await.unwrap().items, records);
    for state in EnrollmentState::ALL {
        let expected: Vec<_> = records.iter().filter(|record| record.state == state).cloned().collect();
        let page = ledger.list_enrollments(of(Some(state))).await.unwrap();
        assert_eq!((page.items, page.next), (expected, None), "{state:?}");
    }
}

async fn pages_leave_nothing_out(ledger: &dyn Ledger) {
    let mut expected: Vec<EnrollmentRecord> = (1..=5).map(enrollment).collect();
    for enrollment in &expected {
        submit(ledger, enrollment).await;
    }
    expected.reverse();
    // One in the middle is not of the state that is listed: filters hold from page to page.
    advance(ledger, &expected.remove(2), EnrollmentState::Denied, NOW).await;
    for limit in 1..=5 {
        assert_eq!(walk(ledger, limit).await, expected, "limit {limit}");
    }
    let query = EnrollmentQuery { state: None, limit: 1, cursor: Some(Cursor("no cursor".into())) };
    assert_eq!(ledger.list_enrollments(query).await, Err(LedgerError::BadCursor));
}

/// All pages of this size of what is pending, one after the other.
async fn walk(ledger: &dyn Ledger, limit: usize) -> Vec<EnrollmentRecord> {
    let mut walked = Vec::new();
    let mut cursor = None;
    loop {
        let query = EnrollmentQuery { state: Some(EnrollmentState::Pending), limit, cursor };
        let page = ledger.list_enrollments(query).await.unwrap();
        assert!((1..=limit).contains(&page.items.len()), "limit {limit}: a page of {}", page.items.len());
        walked.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return walked,
        }
    }
}
