//! From an order to a certificate: an order needs an authorization of each of its names, and becomes an enrollment when it is finalized.

use std::sync::Arc;
use std::time::Duration;

use base64ct::Encoding as _;
use certgate_pki::{CryptoError, Csr, GeneralName, NameAttributeType, Provider, Serial, Timestamp};
use certgate_policy::{NamePattern, Profile};

use crate::authority::Authority;
use crate::authorized::{Outcome, Recorded};
use crate::core_parts::Clock;
use crate::error::EnrollError;
use crate::ports::LedgerError;
use crate::ports::accounts::Account;
use crate::ports::audit::{Event, EventKind};
use crate::ports::enrollments::{EnrollmentRecord, EnrollmentState, Enrollments};
use crate::ports::orders::{AuthorizationRecord, AuthorizationState, OrderAdded, OrderRecord, Orders, ValidationError};
use crate::request::{EnrollRequest, Principal, Proof, Protocol};

/// For how long an order and its authorizations are open.
const LIFETIME: Duration = Duration::from_secs(7 * 86_400);
/// How many authorizations of one account may be open at the same time.
const MOST_OPEN: u64 = 1000;
/// Octets of a token (RFC 8555 §8.3 has 128 bits at the least).
const TOKEN_OCTETS: usize = 16;

/// Where an order stands (RFC 8555 §7.1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Authorizations are missing.
    Pending,
    /// It may be finalized.
    Ready,
    /// It was finalized and waits, for so long.
    Processing(Duration),
    /// There is a certificate.
    Valid(Serial),
    /// There will be none; why, for people.
    Invalid(String),
}

impl From<&Outcome> for OrderState {
    fn from(finalized: &Outcome) -> Self {
        match finalized {
            Outcome::Issued(issued) | Outcome::Served(issued) => Self::Valid(issued.serial.clone()),
            Outcome::Pending(pending) => Self::Processing(pending.waited),
        }
    }
}

/// An order, its authorizations, and where that leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The order.
    pub record: OrderRecord,
    /// The authorizations that it needs.
    pub authorizations: Vec<AuthorizationRecord>,
    /// Where it stands.
    pub state: OrderState,
}

impl Order {
    /// Is this common name a host name of the order? Letter case says nothing in those (RFC 4343 §2). Addresses are not for common names.
    #[must_use]
    pub fn has_name(&self, common_name: &str) -> bool {
        self.authorizations.iter().any(|one| match &one.name {
            GeneralName::Dns(name) => name.as_str().eq_ignore_ascii_case(common_name),
            GeneralName::Ip(_) | GeneralName::Email(_) | GeneralName::Uri(_) | GeneralName::Other(_) => false,
        })
    }
}

/// An order was not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// The account has too many authorizations open.
    #[error("the account has too many open authorizations")]
    TooMany,
    /// It could not be recorded.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No randomness.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// What orders need. Who signs, and by which profile, comes when one is finalized.
#[derive(Clone)]
pub struct OrderFlow {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub provider: Provider,
    /// Where orders are kept.
    pub orders: Arc<dyn Orders>,
    /// Where finalized ones are.
    pub enrollments: Arc<dyn Enrollments>,
}

impl OrderFlow {
    /// Opens an order of these names, each of which is to be authorized.
    ///
    /// # Errors
    /// [`OrderError`].
    pub async fn open(&self, account: &Account, names: Vec<GeneralName>) -> Result<Order, OrderError> {
        let now = self.clock.now();
        let expires_at = now.after(LIFETIME).floor_to_second();
        let id = self.new_id(now)?;
        let endpoint = account.endpoint.clone();
        let mut authorizations = Vec::with_capacity(names.len());
        for name in names {
            authorizations.push(AuthorizationRecord {
                id: self.new_id(now)?,
                order: id.clone(),
                endpoint: endpoint.clone(),
                account: account.id,
                name,
                token: self.new_token()?,
                expires_at,
                state: AuthorizationState::Pending,
                changed_at: now,
                error: None,
            });
        }
        let record = OrderRecord { id, endpoint, account: account.id, created_at: now, expires_at };
        let details = vec![("order", record.id.clone()), ("endpoint", record.endpoint.clone())];
        let event = Event { at: now, kind: EventKind::OrderAdded, actor: account.principal(), details };
        match self.orders.add_order(record.clone(), authorizations.clone(), MOST_OPEN, event).await? {
            OrderAdded::Added => Ok(Order { record, authorizations, state: OrderState::Pending }),
            OrderAdded::TooMany => Err(OrderError::TooMany),
        }
    }

