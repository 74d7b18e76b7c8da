//! Who asks by ACME: whoever has signed a request (RFC 8555 §6.2) with the key of an account, or, to open one, with a key of its own.

use std::sync::Arc;

use certgate_acme::{Jwk, Jws, KeyRef, RequestError, Resource, Urls};
use certgate_enrollment::{Account, Accounts, LedgerError};
use certgate_pki::{Provider, PublicKey};

/// Why nobody was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountDenied {
    /// An account where a key is wanted.
    #[error("newAccount is signed with the key in `jwk`, not by an account in `kid` (RFC 8555 §6.2)")]
    WantsKey,
    /// A key where an account is wanted.
    #[error("this request is signed by an account in `kid`, not with a key in `jwk` (RFC 8555 §6.2)")]
    WantsAccount,
    /// There is no account of this URL, or none of this key.
    #[error("there is no such account at this endpoint")]
    Unknown,
    /// The account has ended.
    #[error("the account is not valid any more")]
    Ended,
}

/// Why it is not known who has signed a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// Nobody who may sign it has.
    #[error(transparent)]
    Denied(#[from] AccountDenied),
    /// The signature is wrong, or by another algorithm than the account's.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// It could not be looked up.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Looks accounts up.
pub struct AccountAuthenticator {
    accounts: Arc<dyn Accounts>,
    provider: Provider,
}

impl AccountAuthenticator {
    /// Against these accounts.
    #[must_use]
    pub fn new(accounts: Arc<dyn Accounts>, provider: Provider) -> Self {
        Self { accounts, provider }
    }

    /// The key with which a request is signed that brings it along.
    ///
    /// # Errors
    /// [`SignerError`].
    pub fn key<'j>(&self, jws: &'j Jws) -> Result<&'j Jwk, SignerError> {
        let KeyRef::Jwk(jwk) = &jws.protected.key else { return Err(AccountDenied::WantsKey.into()) };
        jws.verify(jwk.public_key(), &self.provider)?;
        Ok(jwk)
    }

    /// The account that has signed a request, at this endpoint.
    ///
    /// # Errors
    /// [`SignerError`].
    pub async fn account(&self, jws: &Jws, endpoint: &str, urls: &Urls) -> Result<Account, SignerError> {
        let KeyRef::Kid(url) = &jws.protected.key else { return Err(AccountDenied::WantsAccount.into()) };
        let id = match urls.resource(url) {
            Ok(Resource::Account(id)) => account_id(id.as_str()),
            _ => None,
        };
        let account = match id {
            Some(id) => self.accounts.find_account(endpoint, id).await?,
            None => None,
        };
        let account = account.ok_or(AccountDenied::Unknown)?;
        let key = PublicKey::from_der(&account.public_key)
            .map_err(|_| LedgerError::Damaged(format!("the key of account {}", account.principal())))?;
        jws.verify(&key, &self.provider)?;
        // Whether it has ended is told to its holder alone.
        if account.is_valid { Ok(account) } else { Err(AccountDenied::Ended.into()) }
    }
}

/// How an account is called in its URL.
#[must_use]
pub fn account_segment(account: &Account) -> String {
    format!("{:016x}", account.id)
}

/// Reads what [`account_segment`] writes: one spelling an account.
fn account_id(segment: &str) -> Option<u64> {
    let id = u64::from_str_radix(segment, 16).ok()?;
    (format!("{id:016x}") == segment).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_one_name() {
        assert_eq!(account_id("00000000000000ff"), Some(255));
        for wrong in ["", "ff", "00000000000000FF", "+0000000000000ff", "0000000000000000ff", "00000000000000fg"] {
            assert_eq!(account_id(wrong), None, "{wrong}");
        }
    }
}
