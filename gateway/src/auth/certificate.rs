//! TLS client certificates against the ledger (RFC 7030 §3.3.2).

use std::sync::Arc;

use certgate_enrollment::{CertificateDenied, Certificates, Clock, LedgerError, Operation, Principal, Proof, Renewal, judge};
use certgate_pki::Certificate;
use certgate_policy::{NamePattern, Profile};

/// Judges client certificates for each request.
pub struct CertificateAuthenticator {
    certificates: Arc<dyn Certificates>,
    clock: Arc<dyn Clock>,
}

/// Whom a certificate vouches for.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The principal that it was issued to, who may have the names in it.
    pub principal: Principal,
    /// The certificate, to be renewed if that is what is asked.
    pub renewal: Renewal,
}

impl CertificateAuthenticator {
    /// Against these certificates, at this clock's time.
    #[must_use]
    pub fn new(certificates: Arc<dyn Certificates>, clock: Arc<dyn Clock>) -> Self {
        Self { certificates, clock }
    }

    /// The holder of a certificate (DER, its key proved in the handshake) where `profile` issues.
    ///
    /// # Errors
    /// Why it vouches for nobody, or why that could not be found out.
    pub async fn authenticate(
        &self,
        presented: &[u8],
        profile: &Profile,
        operation: Operation,
    ) -> Result<Result<Holder, CertificateDenied>, LedgerError> {
        // One that cannot be read is none of ours.
        let Ok(certificate) = Certificate::from_der(presented) else { return Ok(Err(CertificateDenied::NotOurs)) };
        let record = self.certificates.find_issued(&profile.authority, certificate.serial()).await?;
        if let Err(denied) = judge(&certificate, record.as_ref(), profile, operation, self.clock.now()) {
            return Ok(Err(denied));
        }
        let (Some(record), Ok(names)) = (record, certificate.extensions().subject_alt_names()) else {
            return Ok(Err(CertificateDenied::NotOurs));
        };
        let grants = NamePattern::of_certificate(certificate.subject(), &names);
        let principal = Principal { name: record.principal, grants, proof: Proof::Certificate(record.serial), ends_at: None };
        let renewal = Renewal { certificate, asked_subject: record.asked_subject, may_omit_names: false };
        Ok(Ok(Holder { principal, renewal }))
    }
}
