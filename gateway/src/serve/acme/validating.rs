//! Validations that are under way: tasks that go on whether a client waits for them or not.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use certgate_acme::{ErrorType, Thumbprint, Token};
use certgate_enrollment::{
    Account, Accounts, AuthorizationRecord, AuthorizationState, LedgerError, OrderFlow, ValidationError,
};
use certgate_pki::GeneralName;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::places::{NoPlace, Place, Places};
use crate::validate::{ValidationFailure, Validator};

/// For how long nobody is told that a validation is under way: one that ends before that is recorded once, by its outcome. Shorter than
/// its client is kept waiting.
const AT_ONCE: Duration = Duration::from_millis(250);
/// How long to wait with what could not be recorded, or could not be tried now.
const PAUSE: Duration = Duration::from_secs(2);
/// How many validations that were cut short are begun again after a start; more than were ever under way.
const MOST_RESUMED: usize = 10_000;
/// How many of them are under way at one time: who asks now is not kept waiting.
const RESUMED_AT_ONCE: usize = 16;

/// Who finds out whether a name is controlled by whoever says so.
#[async_trait]
pub trait ValidatesHttp01: Send + Sync {
    /// RFC 8555 §8.3.
    ///
    /// # Errors
    /// [`NotValidated`].
    async fn http01(&self, name: &GeneralName, token: &str, key_authorization: &str) -> Result<(), NotValidated>;
}

/// Why a name is not validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotValidated {
    /// Its requester can do something about it.
    Failed(ValidationError),
    /// It could not be tried now.
    NotNow,
}

#[async_trait]
impl ValidatesHttp01 for Validator {
    async fn http01(&self, name: &GeneralName, token: &str, key_authorization: &str) -> Result<(), NotValidated> {
        let Err(failure) = Self::http01(self, name, token, key_authorization).await else { return Ok(()) };
        let kind = match &failure {
            ValidationFailure::Dns(_) => ErrorType::Dns,
            ValidationFailure::Connection(_) => ErrorType::Connection,
            ValidationFailure::IncorrectResponse(_) => ErrorType::IncorrectResponse,
            ValidationFailure::Tls(_) => ErrorType::Tls,
            ValidationFailure::Unsuitable(_) => ErrorType::RejectedIdentifier,
            ValidationFailure::Busy(_) => return Err(NotValidated::NotNow),
        };
        Err(NotValidated::Failed(ValidationError { kind: kind.token().to_owned(), detail: failure.detail().to_string() }))
    }
}

/// Validations under way, and places for more. Requesters are strangers, so none of them gets all places: neither an account nor the network
/// that it asks from, since accounts cost nothing.
#[derive(Clone)]
pub struct ValidationTasks {
    validator: Arc<dyn ValidatesHttp01>,
    places: Arc<Places>,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

impl ValidationTasks {
    /// For at most so many validations, waiting ones included, and so many of one requester, as tasks that end when `stopping` says so.
    #[must_use]
    pub fn new(
        validator: Arc<dyn ValidatesHttp01>,
        (most, most_of_one): (usize, usize),
        (tasks, stopping): (TaskTracker, CancellationToken),
    ) -> Self {
        Self { validator, places: Arc::new(Places::new(most, most_of_one)), tasks, stopping }
    }

    /// A place for a validation that somebody asks for from this address.
    pub(super) fn place(&self, authorization: &AuthorizationRecord, from: IpAddr) -> Result<Place, NoPlace> {
        self.places.take(authorization, Some(from))
    }

    /// Validates in a task that goes on whether it is awaited or not: what was begun is ended too, however soon its client hangs up.
    pub(super) fn begin(
        &self,
        place: Place,
        orders: &OrderFlow,
        endpoint: String,
        (account, authorization): (Account, AuthorizationRecord),
    ) -> JoinHandle<Result<(), LedgerError>> {
        let (validator, stopping) = (Arc::clone(&self.validator), self.stopping.clone());
        let validation = Validation { endpoint, orders: orders.clone(), validator, account, authorization };
        self.tasks.spawn(async move {
            let ended = validation.run(&stopping).await;
            drop(place);
            ended
        })
    }

