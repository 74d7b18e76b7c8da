//! `/v1/authorities`: who signs.

use base16ct::lower::encode_string;
use certgate_enrollment::Authority;
use certgate_pki::{Certificate, Digest, DigestAlgorithm, pem};
use serde::{Deserialize, Serialize};

use super::{Admin, AdminFailure, Items};

/// An authority, as JSON.
#[derive(Debug, Deserialize, Serialize)]
pub struct AuthorityItem {
    /// Its name.
    pub authority: String,
    /// Its subject, RFC 4514.
    pub subject: String,
    /// Its last second, RFC 3339.
    pub not_after: String,
    /// SHA-256 of its certificate, lowercase hex.
    pub sha256: String,
    /// Its certificate and those above it, the root last, PEM.
    pub chain_pem: String,
    /// Who signs for it.
    pub backend: String,
}

impl AuthorityItem {
    /// Of an authority's chain; `None` of an empty one.
    #[must_use]
    pub fn new(authority: &str, chain: &[Certificate], backend: &str, digest: &dyn Digest) -> Option<Self> {
        let own = chain.first()?;
        Some(Self {
            authority: authority.to_owned(),
            subject: own.subject().to_string(),
            not_after: own.validity().not_after.to_string(),
            sha256: encode_string(&digest.digest(DigestAlgorithm::Sha256, own.as_der())),
            chain_pem: chain.iter().map(|one| pem::encode(pem::CERTIFICATE, one.as_der())).collect(),
            backend: backend.to_owned(),
        })
    }
}

impl Admin {
    pub(super) fn list_authorities(&self) -> Items<AuthorityItem> {
        Items { items: self.authorities.iter().filter_map(|authority| self.authority_item(authority)).collect(), next: None }
    }

    pub(super) fn show_authority(&self, name: &str) -> Result<AuthorityItem, AdminFailure> {
        let found = self.authorities.iter().find(|authority| authority.name() == name);
        found.and_then(|authority| self.authority_item(authority)).ok_or_else(|| {
            let known: Vec<&str> = self.authorities.iter().map(|authority| authority.name()).collect();
            AdminFailure::not_found(format!("there is no authority {name}")).hint(format!("there are: {}", known.join(", ")))
        })
    }

    fn authority_item(&self, authority: &Authority) -> Option<AuthorityItem> {
        AuthorityItem::new(authority.name(), authority.chain(), authority.backend_name(), &*self.base.provider.digest)
    }
}
