//! From an order to one certificate.

use std::time::Duration;

use certgate_enrollment::{
    Account, Accounts, AuthorizationRecord, AuthorizationState, EnrollError, EnrollmentQuery, Enrollments, EventKind, Order,
    OrderFlow, OrderState, Outcome, Protocol, Recorded, ValidationError,
};
use certgate_pki::{Csr, DnsName, GeneralName};
use certgate_policy::Profile;
use certgate_testkit::{CaFixture, CsrBuilder, NOW, device_key, profile};

use crate::fixture::{event, issued, manual, record_of, waiting};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// An account at a CA.
struct Case {
    ca: CaFixture,
    flow: OrderFlow,
    account: Account,
}

impl Case {
    async fn new() -> Self {
        let ca = CaFixture::founded().await;
        let flow = OrderFlow {
            clock: ca.clock.clone(),
            provider: ca.core.provider.clone(),
            orders: ca.ledger.clone(),
            enrollments: ca.ledger.clone(),
        };
        let account = Account {
            id: 9,
            endpoint: "default".into(),
            thumbprint: "t".into(),
            public_key: Vec::new(),
            contact: Vec::new(),
            created_at: NOW,
            is_valid: true,
        };
        ca.ledger.add_account(account.clone(), event(EventKind::AccountAdded)).await.unwrap();
        Self { ca, flow, account }
    }

    async fn open(&self, names: &[&str]) -> Order {
        let names = names.iter().map(|name| GeneralName::Dns(DnsName::parse(name).unwrap())).collect();
        self.flow.open(&self.account, names).await.unwrap()
    }

    /// The order as it stands now.
    async fn again(&self, order: &Order) -> Order {
        self.flow.order(&self.account, &order.record.id).await.unwrap().unwrap()
    }

    /// Has an authorization validated, with this outcome.
    async fn validate(&self, authorization: &AuthorizationRecord, outcome: Result<(), ValidationError>) {
        let (begun, is_begun) = self.flow.begin_validation(&self.account, authorization.clone()).await.unwrap();
        assert!(is_begun && begun.state == AuthorizationState::Processing);
        self.flow.end_validation(&self.account, &begun, outcome).await.unwrap();
    }

    /// An order of these names, ready to be finalized.
    async fn ready(&self, names: &[&str]) -> Order {
        let order = self.open(names).await;
        for authorization in &order.authorizations {
            assert_eq!(self.again(&order).await.state, OrderState::Pending);
            self.validate(authorization, Ok(())).await;
        }
        self.again(&order).await
    }

    async fn finalize(&self, profile: &Profile, order: &Order, csr: Csr) -> Result<Recorded<Outcome>, EnrollError> {
        self.flow.finalize((&self.ca.authority, profile), &self.account, order, csr).await
    }
}

fn csr(names: &[&str]) -> Csr {
    names.iter().fold(CsrBuilder::new(&device_key()), |builder, name| builder.dns(name)).csr()
}

fn refused() -> Result<(), ValidationError> {
    Err(ValidationError { kind: "connection".into(), detail: "refused".into() })
}

#[tokio::test]
async fn an_order_with_all_its_authorizations_is_one_certificate() {
    let case = Case::new().await;
    let order = case.ready(&["b.example", "a.example"]).await;
    assert_eq!(order.state, OrderState::Ready);
    let first = issued(case.finalize(&profile(), &order, csr(&["a.example", "b.example"])).await);
    let record = record_of(&case.ca, &first.serial).await;
    assert_eq!((record.protocol, record.principal.as_str()), (Protocol::Acme, "acme-0000000000000009"));
    assert_eq!(case.again(&order).await.state, OrderState::Valid(first.serial.clone()));
    // Whoever comes second, with the order as it stood before: the same request is the same certificate, another one is none.
    assert_eq!(issued(case.finalize(&profile(), &order, csr(&["a.example", "b.example"])).await), first);
    let other = CsrBuilder::new(&device_key()).dns("a.example").csr();
    assert_eq!(case.finalize(&profile(), &order, other).await.err(), Some(EnrollError::NotAwaited));
    let stands = case.again(&order).await;
    assert_eq!(case.finalize(&profile(), &stands, csr(&["a.example"])).await.err(), Some(EnrollError::NotAwaited));
    assert_eq!(case.ca.ledger.certificates().len(), 2, "the root, and one");
}

#[tokio::test]
async fn two_at_the_same_moment_are_one_certificate() {
    let case = Case::new().await;
    let order = case.ready(&["a.example"]).await;
    let with_name = CsrBuilder::new(&device_key()).common_name("a.example").dns("a.example").csr();
    let (profile, plain) = (profile(), csr(&["a.example"]));
    let (one, other) = tokio::join!(case.finalize(&profile, &order, plain), case.finalize(&profile, &order, with_name));
    assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|is_ok| **is_ok).count(), 1);
    assert_eq!(case.ca.ledger.certificates().len(), 2);
}

