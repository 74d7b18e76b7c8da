//! Accounts, orders and authorizations.

use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{
    Account, AccountAdded, Along, AuthorizationRecord, AuthorizationState, CertificateRecorded, EnrollmentRecord, EventKind,
    Ledger, OrderAdded, OrderRecord, Proof, Protocol, Standing, Submitted, ValidationError,
};
use certgate_pki::{DnsName, GeneralName};

use super::records::{certificate, enrollment, event, event_at};
use super::{both, events};
use crate::NOW;

/// The id of [`account`].
const ACCOUNT: u64 = 0x7f00_0000_0000_0001;
/// How long orders are open.
const HOUR: Duration = Duration::from_secs(3600);

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    an_account_is_found_by_its_id_and_by_its_key(&*make().await).await;
    an_endpoint_has_one_account_of_a_key(&*make().await).await;
    an_order_is_found_with_its_authorizations(&*make().await).await;
    an_account_has_so_many_open_authorizations(&*make().await).await;
    an_authorization_moves_from_where_it_stands(&*make().await).await;
    what_is_being_validated_is_listed(&*make().await).await;
    an_account_is_a_proof_where_it_is_good(&*make().await).await;
}

fn account(id: u64, thumbprint: &str) -> Account {
    Account {
        id,
        endpoint: "lab".into(),
        thumbprint: thumbprint.into(),
        public_key: vec![0x30, 0],
        contact: vec!["mailto:a@example.com".into(), "mailto:\"ö\"@example.com".into()],
        created_at: NOW.after(Duration::from_millis(5)),
        is_valid: true,
    }
}

/// The order of that number, open for an hour, with these names to be authorized.
fn order(number: u64, names: &[GeneralName]) -> (OrderRecord, Vec<AuthorizationRecord>) {
    let order = OrderRecord {
        id: format!("{number:032x}"),
        endpoint: "lab".into(),
        account: ACCOUNT,
        created_at: NOW,
        expires_at: NOW.after(HOUR),
    };
    let authorization = |(place, name): (usize, &GeneralName)| AuthorizationRecord {
        id: format!("{number:016x}{place:016x}"),
        order: order.id.clone(),
        endpoint: "lab".into(),
        account: ACCOUNT,
        name: name.clone(),
        token: "AAAAAAAAAAAAAAAAAAAAAA".into(),
        expires_at: NOW.after(HOUR),
        state: AuthorizationState::Pending,
        changed_at: NOW,
        error: None,
    };
    let authorizations = names.iter().enumerate().map(authorization).collect();
    (order, authorizations)
}

fn names() -> Vec<GeneralName> {
    let dns = |name| GeneralName::Dns(DnsName::parse(name).unwrap());
    vec![dns("b.example"), dns("a.example"), GeneralName::Ip("2001:db8::1".parse().unwrap())]
}

async fn add(ledger: &dyn Ledger, (order, authorizations): (OrderRecord, Vec<AuthorizationRecord>), most: u64) -> OrderAdded {
    ledger.add_order(order, authorizations, most, event(EventKind::OrderAdded)).await.unwrap()
}

async fn add_account(ledger: &dyn Ledger, account: Account) -> AccountAdded {
    ledger.add_account(account, event(EventKind::AccountAdded)).await.unwrap()
}

async fn an_account_is_found_by_its_id_and_by_its_key(ledger: &dyn Ledger) {
    let (one, plain) = (account(ACCOUNT, "one"), Account { contact: Vec::new(), ..account(2, "two") });
    for account in [&one, &plain] {
        assert_eq!(ledger.find_account("lab", account.id).await, Ok(None));
        assert_eq!(add_account(ledger, account.clone()).await, AccountAdded::Added);
        assert_eq!(ledger.find_account("lab", account.id).await, Ok(Some(account.clone())));
        assert_eq!(ledger.find_account_by_key("lab", &account.thumbprint).await, Ok(Some(account.clone())));
        assert_eq!(ledger.find_account("other", account.id).await, Ok(None));
        assert_eq!(ledger.find_account_by_key("other", &account.thumbprint).await, Ok(None));
    }
    assert_eq!(ledger.find_account_by_key("lab", "three").await, Ok(None));
}

