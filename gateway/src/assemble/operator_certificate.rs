//! The operator's server certificate, from files or from the environment: read, and held against all that would keep clients away.

mod chain;
mod material;

use std::sync::Arc;

use anyhow::{Context, bail};
use certgate_enrollment::Clock;
use certgate_pki::{Certificate, GeneralName, Provider};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;

use crate::config::{Environment, Place};
use chain::Chain;

/// Where it is, and what it is held against.
pub(super) struct OperatorCertificate {
    pub(super) cert: Place,
    pub(super) key: Place,
    /// Roots, one of which the chain must lead to.
    pub(super) ca: Option<Place>,
    /// Names that it must have.
    pub(super) required: Vec<GeneralName>,
    pub(super) environment: Environment,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) provider: Provider,
}

impl OperatorCertificate {
    /// Reads certificate, chain and key.
    ///
    /// # Errors
    /// The first thing that is wrong, where, and what would be right.
    pub(super) fn load(&self) -> anyhow::Result<(CertifiedKey, Certificate)> {
        let sent = material::certificates(&self.cert, &self.environment, "cert")?;
        let key = material::private_key(&self.key, &self.environment)?;
        let chain = Chain::read(&self.cert, &sent)?;
        let (cert_place, key_place) = (&self.cert, &self.key);
        let signing = any_supported_type(&key)
            .with_context(|| format!("the key in {key_place} is damaged, or of a kind that TLS has no use for"))?;
        let certified = CertifiedKey::new(sent.clone(), signing);
        chain.has_leaf_first()?;
        if let Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) = certified.keys_match() {
            bail!(
                "the key in {key_place} is not the key of the certificate in {cert_place}: {}",
                "the two are made together; `openssl x509 -noout -pubkey` and `openssl pkey -pubout` print the same for a pair"
            );
        }
        chain.is_signed_in_order(&self.provider)?;
        chain.is_good_at(self.clock.now())?;
        chain.is_for_servers()?;
        chain.has_names(&self.required)?;
        if let Some(ca) = &self.ca {
            self.lead_to(ca, &sent)?;
        }
        Ok((certified, chain.into_leaf()?))
    }

    /// Reads it all as [`Self::load`] does; tells besides which key of the configuration names what is wrong.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub(super) fn check(&self) -> Result<Certificate, (&'static str, anyhow::Error)> {
        let certificates = |place, key| material::certificates(place, &self.environment, key).map_err(|error| (key, error));
        certificates(&self.cert, "cert")?;
        material::private_key(&self.key, &self.environment).map_err(|error| ("key", error))?;
        if let Some(ca) = &self.ca {
            certificates(ca, "ca")?;
        }
        self.load().map(|(_, leaf)| leaf).map_err(|error| ("cert", error))
    }

    /// Does the chain lead to one of the roots in `ca`, for a TLS server, as a client would see it now?
    fn lead_to(&self, ca: &Place, sent: &[CertificateDer<'_>]) -> anyhow::Result<()> {
        let roots = material::certificates(ca, &self.environment, "ca")?;
        chain::lead_to((&self.cert, sent), (ca, &roots), self.clock.now())
    }
}

#[cfg(test)]
mod tests;
