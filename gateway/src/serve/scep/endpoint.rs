//! One endpoint: what it is bound to, and its answers that never change.

use std::sync::Arc;

use certgate_enrollment::Authority;
use certgate_pki::{Certificate, DecryptionKey, SigningKey, cms};
use certgate_policy::Profile;
use certgate_scep::{CA_RA_CERT, Capability, capabilities};

use crate::config::ContentEncryption;
use crate::serve::answer::{self, Answer};
use crate::telemetry::EnrollmentMetrics;

/// What is served: what is not here is refused.
const CAPABILITIES: [Capability; 6] = [
    Capability::Aes,
    Capability::PostPkiOperation,
    Capability::Sha256,
    Capability::Sha384,
    Capability::Sha512,
    Capability::ScepStandard,
];

/// Who requests are encrypted to, and who signs their answers (RFC 8894 §2.1.2): RSA, whatever the authority's own key is.
#[derive(Clone)]
pub struct ScepRa {
    /// Its certificate.
    pub certificate: Certificate,
    /// Its key, to sign with.
    pub signing: Arc<dyn SigningKey>,
    /// The same, to decrypt with.
    pub decryption: Arc<dyn DecryptionKey>,
}

/// What differs from one endpoint to the next, beside its profile.
#[derive(Clone, Copy, Debug)]
pub struct ScepOptions {
    /// How answers are encrypted.
    pub content_encryption: ContentEncryption,
}

/// One endpoint: a name bound to a profile and so to an authority.
pub struct ScepEndpoint {
    pub(super) name: String,
    pub(super) profile: Profile,
    pub(super) authority: Arc<Authority>,
    pub(super) ra: ScepRa,
    pub(super) options: ScepOptions,
    pub(super) metrics: EnrollmentMetrics,
    ca_caps: Answer,
    ca_cert: Answer,
}

impl ScepEndpoint {
    /// An endpoint of this name that issues by `profile`, which `authority` signs.
    #[must_use]
    pub fn new(
        name: &str,
        profile: Profile,
        authority: Arc<Authority>,
        (ra, options): (ScepRa, ScepOptions),
        metrics: EnrollmentMetrics,
    ) -> Self {
        // The root goes along: some clients take no set without a self-signed certificate.
        let chain = authority.chain().iter().map(Certificate::as_der);
        let all: Vec<&[u8]> = std::iter::once(ra.certificate.as_der()).chain(chain).collect();
        Self {
            name: name.to_owned(),
            ca_caps: answer::ok("text/plain", capabilities(&CAPABILITIES)),
            ca_cert: answer::ok(CA_RA_CERT, cms::certs_only(&all)),
            profile,
            authority,
            ra,
            options,
            metrics,
        }
    }

    /// RFC 8894 §3.5.
    pub(super) fn ca_caps(&self) -> Answer {
        self.ca_caps.clone()
    }

    /// RFC 8894 §4.2.1.2.
    pub(super) fn ca_cert(&self) -> Answer {
        self.ca_cert.clone()
    }
}
