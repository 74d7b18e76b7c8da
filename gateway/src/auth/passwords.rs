//! Passwords that people chose: Argon2id, on threads of its own.
//!
//! One hash takes tens of milliseconds of a core and 19 MiB, which whoever knows a user's name can have us spend.

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use zeroize::Zeroizing;

use crate::work_pool::{Busy, Priority, WorkPool};

/// Octets of a salt (RFC 9106 §3.1: "16 bytes is RECOMMENDED for password hashing").
pub const SALT: usize = 16;

/// More passwords wait to be hashed than may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords wait to be verified")]
pub struct PasswordsBusy;

impl From<Busy> for PasswordsBusy {
    fn from(Busy: Busy) -> Self {
        Self
    }
}

/// The threads that hash.
#[derive(Clone)]
pub struct PasswordPool(WorkPool);

impl PasswordPool {
    /// Starts `threads` threads, one at the least, for which at most `queue` passwords wait.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(threads: usize, queue: usize) -> std::io::Result<Self> {
        WorkPool::start("password", threads, queue, Priority::Lowest).map(Self)
    }

    /// Is this the password of which that is kept? What is kept and cannot be read is nobody's.
    ///
    /// # Errors
    /// [`PasswordsBusy`].
    pub async fn verify(&self, password: Zeroizing<String>, kept: String) -> Result<bool, PasswordsBusy> {
        let verify = move || Argon2::default().verify_password(password.as_bytes(), kept.as_str()).is_ok();
        Ok(self.0.run(verify).await?)
    }

    /// What is kept of a password: Argon2id of version 19 with the costs that OWASP gives for 19 MiB, as a PHC string.
    ///
    /// # Errors
    /// [`PasswordsBusy`].
    pub async fn hash(&self, password: Zeroizing<String>, salt: [u8; SALT]) -> Result<Option<String>, PasswordsBusy> {
        let hash =
            move || Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).ok().map(|hash| hash.to_string());
        Ok(self.0.run(hash).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_is_verified_by_what_is_kept_of_it() {
        let pool = PasswordPool::start(1, 4).unwrap();
        let kept = pool.hash(secret("correct horse"), [7; SALT]).await.unwrap().unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert_eq!(pool.verify(secret("correct horse"), kept.clone()).await, Ok(true));
        assert_eq!(pool.verify(secret("correct hors"), kept).await, Ok(false));
        assert_eq!(pool.verify(secret("x"), "not a PHC string".into()).await, Ok(false));
    }
}
