//! The certificates that clauses ask about: enrolled for over EST, revoked, held and released by hook, and shared in a run.

use super::session::Session;
use crate::{
    certificate::Certificate,
    csr::Wish,
    endpoint::Endpoint,
    est::steps::issued,
    hook::Hook,
    verdict::{Stop, require},
};

/// `certificateHold` (RFC 5280 §5.3.1).
pub(super) const CERTIFICATE_HOLD: u8 = 6;

/// Why a certificate is revoked: as the hook spells it, and its number (RFC 5280 §5.3.1).
#[derive(Clone, Copy)]
pub(super) struct Reason {
    word: &'static str,
    pub(super) number: u8,
}

pub(super) const KEY_COMPROMISE: Reason = Reason { word: "keyCompromise", number: 1 };
pub(super) const SUPERSEDED: Reason = Reason { word: "superseded", number: 4 };

/// What a run has enrolled for, and what has become of it.
#[derive(Default)]
pub struct Stock {
    endpoint: Option<Endpoint>,
    good: Vec<Certificate>,
    /// Each certificate whose status was changed.
    pub(super) changed: Vec<Changed>,
}

/// A certificate whose status was changed by hook.
#[derive(Clone)]
pub(super) struct Changed {
    pub(super) certificate: Certificate,
    /// The reason that it is revoked for; `None` once it is released.
    pub(super) reason: Option<u8>,
    /// Before and after the last hook, seconds since 1970.
    pub(super) between: (i64, i64),
}

impl Session<'_> {
    /// A certificate that is good and stays so, by its number; the same in the whole run.
    pub(super) fn good(&mut self, number: usize) -> Result<Certificate, Stop> {
        while self.stock.good.len() <= number {
            let fresh = self.enroll()?;
            self.stock.good.push(fresh);
        }
        self.stock.good.get(number).cloned().ok_or_else(|| Stop::fail("no certificate"))
    }

    /// A certificate that is revoked for compromise of its key, for as long as answers may be late; the same in the whole run.
    pub(super) fn revoked(&mut self) -> Result<Changed, Stop> {
        let is_wanted = |changed: &&Changed| changed.reason == Some(KEY_COMPROMISE.number);
        if let Some(known) = self.stock.changed.iter().find(is_wanted) {
            return Ok(known.clone());
        }
        self.require_hook(Hook::Revoke)?;
        let certificate = self.enroll()?;
        let changed = self.revoke(&certificate, KEY_COMPROMISE)?;
        self.wait_for_delay();
        Ok(changed)
    }

    /// A new certificate, of the issuer that the target names.
    pub(super) fn enroll(&mut self) -> Result<Certificate, Stop> {
        let endpoint = self.enrollment()?;
        self.enroll_at(&endpoint)
    }

    pub(super) fn enroll_at(&mut self, endpoint: &Endpoint) -> Result<Certificate, Stop> {
        let key = self.est.device_key()?;
        let csr = Wish::common_name(&endpoint.user).with_dns_names(&[&endpoint.user]).sign(&key)?;
        let response = self.est.exchange(&endpoint.with_password("simpleenroll", &csr))?;
        let certificate = issued(&response, &key).map_err(|stop| stop.about("simpleenroll"))?;
        require(certificate.issuer == self.responder().issuer.subject, || {
            "in the target: issuer_file is not the issuer of what EST gives".into()
        })?;
        Ok(certificate)
    }

    fn enrollment(&mut self) -> Result<Endpoint, Stop> {
        if let Some(known) = &self.stock.endpoint {
            return Ok(known.clone());
        }
        let endpoint = match self.est.endpoint() {
            Err(Stop::Skip(_)) if self.est.makes_users() => {
                let url = self.est.target().url.parse().map_err(Stop::fail)?;
                self.est.new_user_at(url, &[])?
            }
            other => other?,
        };
        self.stock.endpoint = Some(endpoint.clone());
        Ok(endpoint)
    }

    pub(super) fn require_hook(&self, hook: Hook) -> Result<(), Stop> {
        if self.est.has_hook(hook) { Ok(()) } else { Err(Stop::Skip(format!("the target has no hook {}", hook.name()))) }
    }

    pub(super) fn revoke(&mut self, certificate: &Certificate, reason: Reason) -> Result<Changed, Stop> {
        self.change(certificate, Hook::Revoke, Some(reason.number), &[("reason", reason.word)])
    }

    pub(super) fn hold(&mut self, certificate: &Certificate) -> Result<Changed, Stop> {
        self.change(certificate, Hook::Hold, Some(CERTIFICATE_HOLD), &[])
    }

    pub(super) fn release(&mut self, certificate: &Certificate) -> Result<Changed, Stop> {
        self.change(certificate, Hook::Release, None, &[])
    }

    fn change(
        &mut self,
        certificate: &Certificate,
        hook: Hook,
        reason: Option<u8>,
        more: &[(&str, &str)],
    ) -> Result<Changed, Stop> {
        let serial = certificate.serial_hex();
        let begin = self.now();
        self.est.run_hook(hook, &[&[("serial", serial.as_str())], more].concat(), &[])?;
        let changed = Changed { certificate: certificate.clone(), reason, between: (begin, self.now()) };
        self.stock.changed.retain(|known| known.certificate.serial != certificate.serial);
        self.stock.changed.push(changed.clone());
        Ok(changed)
    }
}
