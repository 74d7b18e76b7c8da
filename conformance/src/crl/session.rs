//! What a check of CRLs has at hand: the lists, certificates that are to be on them, and whoever revokes.

use std::{path::Path, time::Duration};

use anyhow::Context;
use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::{list::RevocationList, scope::Scope};
use crate::{
    certificate::Certificate,
    certs_only,
    channel::Dial,
    clause::{Reading, Suite},
    csr::Wish,
    endpoint::Endpoint,
    hook::Hook,
    http::{Request, Response},
    key::KeyKind,
    session,
    target::{CrlTarget, Target, Url},
    transport::{Failure, Transport},
    verdict::{Stop, Verdict, require},
};

/// The code behind a clause of CRLs.
pub type Check = fn(&mut Session<'_>) -> Verdict;

/// How long to wait before a list is looked at again.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// One clause's view of the publisher under test.
pub struct Session<'t> {
    /// Enrollment, hooks and the time.
    pub(super) est: session::Session<'t>,
    crl: &'t CrlTarget,
    url: Url,
    issuer: Certificate,
    sharded: Option<Endpoint>,
}

/// A certificate, and the lists that tell of it.
pub(super) struct Subject {
    pub(super) certificate: Certificate,
    pub(super) scope: Scope,
}

/// A way to a certificate and its lists.
pub(super) type Enroll = fn(&mut Session<'_>) -> Result<Subject, Stop>;

/// A certificate of each kind, and what its lists are called.
pub(super) const KINDS: [(&str, Enroll); 2] =
    [("complete", |session| session.subject()), ("shard", |session| session.sharded_subject())];

impl<'t> Session<'t> {
    /// A session with the publisher of `target`, whose certificates are enrolled for over EST.
    ///
    /// # Errors
    /// A target without EST or without CRLs, a URL that is none, or an issuer's certificate that does not read.
    pub fn new(target: &'t Target, transport: &'t mut dyn Transport, device: (Reading, KeyKind)) -> anyhow::Result<Self> {
        let url = target.url(Suite::Crl)?;
        let crl = target.crl.as_ref().context("the target has no [crl] table")?;
        let issuer = read_certificate(&crl.issuer_file)?;
        let est = session::Session::new(target, transport, device)?;
        Ok(Self { est, crl, url, issuer, sharded: None })
    }

    /// Where the complete list is.
    pub(super) fn url(&self) -> Url {
        self.url.clone()
    }

    /// The certificate of the authority whose list it is.
    pub(super) const fn issuer(&self) -> &Certificate {
        &self.issuer
    }

    /// Seconds that may pass between a revocation and the first list that has it.
    pub(super) fn delay(&self) -> i64 {
        i64::try_from(self.crl.delay_seconds).unwrap_or(i64::MAX)
    }

    /// GET of a URL, called `name` by mutations.
    pub(super) fn get(&mut self, url: &Url, name: &'static str) -> Result<Response, Failure> {
        self.send(url, Request::new("GET", target_of(url)).called(name))
    }

    /// A request to the origin of a URL.
    pub(super) fn send(&mut self, url: &Url, request: Request) -> Result<Response, Failure> {
        self.est.exchange(&request.dialled(Dial { origin: Some(url.clone()), ..Dial::default() }))
    }

    /// The list at a URL.
    pub(super) fn list(&mut self, url: &Url, name: &'static str) -> Result<RevocationList, Stop> {
        let response = self.get(url, name).map_err(|failure| Stop::Fail(format!("{url}: {failure}")))?;
        require(response.status == 200, || format!("{url}: {}, not 200", response.status))?;
        RevocationList::parse(&response.content).map_err(|fault| Stop::Fail(format!("{url}: {fault}")))
    }

    /// A certificate of the first authority, for the target's user.
    pub(super) fn enroll(&mut self) -> Result<Certificate, Stop> {
        let endpoint = self.est.endpoint()?;
        self.enroll_at(&endpoint)
    }

    /// A certificate of an endpoint.
    pub(super) fn enroll_at(&mut self, endpoint: &Endpoint) -> Result<Certificate, Stop> {
        let key = self.est.device_key()?;
        let csr = Wish::common_name(&endpoint.user).sign(&key)?;
        let response = self.est.exchange(&endpoint.with_password("simpleenroll", &csr))?;
        require(response.status == 200, || format!("enrollment: {}, not 200", response.status))?;
        let own = key.spki()?;
        let mut issued = certs_only::decode(&response.content)?.into_iter().filter(|one| one.spki == own);
        issued.next().ok_or_else(|| Stop::fail("enrollment: no certificate for the CSR's key"))
    }

    /// A certificate of the first authority, and its lists.
    pub(super) fn subject(&mut self) -> Result<Subject, Stop> {
        let certificate = self.enroll()?;
        let scope = Scope::first(self, &certificate)?;
        Ok(Subject { certificate, scope })
    }

    /// A certificate of the authority whose lists are sharded, and the lists of its shard.
    pub(super) fn sharded_subject(&mut self) -> Result<Subject, Stop> {
        let endpoint = self.sharded_endpoint()?;
        let certificate = self.enroll_at(&endpoint)?;
        let issuer = self.issuer_at(&endpoint, &certificate)?;
        let scope = Scope::sharded(self, &certificate, issuer)?;
        Ok(Subject { certificate, scope })
    }

    fn sharded_endpoint(&mut self) -> Result<Endpoint, Stop> {
        if let Some(known) = &self.sharded {
            return Ok(known.clone());
        }
        let Some(url) = self.crl.sharded_est_url.as_deref() else {
            return Err(Stop::Skip("the target has no sharded_est_url".into()));
        };
        let endpoint = self.est.endpoint_at(url)?;
        self.sharded = Some(endpoint.clone());
        Ok(endpoint)
    }

    /// Who issued a certificate of an endpoint, by its `cacerts` (RFC 7030 §4.1).
    fn issuer_at(&mut self, endpoint: &Endpoint, certificate: &Certificate) -> Result<Certificate, Stop> {
        let response = self.est.exchange(&endpoint.get("cacerts"))?;
        let wanted = certificate.authority_key_identifier();
        let is_issuer = |one: &Certificate| one.subject == certificate.issuer && one.subject_key_identifier() == wanted;
        let found = certs_only::decode(&response.content)?.into_iter().find(is_issuer);
        found.ok_or_else(|| Stop::Fail(format!("{}: no certificate of the issuer in cacerts", endpoint.url)))
    }

    /// Revokes a certificate.
    pub(super) fn revoke(&mut self, certificate: &Certificate, reason: &str) -> Result<(), Stop> {
        let serial = certificate.serial_hex();
        self.est.run_hook(Hook::Revoke, &[("serial", &serial), ("reason", reason)], &[]).map(|_| ())
    }

    /// Puts a certificate on hold, or releases it.
    pub(super) fn suspend(&mut self, hook: Hook, certificate: &Certificate) -> Result<(), Stop> {
        let serial = certificate.serial_hex();
        self.est.run_hook(hook, &[("serial", &serial)], &[]).map(|_| ())
    }

    /// Skips unless the target has these hooks.
    pub(super) fn need(&self, hooks: &[Hook]) -> Result<(), Stop> {
        match hooks.iter().find(|hook| !self.est.has_hook(**hook)) {
            Some(absent) => Err(Stop::Skip(format!("the target has no hook {}", absent.name()))),
            None => Ok(()),
        }
    }

    /// Sets the server's clock (seconds since 1970).
    pub(super) fn set_time(&mut self, moment: i64) -> Result<(), Stop> {
        let time = jiff::Timestamp::from_second(moment).map_err(Stop::fail)?.to_string();
        self.est.run_hook(Hook::SetTime, &[("time", &time)], &[]).map(|_| ())
    }

    /// Whether the list can still be fetched, on a new connection.
    ///
    /// # Errors
    /// [`Stop::Fail`] when it cannot.
    pub fn assert_alive(&mut self) -> Result<(), Stop> {
        let url = self.url();
        match self.get(&url, "alive") {
            Ok(response) if response.status == 200 => Ok(()),
            Ok(response) => Err(Stop::Fail(format!("afterwards {url} gave {}", response.status))),
            Err(failure) => Err(Stop::Fail(format!("afterwards {url}: {failure}"))),
        }
    }
}

/// The request target for a URL (RFC 9112 §3.2.1).
pub(super) const fn target_of(url: &Url) -> &str {
    if url.path.is_empty() { "/" } else { url.path.as_str() }
}

fn read_certificate(path: &Path) -> anyhow::Result<Certificate> {
    let der = CertificateDer::from_pem_file(path).with_context(|| path.display().to_string())?;
    Certificate::parse(&der).with_context(|| path.display().to_string())
}
