//! One endpoint: what it is bound to, and where its clients find it.

use std::sync::Arc;

use certgate_acme::{AcmePath, PREFIX, Resource, Urls};
use certgate_enrollment::Authority;
use certgate_policy::Profile;
use hyper::http::request::Parts;

use crate::config::PublicUrl;
use crate::listen::ServerIdentity;
use crate::serve::failure::AcmeFailure;
use crate::serve::host;
use crate::telemetry::EnrollmentMetrics;

/// One endpoint: a name bound to a profile and so to an authority.
pub struct AcmeEndpoint {
    pub(super) name: String,
    pub(super) profile: Profile,
    pub(super) authority: Arc<Authority>,
    pub(super) metrics: EnrollmentMetrics,
    public_url: Option<PublicUrl>,
}

impl AcmeEndpoint {
    /// An endpoint of this name that issues by `profile`, which `authority` signs. Its URLs begin with `public_url`; without one, with
    /// the host that a request names.
    #[must_use]
    pub const fn new(
        name: String,
        profile: Profile,
        authority: Arc<Authority>,
        public_url: Option<PublicUrl>,
        metrics: EnrollmentMetrics,
    ) -> Self {
        Self { name, profile, authority, metrics, public_url }
    }

    /// What an enrollment is counted and logged under.
    pub(super) fn counted(&self) -> (&str, &EnrollmentMetrics) {
        (&self.name, &self.metrics)
    }

    /// Its URLs, as the client of this request knows them.
    fn urls(&self, head: &Parts, identity: &ServerIdentity) -> Result<Urls, AcmeFailure> {
        let name = &self.name;
        if let Some(url) = &self.public_url {
            return Ok(Urls::new(&format!("{url}{PREFIX}{name}")));
        }
        // What a client is given has to be what it can verify: nobody else's name gets into a URL.
        let (_, in_url) = host::https_host(head).filter(|(host, _)| identity.is_named(host)).ok_or(AcmeFailure::Misdirected)?;
        Ok(Urls::new(&format!("https://{in_url}{PREFIX}{name}")))
    }
}

/// What a request is about.
pub(super) struct Asked {
    pub(super) endpoint: Arc<AcmeEndpoint>,
    pub(super) urls: Urls,
    pub(super) resource: Resource,
}

impl Asked {
    /// Reads the path of a request to one of these endpoints.
    pub(super) fn read<'e>(
        head: &Parts,
        find: impl Fn(&str) -> Option<&'e Arc<AcmeEndpoint>>,
        identity: &ServerIdentity,
    ) -> Result<Self, AcmeFailure> {
        // No URL here has a query, and a client signs the whole of it (RFC 8555 §6.4).
        if head.uri.query().is_some() {
            return Err(certgate_acme::InvalidPath.into());
        }
        let AcmePath { endpoint, resource } = AcmePath::parse(head.uri.path())?;
        let endpoint = Arc::clone(find(endpoint.as_str()).ok_or(AcmeFailure::NoEndpoint)?);
        Ok(Self { urls: endpoint.urls(head, identity)?, endpoint, resource })
    }

    /// The URL that the request is for.
    pub(super) fn url(&self) -> String {
        self.urls.of(&self.resource)
    }
}