    /// Begins again, a few at a time, what was cut short when certgate was stopped or killed.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn resume(&self, orders: &OrderFlow, accounts: &Arc<dyn Accounts>, endpoint: &str) -> Result<usize, LedgerError> {
        let mut cut_short = in_turn(orders.cut_short(endpoint, MOST_RESUMED).await?);
        let now = orders.clock.now();
        cut_short.retain(|authorization| authorization.expires_at > now);
        let found = cut_short.len();
        let (this, orders, accounts, endpoint) = (self.clone(), orders.clone(), Arc::clone(accounts), endpoint.to_owned());
        let stopping = self.stopping.clone();
        self.tasks.spawn(async move {
            let working = this.work_off(cut_short, &orders, &*accounts, &endpoint);
            let _ = stopping.run_until_cancelled(working).await;
        });
        Ok(found)
    }

    async fn work_off(&self, cut_short: Vec<AuthorizationRecord>, orders: &OrderFlow, accounts: &dyn Accounts, endpoint: &str) {
        let turns = Arc::new(Semaphore::new(RESUMED_AT_ONCE));
        for authorization in cut_short {
            let Ok(turn) = Arc::clone(&turns).acquire_owned().await else { return };
            let account = match accounts.find_account(endpoint, authorization.account).await {
                Ok(Some(account)) => account,
                Ok(None) => continue,
                Err(error) => {
                    tracing::error!(endpoint, authorization = authorization.id, %error, "a validation could not be resumed");
                    continue;
                }
            };
            // Somebody has asked for it again meanwhile, or there is no room: then its client has to ask again.
            let Ok(place) = self.places.take(&authorization, None) else { continue };
            let validation = self.begin(place, orders, endpoint.to_owned(), (account, authorization));
            self.tasks.spawn(async move {
                let _ = validation.await;
                drop(turn);
            });
        }
    }
}

/// Each account's first ones before any account's second ones.
fn in_turn(authorizations: Vec<AuthorizationRecord>) -> Vec<AuthorizationRecord> {
    let mut seen: HashMap<u64, usize> = HashMap::new();
    let mut ranked: Vec<(usize, AuthorizationRecord)> = Vec::with_capacity(authorizations.len());
    for authorization in authorizations {
        let rank = seen.entry(authorization.account).or_default();
        ranked.push((*rank, authorization));
        *rank += 1;
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, authorization)| authorization).collect()
}

/// One validation.
struct Validation {
    endpoint: String,
    orders: OrderFlow,
    validator: Arc<dyn ValidatesHttp01>,
    account: Account,
    authorization: AuthorizationRecord,
}

