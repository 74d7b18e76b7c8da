//! Passwords that people chose: Argon2id, on threads of its own.
//!
//! One hash takes tens of milliseconds of a core and 19 MiB, which whoever knows a user's name can have us spend. So a few threads of low
//! priority do them, a bounded number waits, and whoever comes beyond is told to come back: everyone else is served as ever.

use std::sync::{Arc, Mutex, PoisonError, mpsc};

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

/// Octets of a salt (RFC 9106 §3.1: "16 bytes is RECOMMENDED for password hashing").
pub const SALT: usize = 16;
/// The lowest priority that Linux knows.
const LOWEST_PRIORITY: i32 = 19;

/// More passwords wait to be hashed than may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords wait to be verified")]
pub struct PasswordsBusy;

type Job = Box<dyn FnOnce() + Send>;

/// The threads, and their queue. They end when the last clone is gone.
#[derive(Clone)]
pub struct PasswordPool(mpsc::SyncSender<Job>);

impl PasswordPool {
    /// Starts `threads` threads, one at the least, for which at most `queue` passwords wait.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(threads: usize, queue: usize) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::sync_channel::<Job>(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..threads.max(1) {
            let receiver = Arc::clone(&receiver);
            std::thread::Builder::new().name(format!("password-{number}")).spawn(move || run(&receiver))?;
        }
        Ok(Self(sender))
    }

    /// Is this the password of which that is kept? What is kept and cannot be read is nobody's.
    ///
    /// # Errors
    /// [`PasswordsBusy`].
    pub async fn verify(&self, password: Zeroizing<String>, kept: String) -> Result<bool, PasswordsBusy> {
        self.run(move || Argon2::default().verify_password(password.as_bytes(), kept.as_str()).is_ok()).await
    }

    /// What is kept of a password: Argon2id of version 19 with the costs that OWASP gives for 19 MiB, as a PHC string.
    ///
    /// # Errors
    /// [`PasswordsBusy`].
    pub async fn hash(&self, password: Zeroizing<String>, salt: [u8; SALT]) -> Result<Option<String>, PasswordsBusy> {
        let hash =
            move || Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).ok().map(|hash| hash.to_string());
        self.run(hash).await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordsBusy> {
        let (reply, outcome) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Whoever has hung up meanwhile costs nothing more.
            if !reply.is_closed() {
                let _ = reply.send(work());
            }
        });
        self.0.try_send(job).map_err(|_| PasswordsBusy)?;
        outcome.await.map_err(|_| PasswordsBusy)
    }
}

fn run(queue: &Mutex<mpsc::Receiver<Job>>) {
    // Of this thread: what cannot be had is a matter of speed, not of safety.
    let _ = rustix::process::setpriority_process(None, LOWEST_PRIORITY);
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        job();
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

    #[tokio::test]
    async fn a_full_queue_turns_away_at_once_and_those_who_left_cost_nothing() {
        let pool = PasswordPool::start(1, 2).unwrap();
        let (release, held) = mpsc::channel::<()>();
        let (begun, begins) = mpsc::channel::<()>();
        let busy = pool.clone();
        let block = tokio::task::spawn_blocking(move || {
            let job: Job = Box::new(move || {
                begun.send(()).unwrap();
                held.recv().unwrap();
            });
            busy.0.send(job).unwrap();
        });
        block.await.unwrap();
        begins.recv().unwrap();
        let waiting: Vec<_> = (0..2).map(|_| Box::pin(pool.run(|| 1))).collect();
        let mut waiting = waiting.into_iter();
        let (mut first, mut second) = (waiting.next().unwrap(), waiting.next().unwrap());
        for one in [&mut first, &mut second] {
            assert!(std::future::poll_fn(|cx| std::task::Poll::Ready(one.as_mut().poll(cx).is_pending())).await);
        }
        assert_eq!(pool.run(|| 1).await, Err(PasswordsBusy));
        drop(second);
        release.send(()).unwrap();
        assert_eq!(first.await, Ok(1));
        assert_eq!(pool.run(|| 2).await, Ok(2));
    }
}