    /// An order of an account; `None` when there is none of this name, or it is another's.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn order(&self, account: &Account, id: &str) -> Result<Option<Order>, LedgerError> {
        let Some((record, authorizations)) = self.orders.find_order(&account.endpoint, id).await? else { return Ok(None) };
        if record.account != account.id {
            return Ok(None);
        }
        let enrollment = self.enrollments.find_by_transaction(Protocol::Acme, &record.endpoint, &record.id).await?;
        let state = state_of(&record, &authorizations, enrollment.as_ref(), self.clock.now());
        Ok(Some(Order { record, authorizations, state }))
    }

    /// The certificate that an order of an account has become; `None` when there is none, or it is another's.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn certificate(&self, account: &Account, order: &str) -> Result<Option<Serial>, LedgerError> {
        let found = self.enrollments.find_by_transaction(Protocol::Acme, &account.endpoint, order).await?;
        let own = found.filter(|found| found.proof == Proof::Account(account.id) && found.state == EnrollmentState::Issued);
        Ok(own.and_then(|own| own.serial))
    }

    /// An authorization of an account; `None` when there is none of this name, or it is another's.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn authorization(&self, account: &Account, id: &str) -> Result<Option<AuthorizationRecord>, LedgerError> {
        let found = self.orders.find_authorization(&account.endpoint, id).await?;
        Ok(found.filter(|found| found.account == account.id))
    }

    /// The requester is ready for its challenge to be validated. Says what stands now, and whether its validation is to begin: of two who
    /// say so at the same moment one begins it.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn begin_validation(
        &self,
        account: &Account,
        authorization: AuthorizationRecord,
    ) -> Result<(AuthorizationRecord, bool), LedgerError> {
        let now = self.clock.now();
        if authorization.state != AuthorizationState::Pending || authorization.expires_at <= now {
            return Ok((authorization, false));
        }
        let next = AuthorizationState::Processing;
        let event = event_about(&authorization, EventKind::AuthorizationBegun, now, account.principal());
        let is_begun = self.orders.advance_authorization(&authorization, next, None, event).await?;
        Ok((AuthorizationRecord { state: next, changed_at: now, ..authorization }, is_begun))
    }

    /// What came of a validation, whether or not it was said before that it has begun.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn end_validation(
        &self,
        account: &Account,
        authorization: &AuthorizationRecord,
        outcome: Result<(), ValidationError>,
    ) -> Result<(), LedgerError> {
        let (next, kind) = match &outcome {
            Ok(()) => (AuthorizationState::Valid, EventKind::AuthorizationValid),
            Err(_) => (AuthorizationState::Invalid, EventKind::AuthorizationInvalid),
        };
        let now = self.clock.now();
        let mut event = event_about(authorization, kind, now, crate::INTERNAL_PRINCIPAL.to_owned());
        event.details.push(("account", account.principal()));
        event.details.extend(outcome.as_ref().err().map(|error| ("reason", error.kind.clone())));
        // Somebody else's validation has ended first: that one counts.
        self.orders.advance_authorization(authorization, next, outcome.err(), event).await?;
        Ok(())
    }

    /// Authorizations of an endpoint whose validation was cut short.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn cut_short(&self, endpoint: &str, most: usize) -> Result<Vec<AuthorizationRecord>, LedgerError> {
        self.orders.processing_authorizations(endpoint, most).await
    }

    /// Makes an order an enrollment: one, whatever comes at the same moment.
    ///
    /// # Errors
    /// [`EnrollError::NotAwaited`] when the order is not ready; else as [`Authority::enroll`], and the order stays as it was.
    pub async fn finalize(
        &self,
        (authority, profile): (&Authority, &Profile),
        account: &Account,
        order: &Order,
        csr: Csr,
    ) -> Result<Recorded<Outcome>, EnrollError> {
        if order.state != OrderState::Ready {
            return Err(EnrollError::NotAwaited);
        }
        let names = order.authorizations.iter().map(|authorization| &authorization.name);
        let principal = Principal {
            name: account.principal(),
            grants: names.flat_map(NamePattern::of_name).chain(common_names(&csr, order)).collect(),
            proof: Proof::Account(account.id),
            ends_at: Some(order.record.expires_at),
        };
        let (protocol, endpoint) = (Protocol::Acme, account.endpoint.clone());
        let transaction = Some(order.record.id.clone());
        authority.enroll(profile, EnrollRequest { protocol, endpoint, principal, csr, renews: None, transaction }).await
    }

    fn new_id(&self, now: Timestamp) -> Result<String, CryptoError> {
        let mut random = [0; 10];
        self.provider.random.fill(&mut random)?;
        Ok(crate::EnrollmentId::new(now, random).to_string())
    }

    fn new_token(&self) -> Result<String, CryptoError> {
        let mut random = [0; TOKEN_OCTETS];
        self.provider.random.fill(&mut random)?;
        Ok(base64ct::Base64UrlUnpadded::encode_string(&random))
    }
}