impl Validation {
    async fn run(&self, stopping: &CancellationToken) -> Result<(), LedgerError> {
        let mut outcome = pin!(self.outcome());
        // Of one that was taken up again, its client was told that it is under way.
        if self.authorization.state == AuthorizationState::Pending {
            let at_once = tokio::select! {
                biased;
                outcome = &mut outcome => Some(outcome),
                () = stopping.cancelled() => None,
                () = tokio::time::sleep(AT_ONCE) => None,
            };
            if let Some(outcome) = at_once {
                self.log(&outcome);
                return self.orders.end_validation(&self.account, &self.authorization, outcome).await;
            }
        }
        let Some(begun) = self.begun().await? else { return Ok(()) };
        let end = async {
            let outcome = outcome.await;
            self.log(&outcome);
            while let Err(error) = self.orders.end_validation(&self.account, &begun, outcome.clone()).await {
                let (endpoint, order, authorization) = (&self.endpoint, &begun.order, &begun.id);
                tracing::error!(endpoint, order, authorization, %error, "a validation could not be recorded; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        };
        // What is cut short here is begun again at the next start.
        let _ = stopping.run_until_cancelled(end).await;
        Ok(())
    }

    /// It is under way, and goes on after a restart; `None` if somebody else has decided meanwhile.
    async fn begun(&self) -> Result<Option<AuthorizationRecord>, LedgerError> {
        let authorization = self.authorization.clone();
        if authorization.state != AuthorizationState::Pending {
            return Ok(Some(authorization));
        }
        let (begun, is_begun) = self.orders.begin_validation(&self.account, authorization).await?;
        Ok(is_begun.then_some(begun))
    }

    fn log(&self, outcome: &Result<(), ValidationError>) {
        let (endpoint, name) = (self.endpoint.as_str(), self.authorization.name.to_string());
        let (order, authorization) = (&self.authorization.order, &self.authorization.id);
        match outcome {
            Ok(()) => tracing::info!(endpoint, order, authorization, name, "name validated"),
            Err(error) => {
                let (kind, reason) = (&error.kind, &error.detail);
                tracing::info!(endpoint, order, authorization, name, kind, reason, "name not validated");
            }
        }
    }

    async fn outcome(&self) -> Result<(), ValidationError> {
        let AuthorizationRecord { name, token, .. } = &self.authorization;
        let parsed = Token::parse(token).zip(Thumbprint::parse(&self.account.thumbprint));
        let Some((parsed, thumbprint)) = parsed else {
            let detail = "the challenge is damaged".to_owned();
            return Err(ValidationError { kind: ErrorType::ServerInternal.token().to_owned(), detail });
        };
        let key_authorization = parsed.key_authorization(&thumbprint);
        loop {
            match self.validator.http01(name, token, &key_authorization).await {
                Ok(()) => return Ok(()),
                Err(NotValidated::Failed(error)) => return Err(error),
                Err(NotValidated::NotNow) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use certgate_enrollment::Orders;
    use certgate_pki::DnsName;
    use certgate_testkit::{CaFixture, NOW};

    use super::*;

    /// Finds out about `good.example` at once, and about no other name ever.
    struct Slow;

    #[async_trait]
    impl ValidatesHttp01 for Slow {
        async fn http01(&self, name: &GeneralName, _: &str, _: &str) -> Result<(), NotValidated> {
            if name.to_string() == "dns:good.example" { Ok(()) } else { std::future::pending().await }
        }
    }

    struct Case {
        ca: CaFixture,
        flow: OrderFlow,
        account: Account,
        validation: ValidationTasks,
        stopping: CancellationToken,
    }

    impl Case {
        async fn new() -> Self {
            let ca = CaFixture::founded().await;
            let (clock, provider) = (ca.clock.clone(), ca.core.provider.clone());
            let flow = OrderFlow { clock, provider, orders: ca.ledger.clone(), enrollments: ca.ledger.clone() };
            let thumbprint = "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ".into();
            let (public_key, contact) = (Vec::new(), Vec::new());
            let endpoint = "default".into();
            let account = Account { id: 9, endpoint, thumbprint, public_key, contact, created_at: NOW, is_valid: true };
            let stopping = CancellationToken::new();
            let validation = ValidationTasks::new(Arc::new(Slow), (1, 1), (TaskTracker::new(), stopping.clone()));
            Self { ca, flow, account, validation, stopping }
        }

        async fn open(&self, name: &str) -> AuthorizationRecord {
            let name = GeneralName::Dns(DnsName::parse(name).unwrap());
            self.flow.open(&self.account, vec![name]).await.unwrap().authorizations.remove(0)
        }

        fn begin(&self, authorization: &AuthorizationRecord) -> JoinHandle<Result<(), LedgerError>> {
            let place = self.validation.place(authorization, Ipv4Addr::LOCALHOST.into()).unwrap();
            let of = (self.account.clone(), authorization.clone());
            self.validation.begin(place, &self.flow, "default".into(), of)
        }

        async fn state(&self, authorization: &AuthorizationRecord) -> AuthorizationState {
            self.ca.ledger.find_authorization("default", &authorization.id).await.unwrap().unwrap().state
        }
    }

    #[tokio::test]
    async fn what_is_stopped_early_is_taken_up_again() {
        let case = Case::new().await;
        let authorization = case.open("slow.example").await;
        let validation = case.begin(&authorization);
        tokio::task::yield_now().await;
        assert_eq!(case.state(&authorization).await, AuthorizationState::Pending, "nobody was told yet");
        case.stopping.cancel();
        validation.await.unwrap().unwrap();
        assert_eq!(case.flow.cut_short("default", 9).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn an_outcome_that_cannot_be_recorded_leaves_all_as_it_was() {
        let case = Case::new().await;
        let authorization = case.open("good.example").await;
        case.ca.ledger.fail_writes(true);
        case.begin(&authorization).await.unwrap().unwrap_err();
        case.ca.ledger.fail_writes(false);
        assert_eq!(case.state(&authorization).await, AuthorizationState::Pending);
        let before = case.ca.ledger.events().len();
        case.begin(&authorization).await.unwrap().unwrap();
        assert_eq!(case.state(&authorization).await, AuthorizationState::Valid);
        assert_eq!(case.ca.ledger.events().len(), before + 1, "its end is all there is to be said");
    }

    #[tokio::test]
    async fn what_a_client_was_told_of_is_recorded_as_soon_as_it_can_be() {
        let case = Case::new().await;
        let (begun, _) = case.flow.begin_validation(&case.account, case.open("good.example").await).await.unwrap();
        case.ca.ledger.fail_writes(true);
        let validation = case.begin(&begun);
        tokio::task::yield_now().await;
        assert!(!validation.is_finished());
        case.ca.ledger.fail_writes(false);
        validation.await.unwrap().unwrap();
        assert_eq!(case.state(&begun).await, AuthorizationState::Valid);
    }
}
