//! What is in the place of a key that was taken away.

use async_trait::async_trait;
use certgate_ca_backend_api::{BackendError, CaBackend, Locality, Order, SignedCertificate};
use certgate_pki::Timestamp;

/// Signs nothing: the key of the CA is kept elsewhere. What was signed with it counts on.
#[derive(Debug)]
pub struct OfflineBackend {
    authority: String,
    since: Timestamp,
}

impl OfflineBackend {
    /// Of this authority, since then.
    #[must_use]
    pub fn new(authority: &str, since: Timestamp) -> Self {
        Self { authority: authority.to_owned(), since }
    }
}

#[async_trait]
impl CaBackend for OfflineBackend {
    fn name(&self) -> &'static str {
        "offline"
    }

    fn locality(&self) -> Locality {
        Locality::InProcess
    }

    async fn sign(&self, _order: Order) -> Result<SignedCertificate, BackendError> {
        let Self { authority, since } = self;
        Err(BackendError::Retryable(format!(
            "the key of {authority} is offline since {since}; bring it back by `certgate ca restore-root FILE --authority {authority}`"
        )))
    }

    fn offline_since(&self) -> Option<Timestamp> {
        Some(self.since)
    }
}

#[cfg(test)]
mod tests {
    use certgate_pki::{Name, Serial, Template, Validity};

    use super::*;

    #[tokio::test]
    async fn says_why_it_signs_nothing() {
        let since = Timestamp::from_seconds(1_790_000_000);
        let key = certgate_crypto::provider().sign.generate(certgate_pki::KeyType::P256).unwrap().key;
        let template = Template {
            serial: Serial::from_hex("0a").unwrap(),
            issuer: "CN=Root".parse::<Name>().unwrap(),
            validity: Validity { not_before: since, not_after: since },
            subject: "CN=Issuing".parse::<Name>().unwrap(),
            public_key: key.public_key().clone(),
            extensions: Vec::new(),
        };
        let backend = OfflineBackend::new("root", since);
        let Err(BackendError::Retryable(why)) = backend.sign(Order { template }).await else { panic!("it signs") };
        assert!(why.starts_with("the key of root is offline since 2026-09-21T14:13:20Z; bring it back by"), "{why}");
        assert!(backend.crl_signing().is_none() && backend.offline_since() == Some(since));
    }
}