/// Where an order stands (RFC 8555 §7.1.6).
#[must_use]
pub fn state_of(
    order: &OrderRecord,
    authorizations: &[AuthorizationRecord],
    enrollment: Option<&EnrollmentRecord>,
    now: Timestamp,
) -> OrderState {
    if let Some(enrollment) = enrollment {
        let waited = Duration::from_millis(now.millis().saturating_sub(enrollment.created_at.millis()));
        return match (enrollment.state, &enrollment.serial) {
            (EnrollmentState::Issued, Some(serial)) => OrderState::Valid(serial.clone()),
            (EnrollmentState::Pending | EnrollmentState::Approved | EnrollmentState::Issued, _) => {
                OrderState::Processing(waited)
            }
            (EnrollmentState::Denied | EnrollmentState::Failed, _) => OrderState::Invalid(enrollment.reason.clone()),
        };
    }
    let is_in = |state| move |authorization: &AuthorizationRecord| authorization.state == state;
    if let Some(failed) = authorizations.iter().find(|one| is_in(AuthorizationState::Invalid)(one)) {
        let detail = failed.error.as_ref().map_or("", |error| error.detail.as_str());
        return OrderState::Invalid(format!("an authorization is invalid: {detail}"));
    }
    if order.expires_at <= now {
        return OrderState::Invalid("the order has expired".to_owned());
    }
    if authorizations.iter().all(is_in(AuthorizationState::Valid)) { OrderState::Ready } else { OrderState::Pending }
}

/// Common names of a CSR that are names of the order, in whatever letters.
fn common_names(csr: &Csr, order: &Order) -> Vec<NamePattern> {
    let attributes = csr.subject().attributes().iter().filter(|attribute| attribute.kind == NameAttributeType::CommonName);
    let ordered = attributes.filter(|attribute| order.has_name(&attribute.value));
    ordered.map(|attribute| NamePattern::CommonName(attribute.value.clone())).collect()
}

fn event_about(authorization: &AuthorizationRecord, kind: EventKind, at: Timestamp, actor: String) -> Event {
    let details = vec![
        ("authorization", authorization.id.clone()),
        ("order", authorization.order.clone()),
        ("name", authorization.name.to_string()),
    ];
    Event { at, kind, actor, details }
}
