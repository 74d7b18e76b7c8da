//! Orders for certificates, and the authorizations that they need (RFC 8555 §7.1.3, §7.1.4).

use async_trait::async_trait;
use certgate_pki::{GeneralName, Timestamp};

use super::LedgerError;
use super::audit::Event;

/// One order. Where it stands follows from its authorizations and from the enrollment that it has become: see [`crate::Order`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRecord {
    /// Its name: 32 hex digits that nobody can guess.
    pub id: String,
    /// The endpoint.
    pub endpoint: String,
    /// Whose it is.
    pub account: u64,
    /// Since when.
    pub created_at: Timestamp,
    /// From when on nothing comes of it that was not begun.
    pub expires_at: Timestamp,
}

/// Where an authorization stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthorizationState {
    /// The requester has not answered its challenge.
    Pending,
    /// The answer is being validated.
    Processing,
    /// The requester controls the name.
    Valid,
    /// The requester has not shown that it does.
    Invalid,
}

impl AuthorizationState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Processing, Self::Valid, Self::Invalid];

    /// Its name in the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Why a name was not shown to be controlled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationError {
    /// What kind of fault: a word of the protocol by which it was asked, such as `connection`.
    pub kind: String,
    /// What the requester can do something about.
    pub detail: String,
}

/// One authorization: of one name in one order, with one challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRecord {
    /// Its name: 32 hex digits that nobody can guess.
    pub id: String,
    /// The order.
    pub order: String,
    /// The endpoint.
    pub endpoint: String,
    /// Whose it is.
    pub account: u64,
    /// The name.
    pub name: GeneralName,
    /// What the requester shows where it controls the name: random, in base64url.
    pub token: String,
    /// From when on it authorizes nothing.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub state: AuthorizationState,
    /// Since when it stands there.
    pub changed_at: Timestamp,
    /// Why it is invalid.
    pub error: Option<ValidationError>,
}

/// What came of adding an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderAdded {
    /// It is there now.
    Added,
    /// The account would have more authorizations open than it may.
    TooMany,
}

/// The port.
#[async_trait]
pub trait Orders: Send + Sync {
    /// Adds an order with its authorizations; an account may have `most` authorizations that are open: neither decided nor over.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn add_order(
        &self,
        order: OrderRecord,
        authorizations: Vec<AuthorizationRecord>,
        most: u64,
        event: Event,
    ) -> Result<OrderAdded, LedgerError>;

    /// The order of this name at this endpoint, with its authorizations in the order in which they were added.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn find_order(
        &self,
        endpoint: &str,
        id: &str,
    ) -> Result<Option<(OrderRecord, Vec<AuthorizationRecord>)>, LedgerError>;

    /// The authorization of this name at this endpoint.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn find_authorization(&self, endpoint: &str, id: &str) -> Result<Option<AuthorizationRecord>, LedgerError>;

    /// Moves an authorization from the state that its record says to `next`; false when it was not there any more, and nothing was changed.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn advance_authorization(
        &self,
        authorization: &AuthorizationRecord,
        next: AuthorizationState,
        error: Option<ValidationError>,
        event: Event,
    ) -> Result<bool, LedgerError>;

    /// Authorizations whose validation was begun, and has not ended, at this endpoint: the oldest, `most` of them.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn processing_authorizations(&self, endpoint: &str, most: usize) -> Result<Vec<AuthorizationRecord>, LedgerError>;
}
