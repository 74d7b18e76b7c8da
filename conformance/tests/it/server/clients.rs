//! Who asks: by name and password, or by a client certificate that this server issued.

use certgate_conformance::{
    certificate::Certificate,
    chain,
    csr::attribute,
    http::{Request, basic},
};
use der::Encode;

use super::{Fault, Peer, Server};

/// One who is known.
pub(super) struct Client {
    pub(super) name: String,
    pub(super) allowed: Vec<String>,
    /// The certificate that tells who it is.
    pub(super) certificate: Option<Certificate>,
}

impl Server {
    pub(super) fn client(&self, label: &str, request: &Request, peer: &Peer) -> Option<Client> {
        self.by_password(label, request).or_else(|| self.by_certificate(peer))
    }

    fn by_password(&self, label: &str, request: &Request) -> Option<Client> {
        let (_, value) = request.fields.iter().find(|(name, _)| name == "Authorization")?;
        let mut here = self.users.iter().filter(|user| user.endpoint == label);
        let user = here.find(|user| *value == basic(&user.name, &user.password))?;
        Some(Client { name: user.name.clone(), allowed: user.allowed.clone(), certificate: None })
    }

    /// RFC 5280 §6.1 and the status of the certificate, both at every request.
    fn by_certificate(&self, peer: &Peer) -> Option<Client> {
        let certificate = Certificate::parse(peer.chain.first()?).ok()?;
        if self.has(Fault::TrustsAnyCertificate) {
            let name = certificate.subject_values(attribute::COMMON_NAME).pop()?;
            return Some(Client { allowed: vec![name.clone()], name, certificate: Some(certificate) });
        }
        let pool = [&self.issuing, &self.root].map(|authority| authority.certificate.to_der().expect("DER"));
        let pool = pool.map(|der| Certificate::parse(&der).expect("DER"));
        chain::validate(&certificate, &pool, self.clock()).ok()?;
        let issued = self.issued.iter().find(|issued| issued.der == certificate.der)?;
        if !issued.is_good && !self.has(Fault::ForgetsRevocation) {
            return None;
        }
        let user = self.users.iter().find(|user| user.name == issued.user)?;
        Some(Client { name: user.name.clone(), allowed: user.allowed.clone(), certificate: Some(certificate) })
    }
}