#[tokio::test]
async fn what_is_not_authorized_is_not_issued() {
    let case = Case::new().await;
    let pending = case.open(&["a.example"]).await;
    assert_eq!(case.finalize(&profile(), &pending, csr(&["a.example"])).await.err(), Some(EnrollError::NotAwaited));
    let ready = case.ready(&["a.example"]).await;
    for names in [&["b.example"][..], &["a.example", "b.example"]] {
        let outcome = case.finalize(&profile(), &ready, csr(names)).await;
        assert!(matches!(outcome, Err(EnrollError::Refused(_))), "{names:?}");
        assert_eq!(case.again(&ready).await.state, OrderState::Ready, "it stays as it was");
    }
    issued(case.finalize(&profile(), &ready, csr(&["a.example"])).await);
}

#[tokio::test]
async fn one_authorization_that_fails_ends_the_order() {
    let case = Case::new().await;
    let order = case.open(&["a.example", "b.example"]).await;
    case.validate(&order.authorizations[0], Ok(())).await;
    // At once: nobody was told that it has begun.
    case.flow.end_validation(&case.account, &order.authorizations[1], refused()).await.unwrap();
    let stands = case.again(&order).await;
    assert_eq!(stands.state, OrderState::Invalid("an authorization is invalid: refused".into()));
    assert_eq!(stands.authorizations[1].error.as_ref().unwrap().kind, "connection");
    assert_eq!(case.finalize(&profile(), &stands, csr(&["a.example", "b.example"])).await.err(), Some(EnrollError::NotAwaited));
}

#[tokio::test]
async fn a_validation_is_begun_once_and_taken_up_again_when_it_was_cut_short() {
    let case = Case::new().await;
    let order = case.open(&["a.example"]).await;
    let authorization = order.authorizations[0].clone();
    let (begun, is_begun) = case.flow.begin_validation(&case.account, authorization.clone()).await.unwrap();
    assert!(is_begun);
    assert!(!case.flow.begin_validation(&case.account, authorization).await.unwrap().1, "as it stood before");
    assert!(!case.flow.begin_validation(&case.account, begun.clone()).await.unwrap().1);
    let cut_short = case.flow.cut_short("default", 9).await.unwrap();
    assert_eq!(cut_short, std::slice::from_ref(&begun));
    case.flow.end_validation(&case.account, &cut_short[0], Ok(())).await.unwrap();
    // The first one ends too, and says something else: too late.
    case.flow.end_validation(&case.account, &begun, refused()).await.unwrap();
    assert_eq!(case.again(&order).await.state, OrderState::Ready);
}

#[tokio::test]
async fn orders_end_and_are_nobody_elses() {
    let case = Case::new().await;
    let order = case.ready(&["a.example"]).await;
    let pending = case.open(&["b.example"]).await;
    let stranger = Account { id: 10, ..case.account.clone() };
    assert_eq!(case.flow.order(&stranger, &order.record.id).await, Ok(None));
    assert_eq!(case.flow.authorization(&stranger, &order.authorizations[0].id).await, Ok(None));
    case.ca.clock.advance(WEEK);
    let stands = case.again(&order).await;
    assert_eq!(stands.state, OrderState::Invalid("the order has expired".into()));
    assert!(!case.flow.begin_validation(&case.account, pending.authorizations[0].clone()).await.unwrap().1);
    // As it stood before: the core looks at its time too.
    assert_eq!(case.finalize(&profile(), &order, csr(&["a.example"])).await.err(), Some(EnrollError::CredentialExpired));
}

#[tokio::test]
async fn what_waits_for_a_person_is_processing() {
    let case = Case::new().await;
    let order = case.ready(&["a.example"]).await;
    let waits = waiting(case.finalize(&manual(), &order, csr(&["a.example"])).await);
    case.ca.clock.advance(Duration::from_secs(60));
    assert_eq!(case.again(&order).await.state, OrderState::Processing(Duration::from_secs(60)));
    let all = EnrollmentQuery { state: None, limit: 9, cursor: None };
    let [record] = &case.ca.ledger.list_enrollments(all).await.unwrap().items[..] else { panic!("one") };
    assert_eq!(record.id, waits.id);
    let approved = case.ca.authority.approve(&manual(), record.clone(), "operator").await.unwrap();
    assert_eq!(case.again(&order).await.state, OrderState::Valid(approved.serial.clone()));

    let order = case.ready(&["b.example"]).await;
    waiting(case.finalize(&manual(), &order, csr(&["b.example"])).await);
    let found = case.ca.ledger.find_by_transaction(Protocol::Acme, "default", &order.record.id).await.unwrap().unwrap();
    case.ca.authority.deny(&found, "not ours", "operator").await.unwrap();
    assert_eq!(case.again(&order).await.state, OrderState::Invalid("not ours".into()));
}

#[tokio::test]
async fn an_account_that_ended_gets_nothing_more() {
    let case = Case::new().await;
    let order = case.ready(&["a.example"]).await;
    let ended = Account { id: 11, is_valid: false, thumbprint: "u".into(), ..case.account.clone() };
    case.ca.ledger.add_account(ended.clone(), event(EventKind::AccountAdded)).await.unwrap();
    let outcome = case.flow.finalize((&case.ca.authority, &profile()), &ended, &order, csr(&["a.example"])).await;
    assert_eq!(outcome.err(), Some(EnrollError::ProofEnded));
}
