//! HTTP Basic against the ledger (RFC 7617, RFC 7030 §3.2.3).

use std::sync::Arc;

use certgate_enrollment::{Clock, EstUsers, LedgerError, Principal, SecretHash};
use certgate_est::{BasicCredentials, InvalidBasic};
use certgate_pki::{Digest, DigestAlgorithm};
use subtle::ConstantTimeEq;

/// Why nobody was authenticated. The client hears the same for all but the last.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No Authorization header.
    #[error("no credentials")]
    Missing,
    /// Another scheme, or malformed.
    #[error(transparent)]
    Invalid(#[from] InvalidBasic),
    /// No such user at this endpoint, or another password.
    #[error("unknown user or wrong password")]
    Wrong {
        /// The user that was named.
        user: String,
    },
    /// The credential is over.
    #[error("the credential has expired")]
    Expired {
        /// Its user.
        user: String,
    },
    /// It could not be looked up.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What is kept of a password that certgate generated.
#[must_use]
pub fn hash_generated(digest: &dyn Digest, password: &str) -> SecretHash {
    let mut hash = [0; 32];
    for (octet, made) in hash.iter_mut().zip(digest.digest(DigestAlgorithm::Sha256, password.as_bytes())) {
        *octet = made;
    }
    SecretHash::Sha256(hash)
}

/// Characters of a user's name that are logged; nobody has a longer one.
const MAX_LOGGED: usize = 64;

/// Looks credentials up.
pub struct BasicAuthenticator {
    users: Arc<dyn EstUsers>,
    clock: Arc<dyn Clock>,
    digest: Arc<dyn Digest>,
}

impl BasicAuthenticator {
    /// Against these users, at this clock's time.
    #[must_use]
    pub fn new(users: Arc<dyn EstUsers>, clock: Arc<dyn Clock>, digest: Arc<dyn Digest>) -> Self {
        Self { users, clock, digest }
    }

    /// The principal behind an Authorization header at an endpoint.
    ///
    /// # Errors
    /// [`Denied`].
    pub async fn authenticate(&self, header: Option<&[u8]>, endpoint: &str) -> Result<Principal, Denied> {
        let BasicCredentials { user: name, password } = BasicCredentials::parse(header.ok_or(Denied::Missing)?)?;
        let SecretHash::Sha256(given) = hash_generated(&*self.digest, &password);
        let found = self.users.find_user(&name, endpoint).await?;
        // Compared in constant time, and for an unknown user too, against what no password hashes to.
        let SecretHash::Sha256(expected) = found.as_ref().map_or(SecretHash::Sha256([0; 32]), |user| user.secret.clone());
        let is_right = bool::from(given.ct_eq(&expected));
        let Some(user) = found.filter(|_| is_right) else {
            return Err(Denied::Wrong { user: name.chars().take(MAX_LOGGED).collect() });
        };
        if user.expires_at.is_some_and(|end| end <= self.clock.now()) {
            return Err(Denied::Expired { user: user.name });
        }
        Ok(Principal { name: user.name, grants: user.allow })
    }
}
