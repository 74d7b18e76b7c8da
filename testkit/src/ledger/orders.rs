//! Accounts, orders and authorizations in memory.

use async_trait::async_trait;
use certgate_enrollment::{
    Account, AccountAdded, Accounts, AuthorizationRecord, AuthorizationState, Event, LedgerError, OrderAdded, OrderRecord,
    Orders, ValidationError,
};

use super::{MemoryLedger, number};

#[async_trait]
impl Accounts for MemoryLedger {
    async fn add_account(&self, account: Account, event: Event) -> Result<AccountAdded, LedgerError> {
        let mut state = self.write()?;
        let is_it = |one: &&Account| one.endpoint == account.endpoint && one.thumbprint == account.thumbprint;
        if let Some(found) = state.accounts.iter().find(is_it) {
            return Ok(AccountAdded::Exists(Box::new(found.clone())));
        }
        state.accounts.push(account);
        state.append(event);
        Ok(AccountAdded::Added)
    }

    async fn find_account(&self, endpoint: &str, id: u64) -> Result<Option<Account>, LedgerError> {
        Ok(self.read().accounts.iter().find(|one| one.endpoint == endpoint && one.id == id).cloned())
    }

    async fn find_account_by_key(&self, endpoint: &str, thumbprint: &str) -> Result<Option<Account>, LedgerError> {
        let is_it = |one: &&Account| one.endpoint == endpoint && one.thumbprint == thumbprint;
        Ok(self.read().accounts.iter().find(is_it).cloned())
    }
}

/// Does it wait for its requester, or for a validation?
fn is_open(authorization: &AuthorizationRecord) -> bool {
    matches!(authorization.state, AuthorizationState::Pending | AuthorizationState::Processing)
}

#[async_trait]
impl Orders for MemoryLedger {
    async fn add_order(
        &self,
        order: OrderRecord,
        authorizations: Vec<AuthorizationRecord>,
        most: u64,
        event: Event,
    ) -> Result<OrderAdded, LedgerError> {
        let mut state = self.write()?;
        let of_account = |one: &&AuthorizationRecord| one.account == order.account && is_open(one) && one.expires_at > event.at;
        let open = state.authorizations.iter().filter(of_account).count();
        if number(open + authorizations.len()) > most {
            return Ok(OrderAdded::TooMany);
        }
        state.orders.push(order);
        state.authorizations.extend(authorizations);
        state.append(event);
        Ok(OrderAdded::Added)
    }

    async fn find_order(
        &self,
        endpoint: &str,
        id: &str,
    ) -> Result<Option<(OrderRecord, Vec<AuthorizationRecord>)>, LedgerError> {
        let state = self.read();
        let found = state.orders.iter().find(|one| one.endpoint == endpoint && one.id == id).cloned();
        Ok(found.map(|order| (order, state.authorizations.iter().filter(|one| one.order == id).cloned().collect())))
    }

    async fn find_authorization(&self, endpoint: &str, id: &str) -> Result<Option<AuthorizationRecord>, LedgerError> {
        Ok(self.read().authorizations.iter().find(|one| one.endpoint == endpoint && one.id == id).cloned())
    }

    async fn advance_authorization(
        &self,
        authorization: &AuthorizationRecord,
        next: AuthorizationState,
        error: Option<ValidationError>,
        event: Event,
    ) -> Result<bool, LedgerError> {
        let mut state = self.write()?;
        let is_it = |one: &&mut AuthorizationRecord| one.id == authorization.id && one.state == authorization.state;
        let Some(found) = state.authorizations.iter_mut().find(is_it) else { return Ok(false) };
        (found.state, found.changed_at, found.error) = (next, event.at, error);
        state.append(event);
        Ok(true)
    }

    async fn processing_authorizations(&self, endpoint: &str, most: usize) -> Result<Vec<AuthorizationRecord>, LedgerError> {
        let is_it = |one: &&AuthorizationRecord| one.endpoint == endpoint && one.state == AuthorizationState::Processing;
        Ok(self.read().authorizations.iter().filter(is_it).take(most).cloned().collect())
    }
}
