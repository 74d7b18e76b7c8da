//! Signs in process, with a key it was given: from a file, or any other [`SigningKey`].

use std::sync::Arc;

use async_trait::async_trait;
use certgate_ca_backend_api::{BackendError, CaBackend, Locality, Order, SignedCertificate};
use certgate_pki::{SigningKey, Template};

/// A CA key in this process.
#[derive(Debug)]
pub struct LocalBackend {
    key: Arc<dyn SigningKey>,
}

impl LocalBackend {
    /// Signs with `key`.
    #[must_use]
    pub fn new(key: Arc<dyn SigningKey>) -> Self {
        Self { key }
    }
}

#[async_trait]
impl CaBackend for LocalBackend {
    fn locality(&self) -> Locality {
        Locality::InProcess
    }

    async fn sign(&self, order: Order) -> Result<SignedCertificate, BackendError> {
        let algorithm = self.key.algorithm();
        let to_be_signed = order.template.to_be_signed(algorithm);
        let signature = self.key.sign(&to_be_signed).map_err(|error| BackendError::Retryable(error.to_string()))?;
        Ok(SignedCertificate(Template::assemble(&to_be_signed, algorithm, &signature)))
    }
}

#[cfg(test)]
mod tests {
    use certgate_pki::KeyType;

    use super::*;

    #[tokio::test]
    async fn passes_the_contract_with_every_kind_of_key() {
        let provider = certgate_crypto::provider();
        for key_type in [KeyType::P256, KeyType::P384, KeyType::P521, KeyType::Rsa { bits: 2048 }, KeyType::Ed25519] {
            let key = provider.sign.generate(key_type).unwrap().key;
            let issuer = key.public_key().clone();
            certgate_ca_backend_contract::run(&LocalBackend::new(key), &issuer, &provider).await;
        }
    }
}
