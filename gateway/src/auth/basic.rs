//! HTTP Basic against the ledger (RFC 7617, RFC 7030 §3.2.3).

use std::sync::Arc;

use certgate_enrollment::{Clock, EstUsers, LedgerError, Principal, Proof, SecretHash};
use certgate_est::BasicCredentials;
use certgate_pki::{Digest, sha256};
use certgate_policy::NamePattern;
use subtle::ConstantTimeEq;

use super::denied::Denied;
use super::passwords::PasswordPool;

/// What is kept of a password that certgate generated.
#[must_use]
pub fn hash_generated(digest: &dyn Digest, password: &str) -> SecretHash {
    SecretHash::Sha256(sha256(digest, password.as_bytes()))
}

/// Characters of a user's name that are logged; nobody has a longer one.
const MAX_LOGGED: usize = 64;

/// Looks credentials up.
pub struct BasicAuthenticator {
    users: Arc<dyn EstUsers>,
    clock: Arc<dyn Clock>,
    digest: Arc<dyn Digest>,
    passwords: PasswordPool,
}

impl BasicAuthenticator {
    /// Against these users, at this clock's time; passwords that people chose are verified by `passwords`.
    #[must_use]
    pub fn new(users: Arc<dyn EstUsers>, clock: Arc<dyn Clock>, digest: Arc<dyn Digest>, passwords: PasswordPool) -> Self {
        Self { users, clock, digest, passwords }
    }

    /// The principal behind an Authorization header at an endpoint.
    ///
    /// # Errors
    /// [`Denied`].
    pub(super) async fn authenticate(&self, header: &[u8], endpoint: &str) -> Result<Principal, Denied> {
        let BasicCredentials { user: name, password } = BasicCredentials::parse(header)?;
        let found = self.users.find_user(&name, endpoint).await?;
        let is_right = match found.as_ref().map(|user| &user.secret) {
            Some(SecretHash::Argon2id(kept)) => self.passwords.verify(password, kept.clone()).await?,
            Some(SecretHash::Sha256(kept)) => self.is_generated(&password, kept),
            // Compared for an unknown user too, against what no password hashes to.
            None => self.is_generated(&password, &[0; 32]),
        };
        let Some(user) = found.filter(|_| is_right) else {
            return Err(Denied::Wrong { user: name.chars().take(MAX_LOGGED).collect() });
        };
        if user.expires_at.is_some_and(|end| end <= self.clock.now()) {
            return Err(Denied::Expired { user: user.name });
        }
        // A credential that is used up still fetches what was approved with it: the core says no to anything more.
        Ok(Principal { name: user.name, grants: user.allow, proof: Proof::Credential(user.id), ends_at: None })
    }

    /// Compared in constant time.
    fn is_generated(&self, password: &str, kept: &[u8; 32]) -> bool {
        sha256(&*self.digest, password.as_bytes()).ct_eq(kept).into()
    }

    /// The names that a principal's credential at an endpoint grants beside those of a certificate, if it has one that is good, and its id. One
    /// that is used up grants nothing more: as many certificates as it was good for have names by it.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn grants(&self, principal: &str, endpoint: &str) -> Result<Option<(Vec<NamePattern>, u64)>, LedgerError> {
        let user = self.users.find_user(principal, endpoint).await?;
        let good = user.filter(|user| user.expires_at.is_none_or(|end| end > self.clock.now()) && user.uses != Some(0));
        Ok(good.map(|user| (user.allow, user.id)))
    }
}