async fn an_endpoint_has_one_account_of_a_key(ledger: &dyn Ledger) {
    let first = account(ACCOUNT, "one");
    let [one, other] = both(
        ledger.add_account(first.clone(), event(EventKind::AccountAdded)),
        ledger.add_account(account(2, "one"), event(EventKind::AccountAdded)),
    )
    .await;
    let added = [one.unwrap(), other.unwrap()];
    assert_eq!(added.iter().filter(|added| **added == AccountAdded::Added).count(), 1);
    let before = events(ledger).await;
    let again = add_account(ledger, account(3, "one")).await;
    assert!(matches!(again, AccountAdded::Exists(found) if found.thumbprint == "one" && found.id != 3));
    assert_eq!(events(ledger).await, before);
    let elsewhere = Account { endpoint: "other".into(), ..account(4, "one") };
    assert_eq!(add_account(ledger, elsewhere).await, AccountAdded::Added);
}

async fn an_order_is_found_with_its_authorizations(ledger: &dyn Ledger) {
    let (order, authorizations) = order(1, &names());
    assert_eq!(ledger.find_order("lab", &order.id).await, Ok(None));
    assert_eq!(add(ledger, (order.clone(), authorizations.clone()), 9).await, OrderAdded::Added);
    assert_eq!(add(ledger, self::order(2, &names()[..1]), 9).await, OrderAdded::Added);
    assert_eq!(ledger.find_order("lab", &order.id).await, Ok(Some((order.clone(), authorizations.clone()))));
    assert_eq!(ledger.find_order("other", &order.id).await, Ok(None));
    for authorization in authorizations {
        assert_eq!(ledger.find_authorization("other", &authorization.id).await, Ok(None));
        assert_eq!(ledger.find_authorization("lab", &authorization.id).await, Ok(Some(authorization)));
    }
}

async fn an_account_has_so_many_open_authorizations(ledger: &dyn Ledger) {
    assert_eq!(add(ledger, order(1, &names()), 4).await, OrderAdded::Added);
    let (second, authorizations) = order(2, &names()[..1]);
    let [only] = &authorizations[..] else { panic!("one name") };
    assert_eq!(add(ledger, (second, authorizations.clone()), 4).await, OrderAdded::Added);
    let before = events(ledger).await;
    assert_eq!(add(ledger, order(3, &names()[..1]), 4).await, OrderAdded::TooMany);
    assert_eq!((events(ledger).await, ledger.find_order("lab", &order(3, &[]).0.id).await), (before, Ok(None)));
    // One that is decided is not open any more.
    let valid = event(EventKind::AuthorizationValid);
    assert_eq!(ledger.advance_authorization(only, AuthorizationState::Valid, None, valid).await, Ok(true));
    assert_eq!(add(ledger, order(3, &names()[..2]), 4).await, OrderAdded::TooMany, "two are more than one");
    assert_eq!(add(ledger, order(3, &names()[..1]), 4).await, OrderAdded::Added);
    // Neither is one whose time is over.
    let (fourth, authorizations) = order(4, &names());
    let later = event_at(EventKind::OrderAdded, NOW.after(HOUR));
    assert_eq!(ledger.add_order(fourth, authorizations, 3, later).await, Ok(OrderAdded::Added));
}

