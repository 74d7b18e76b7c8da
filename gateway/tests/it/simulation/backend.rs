//! The CA behind: the real one in this process, which can be away, refuse, or take an order and never give it back.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use certgate_ca_backend_api::{BackendError, CaBackend, CrlOrder, CrlSigning, Locality, Order, SignedCertificate};
use certgate_ca_backend_local::LocalBackend;
use certgate_pki::SignatureAlgorithm;
use tokio::sync::Notify;

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It signs.
    Up,
    /// It cannot be reached.
    Away,
    /// It refuses.
    Refuses,
    /// It takes an order, and nothing comes back.
    Silent,
}

/// What decides how it is, from one start to the next.
#[derive(Debug)]
pub(crate) struct Weather {
    mood: Mutex<Mood>,
    /// Told when an order was taken that nothing comes back of.
    pub(crate) taken: Notify,
}

impl Weather {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { mood: Mutex::new(Mood::Up), taken: Notify::new() })
    }

    pub(crate) fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }

    /// How it was until now.
    pub(crate) fn set(&self, mood: Mood) -> Mood {
        std::mem::replace(&mut *self.mood.lock().unwrap(), mood)
    }

    async fn pass(&self) -> Result<(), BackendError> {
        match self.mood() {
            Mood::Up => Ok(()),
            Mood::Away => Err(BackendError::Retryable("as the simulation has it".into())),
            Mood::Refuses => Err(BackendError::Rejected("as the simulation has it".into())),
            Mood::Silent => {
                self.taken.notify_one();
                std::future::pending().await
            }
        }
    }
}

/// The real one, when the weather allows.
pub(crate) struct Weathered {
    pub(crate) ca: LocalBackend,
    pub(crate) weather: Arc<Weather>,
}

#[async_trait]
impl CaBackend for Weathered {
    fn name(&self) -> &'static str {
        self.ca.name()
    }

    fn locality(&self) -> Locality {
        self.ca.locality()
    }

    async fn sign(&self, order: Order) -> Result<SignedCertificate, BackendError> {
        self.weather.pass().await?;
        self.ca.sign(order).await
    }

    fn crl_signing(&self) -> Option<&dyn CrlSigning> {
        Some(self)
    }
}

#[async_trait]
impl CrlSigning for Weathered {
    fn algorithm(&self) -> SignatureAlgorithm {
        CrlSigning::algorithm(&self.ca)
    }

    async fn sign_crl(&self, order: CrlOrder<'_>) -> Result<Vec<u8>, BackendError> {
        // What keeps an order of a certificate keeps no list: those are signed one after the other.
        if self.weather.mood() != Mood::Silent {
            self.weather.pass().await?;
        }
        self.ca.sign_crl(order).await
    }
}
