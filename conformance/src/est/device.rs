//! A device that has a certificate, and what it asks for with it.

use std::sync::Arc;

use super::steps::issued;
use crate::{
    asn1::Element,
    certificate::{Certificate, extension},
    certs_only, chain,
    channel::Identity,
    csr::Wish,
    endpoint::Endpoint,
    http::{Request, Response},
    key::Key,
    session::Session,
    transport::Failure,
    verdict::{Stop, require},
};

/// A device that enrolled.
pub(super) struct Device {
    /// Where it enrolled.
    pub(super) endpoint: Endpoint,
    /// Its key.
    pub(super) key: Key,
    /// Its certificate.
    pub(super) certificate: Certificate,
    /// What it shows in TLS.
    pub(super) identity: Arc<Identity>,
}

impl Device {
    /// Enrolls by password for the user's name, as CN and dNSName.
    pub(super) fn enroll(session: &mut Session<'_>, endpoint: Endpoint) -> Result<Self, Stop> {
        let user = endpoint.user.clone();
        Self::enroll_for(session, endpoint, &[&user])
    }

    /// Enrolls by password for these names: all as dNSName, the first as CN too.
    pub(super) fn enroll_for(session: &mut Session<'_>, endpoint: Endpoint, names: &[&str]) -> Result<Self, Stop> {
        let key = session.new_device_key()?;
        let csr = Wish::common_name(names.first().copied().unwrap_or_default()).with_dns_names(names).sign(&key)?;
        let response = session.exchange(&endpoint.with_password("simpleenroll", &csr))?;
        let certificate = issued(&response, &key)?;
        Self::holding(session, endpoint, key, certificate)
    }

    /// A device with this key and certificate.
    pub(super) fn holding(
        session: &mut Session<'_>,
        endpoint: Endpoint,
        key: Key,
        certificate: Certificate,
    ) -> Result<Self, Stop> {
        let pool = authorities(session, &endpoint)?;
        let mut chain = vec![certificate.der.clone()];
        // RFC 8446 §4.4.2: a root "MAY be omitted from the chain", what lies between is sent.
        if let Ok(path) = chain::validate(&certificate, &pool, session.now()) {
            chain.extend(path.iter().skip(1).filter(|one| !one.is_self_issued()).map(|one| one.der.clone()));
        }
        let identity = Arc::new(Identity { chain, key: key.pkcs8()? });
        Ok(Self { endpoint, key, certificate, identity })
    }

    /// A wish for the subject and the names that the certificate has (RFC 7030 §4.2.2), octet for octet.
    pub(super) fn same_names(&self) -> Wish {
        let wish = Wish::empty().with_subject(&self.certificate.subject);
        match self.alternative_names() {
            Some(names) => wish.with_alternative_names(&names),
            None => wish,
        }
    }

    /// The value of the certificate's `subjectAltName`.
    pub(super) fn alternative_names(&self) -> Option<Element> {
        self.certificate.extension(extension::SUBJECT_ALT_NAME).and_then(|extension| extension.element().ok())
    }

    /// A request that the certificate alone authenticates.
    pub(super) fn request(&self, operation: &str, csr: &[u8]) -> Request {
        let request = self.endpoint.anonymous(operation, csr);
        let dial = self.endpoint.dial().showing(&self.identity);
        request.dialled(dial)
    }

    /// Asks for a certificate of the same names and the same key, authenticated by the certificate alone.
    pub(super) fn ask(&self, session: &mut Session<'_>, operation: &str) -> Result<Result<Response, Failure>, Stop> {
        let csr = self.same_names().sign(&self.key)?;
        Ok(session.exchange(&self.request(operation, &csr)))
    }

    /// Renews at simplereenroll with this wish and key, and gives the new certificate.
    pub(super) fn renew(&self, session: &mut Session<'_>, wish: &Wish, key: &Key) -> Result<Certificate, Stop> {
        let response = session.exchange(&self.request("simplereenroll", &wish.sign(key)?))?;
        issued(&response, key)
    }
}

/// The certificates of cacerts at an endpoint.
pub(super) fn authorities(session: &mut Session<'_>, endpoint: &Endpoint) -> Result<Vec<Certificate>, Stop> {
    let response = session.exchange(&endpoint.get("cacerts"))?;
    require(response.status == 200, || format!("GET {} gave {}", endpoint.path("cacerts"), response.status))?;
    Ok(certs_only::decode(&response.content)?)
}
