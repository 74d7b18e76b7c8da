//! Threads for work that takes a core for longer than anybody else should wait.
//!
//! A few threads do it, a bounded number waits, and whoever comes beyond is told to come back: everyone else is served as ever.

use std::sync::{Arc, Mutex, PoisonError, mpsc};

use tokio::sync::oneshot;

/// The lowest priority that Linux knows.
const LOWEST_PRIORITY: i32 = 19;

/// More work waits than may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much work of this kind waits")]
pub struct Busy;

/// How threads stand to all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Like them.
    Usual,
    /// Behind them.
    Lowest,
}

type Job = Box<dyn FnOnce() + Send>;

/// The threads, and their queue. They end when the last clone is gone.
#[derive(Clone)]
pub struct WorkPool(mpsc::SyncSender<Job>);

impl WorkPool {
    /// Starts `threads` threads, one at the least, for which at most `queue` pieces of work wait.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(name: &str, threads: usize, queue: usize, priority: Priority) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::sync_channel::<Job>(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..threads.max(1) {
            let receiver = Arc::clone(&receiver);
            std::thread::Builder::new().name(format!("{name}-{number}")).spawn(move || run(&receiver, priority))?;
        }
        Ok(Self(sender))
    }

    /// Does a piece of work. Work that panics is lost, and its thread goes on.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let (reply, outcome) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Whoever has hung up meanwhile costs nothing more.
            if !reply.is_closed() {
                let _ = reply.send(work());
            }
        });
        self.0.try_send(job).map_err(|_| Busy)?;
        outcome.await.map_err(|_| Busy)
    }
}

fn run(queue: &Mutex<mpsc::Receiver<Job>>, priority: Priority) {
    if priority == Priority::Lowest {
        // Of this thread: what cannot be had is a matter of speed, not of safety.
        let _ = rustix::process::setpriority_process(None, LOWEST_PRIORITY);
    }
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // The panic was reported by itself, and whoever waits hears that nothing comes.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_turns_away_at_once_and_those_who_left_cost_nothing() {
        let pool = WorkPool::start("test", 1, 2, Priority::Lowest).unwrap();
        let (release, held) = mpsc::channel::<()>();
        let (begun, begins) = mpsc::channel::<()>();
        let blocking = pool.clone();
        let work = move || {
            let _ = begun.send(());
            held.recv()
        };
        let mut first = Box::pin(blocking.run(work));
        assert!(waits(&mut first).await);
        tokio::task::spawn_blocking(move || begins.recv()).await.unwrap().unwrap();
        let (done, was_done) = mpsc::channel();
        let counted = |name: &'static str| {
            let (pool, done) = (pool.clone(), done.clone());
            async move { pool.run(move || done.send(name)).await }
        };
        let (mut leaving, mut staying) = (Box::pin(counted("left")), Box::pin(counted("stayed")));
        assert!(waits(&mut leaving).await && waits(&mut staying).await);
        assert_eq!(counted("too many").await, Err(Busy));
        drop(leaving);
        release.send(()).unwrap();
        assert_eq!(first.await, Ok(Ok(())));
        assert_eq!(staying.await, Ok(Ok(())));
        drop((pool, done));
        assert_eq!(was_done.iter().collect::<Vec<_>>(), ["stayed"]);
    }

    #[tokio::test]
    async fn work_that_panics_is_lost_alone() {
        let pool = WorkPool::start("test", 1, 2, Priority::Usual).unwrap();
        assert_eq!(pool.run(|| -> u8 { panic!("as the test has it") }).await, Err(Busy));
        assert_eq!(pool.run(|| 7).await, Ok(7));
    }

    /// Polls once: is it not over?
    async fn waits<F: Future + Unpin>(future: &mut F) -> bool {
        std::future::poll_fn(|context| std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_pending()))
            .await
    }
}