async fn an_authorization_moves_from_where_it_stands(ledger: &dyn Ledger) {
    let (order, authorizations) = order(1, &names());
    let first = authorizations[0].clone();
    assert_eq!(add(ledger, (order.clone(), authorizations), 9).await, OrderAdded::Added);
    let at = NOW.after(Duration::from_secs(7));
    let begin = || {
        ledger.advance_authorization(&first, AuthorizationState::Processing, None, event_at(EventKind::AuthorizationBegun, at))
    };
    let mut begun = both(begin(), begin()).await.map(Result::unwrap);
    begun.sort_unstable();
    assert_eq!(begun, [false, true], "of two at the same moment one begins it");
    let processing = AuthorizationRecord { state: AuthorizationState::Processing, changed_at: at, ..first.clone() };
    assert_eq!(ledger.find_authorization("lab", &first.id).await, Ok(Some(processing.clone())));
    let error = Some(ValidationError { kind: "connection".into(), detail: "nobody at \"home\"".into() });
    let before = events(ledger).await;
    let ended = ledger.advance_authorization(
        &processing,
        AuthorizationState::Invalid,
        error.clone(),
        event(EventKind::AuthorizationInvalid),
    );
    assert_eq!(ended.await, Ok(true));
    assert_eq!(events(ledger).await, before + 1);
    let invalid = AuthorizationRecord { state: AuthorizationState::Invalid, changed_at: NOW, error, ..processing.clone() };
    assert_eq!(ledger.find_order("lab", &order.id).await.unwrap().unwrap().1[0], invalid);
    let again =
        ledger.advance_authorization(&processing, AuthorizationState::Valid, None, event(EventKind::AuthorizationValid));
    assert_eq!((again.await, events(ledger).await), (Ok(false), before + 1));
}

async fn what_is_being_validated_is_listed(ledger: &dyn Ledger) {
    let (order, authorizations) = order(1, &names());
    assert_eq!(add(ledger, (order, authorizations.clone()), 9).await, OrderAdded::Added);
    assert_eq!(ledger.processing_authorizations("lab", 9).await, Ok(Vec::new()));
    for authorization in &authorizations[..2] {
        let begun = event(EventKind::AuthorizationBegun);
        assert_eq!(ledger.advance_authorization(authorization, AuthorizationState::Processing, None, begun).await, Ok(true));
    }
    let listed = ledger.processing_authorizations("lab", 9).await.unwrap();
    assert_eq!(listed.iter().map(|one| &one.id).collect::<Vec<_>>(), [&authorizations[0].id, &authorizations[1].id]);
    assert_eq!(ledger.processing_authorizations("lab", 1).await.unwrap().len(), 1);
    assert_eq!(ledger.processing_authorizations("other", 9).await, Ok(Vec::new()));
}

async fn an_account_is_a_proof_where_it_is_good(ledger: &dyn Ledger) {
    assert_eq!(add_account(ledger, account(ACCOUNT, "one")).await, AccountAdded::Added);
    assert_eq!(add_account(ledger, Account { is_valid: false, ..account(2, "two") }).await, AccountAdded::Added);
    for (id, endpoint, is_good) in [(ACCOUNT, "lab", true), (ACCOUNT, "other", false), (2, "lab", false), (3, "lab", false)] {
        let mut asked = EnrollmentRecord { proof: Proof::Account(id), ..enrollment(id & 7) };
        asked.key.protocol = Protocol::Acme;
        asked.key.endpoint = endpoint.into();
        asked.key.transaction = Some(format!("order {id} at {endpoint}"));
        asked.id = enrollment(id & 7 | u64::from(endpoint == "other") << 4).id;
        let expected = if is_good { Standing::Good } else { Standing::Ended };
        assert_eq!(ledger.standing(&asked, "default").await, Ok(expected), "{id} {endpoint}");
        let submitted = ledger.submit(asked.clone().into(), 99, event(EventKind::EnrollmentSubmitted)).await.unwrap();
        assert_eq!(submitted == Submitted::Created, is_good);
        if is_good {
            assert_eq!(ledger.find_by_id(&asked.id).await, Ok(Some(asked.clone())));
        }
        let along = Along { proof: Some(Proof::Account(id)), ..Along::default() };
        let mut issued = certificate(id & 7 | u64::from(endpoint == "other") << 4);
        issued.endpoint = endpoint.into();
        let recorded = ledger.record(issued, along, event(EventKind::CertificateIssued)).await.unwrap();
        assert_eq!(recorded == CertificateRecorded::Recorded, is_good);
    }
}
