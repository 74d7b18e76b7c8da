//! The CA behind, which signs when it is told to.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use async_trait::async_trait;
use certgate_ca_backend_api::{BackendError, CaBackend, Locality, Order, SignedCertificate};
use certgate_pki::{SignatureAlgorithm, Template};

use super::op::Mood;

/// What it does with orders.
#[derive(Debug)]
pub(super) struct Desk(Mutex<Orders>);

#[derive(Debug)]
struct Orders {
    mood: Mood,
    /// How many were taken while it was slow.
    taken: usize,
    /// Those that are done: signed or not.
    done: BTreeMap<usize, bool>,
}

impl Desk {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Orders { mood: Mood::Up, taken: 0, done: BTreeMap::new() })))
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.0.lock().expect("nobody panics while holding it")
    }

    pub(super) fn mood(&self) -> Mood {
        self.orders().mood
    }

    pub(super) fn set(&self, mood: Mood) {
        self.orders().mood = mood;
    }

    /// The order that was taken last.
    pub(super) fn last_taken(&self) -> usize {
        self.orders().taken
    }

    pub(super) fn finish(&self, order: usize, signs: bool) {
        self.orders().done.insert(order, signs);
    }

    fn take(&self) -> usize {
        let mut orders = self.orders();
        orders.taken += 1;
        orders.taken
    }
}

/// Signs with something that is no signature: it is in this process, so nobody looks.
pub(super) struct Ca(pub(super) Arc<Desk>);

#[async_trait]
impl CaBackend for Ca {
    fn name(&self) -> &'static str {
        "test"
    }

    fn locality(&self) -> Locality {
        Locality::InProcess
    }

    async fn sign(&self, order: Order) -> Result<SignedCertificate, BackendError> {
        let rejected = || Err(BackendError::Rejected("as the test has it".into()));
        match self.0.mood() {
            Mood::Up => {}
            Mood::Away => return Err(BackendError::Retryable("as the test has it".into())),
            Mood::Refuses => return rejected(),
            Mood::Slow => {
                let taken = self.0.take();
                let is_done = || self.0.orders().done.get(&taken).map_or(Poll::Pending, |signs| Poll::Ready(*signs));
                if !poll_fn(|_| is_done()).await {
                    return rejected();
                }
            }
        }
        let algorithm = SignatureAlgorithm::EcdsaSha256;
        Ok(SignedCertificate(Template::assemble(&order.template.to_be_signed(algorithm), algorithm, b"no signature")))
    }
}
