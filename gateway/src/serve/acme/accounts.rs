//! newAccount and accounts (RFC 8555 §7.3).

use certgate_acme::{AccountUpdate, Contact, Jwk, NewAccount, Segment};
use certgate_enrollment::{Account, AccountAdded, Event, EventKind};

use super::endpoint::Asked;
use super::signed::ByAccount;
use super::views::Named;
use super::{AcmeService, created, located, object};
use crate::auth::{AccountDenied, account_segment};
use crate::listen::Peer;
use crate::serve::answer::Answer;
use crate::serve::failure::AcmeFailure;

/// Ids of accounts are at most this: SQL has no larger integers.
const GREATEST_ID: u64 = i64::MAX.cast_unsigned();

impl AcmeService {
    /// RFC 8555 §7.3; §7.3.1 where the key has an account.
    pub(super) async fn new_account(
        &self,
        asked: &Asked,
        jwk: &Jwk,
        payload: &[u8],
        peer: &Peer,
    ) -> Result<Answer, AcmeFailure> {
        let wish = NewAccount::parse(payload)?;
        let digest = &*self.parts.orders.provider.digest;
        let (endpoint, thumbprint) = (&asked.endpoint.name, jwk.thumbprint(digest).to_string());
        if let Some(account) = self.parts.accounts.find_account_by_key(endpoint, &thumbprint).await? {
            return existing(asked, &account);
        }
        if wish.only_return_existing {
            return Err(AccountDenied::Unknown.into());
        }
        let account = self.account_of(endpoint, (jwk, thumbprint), &wish.contact?)?;
        let principal = account.principal();
        let details = vec![("endpoint", endpoint.clone()), ("thumbprint", account.thumbprint.clone())];
        let event = Event { at: account.created_at, kind: EventKind::AccountAdded, actor: principal.clone(), details };
        match self.parts.accounts.add_account(account.clone(), event).await? {
            AccountAdded::Added => {
                tracing::info!(endpoint, principal, peer = %peer.address, "account opened");
                let named = Named(&asked.urls);
                Ok(created(&named.account_object(&account)?, &named.account(&account)?))
            }
            AccountAdded::Exists(account) => existing(asked, &account),
        }
    }

    /// An account of a key, with an id of its own.
    fn account_of(
        &self,
        endpoint: &str,
        (jwk, thumbprint): (&Jwk, String),
        contact: &[Contact],
    ) -> Result<Account, AcmeFailure> {
        let mut random = [0; 8];
        self.parts.orders.provider.random.fill(&mut random)?;
        Ok(Account {
            id: u64::from_be_bytes(random) & GREATEST_ID,
            endpoint: endpoint.to_owned(),
            thumbprint,
            public_key: jwk.public_key().spki().to_vec(),
            contact: contact.iter().map(|contact| contact.as_str().to_owned()).collect(),
            created_at: self.parts.orders.clock.now(),
            is_valid: true,
        })
    }
}

/// RFC 8555 §7.3.1: 200, where it is, and as it is stored.
fn existing(asked: &Asked, account: &Account) -> Result<Answer, AcmeFailure> {
    if !account.is_valid {
        return Err(AccountDenied::Ended.into());
    }
    let named = Named(&asked.urls);
    Ok(located(&named.account_object(account)?, &named.account(account)?))
}

/// RFC 8555 §7.3.2: an account as it is, also for a change that changes nothing. Others are not served yet.
pub(super) fn account(by: &ByAccount<'_>, id: &Segment) -> Result<Answer, AcmeFailure> {
    let ByAccount { asked, account, payload, .. } = *by;
    if account_segment(account) != id.as_str() {
        return Err(AcmeFailure::OtherAccount);
    }
    if !payload.is_empty() {
        let update = AccountUpdate::parse(payload)?;
        let stays = |contact: &Vec<Contact>| contact.iter().map(Contact::as_str).eq(&account.contact);
        if update.deactivated || update.contact.is_some_and(|contact| !stays(&contact)) {
            return Err(AcmeFailure::NotServed("changing or deactivating an account"));
        }
    }
    Ok(object(&Named(&asked.urls).account_object(account)?))
}
