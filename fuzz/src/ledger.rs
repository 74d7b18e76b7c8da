//! A ledger that remembers one thing: what was recorded.

use std::sync::Mutex;

use async_trait::async_trait;
use certgate_enrollment::{
    Along, CertificateQuery, CertificateRecord, CertificateRecorded, CertificateStatus, Certificates, CrlRecord, CrlScope,
    Crls, EnrollmentId, EnrollmentKey, EnrollmentQuery, EnrollmentRecord, EnrollmentState, Enrollments, Event, LedgerError,
    NewEnrollment, Page, Protocol, Standing, Submitted,
};
use certgate_pki::{Serial, Timestamp};

/// What was recorded since it was asked last.
#[derive(Debug, Default)]
pub struct Records(Mutex<Vec<CertificateRecord>>);

impl Records {
    /// Takes them.
    #[must_use]
    pub fn take(&self) -> Vec<CertificateRecord> {
        self.0.lock().map(|mut records| std::mem::take(&mut *records)).unwrap_or_default()
    }
}

#[async_trait]
impl Certificates for Records {
    async fn record(&self, certificate: CertificateRecord, _: Along, _: Event) -> Result<CertificateRecorded, LedgerError> {
        self.0.lock().map_err(|_| LedgerError::Conflict("a panic"))?.push(certificate);
        Ok(CertificateRecorded::Recorded)
    }

    async fn find(&self, _: &Serial) -> Result<Option<CertificateRecord>, LedgerError> {
        Ok(None)
    }

    async fn find_issued(&self, _: &str, _: &Serial) -> Result<Option<CertificateRecord>, LedgerError> {
        Ok(None)
    }

    async fn change_status(&self, _: &CertificateRecord, _: CertificateStatus, _: Event) -> Result<bool, LedgerError> {
        Ok(false)
    }

    async fn list(&self, _: CertificateQuery) -> Result<Page<CertificateRecord>, LedgerError> {
        Ok(Page { items: Vec::new(), next: None })
    }
}

/// No CRL is published here.
pub(crate) struct NoCrls;

#[async_trait]
impl Crls for NoCrls {
    async fn record_crls(&self, _: Vec<(CrlRecord, Event)>) -> Result<bool, LedgerError> {
        Ok(false)
    }

    async fn last_crl(&self, _: &CrlScope, _: bool) -> Result<Option<CrlRecord>, LedgerError> {
        Ok(None)
    }

    async fn withdraw_crl(&self, _: &CrlScope, _: u64, _: Event) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn base_crl(&self, _: &CrlScope, _: Timestamp) -> Result<Option<CrlRecord>, LedgerError> {
        Ok(None)
    }

    async fn crl_shards(&self, _: &str) -> Result<Vec<u32>, LedgerError> {
        Ok(Vec::new())
    }
}

/// No request waits here, and none may.
pub(crate) struct NoEnrollments;

#[async_trait]
impl Enrollments for NoEnrollments {
    async fn submit(&self, _: NewEnrollment, _: u64, _: Event) -> Result<Submitted, LedgerError> {
        Ok(Submitted::TooMany)
    }

    async fn find_by_key(&self, _: &EnrollmentKey, _: Timestamp) -> Result<Option<EnrollmentRecord>, LedgerError> {
        Ok(None)
    }

    async fn find_by_transaction(&self, _: Protocol, _: &str, _: &str) -> Result<Option<EnrollmentRecord>, LedgerError> {
        Ok(None)
    }

    async fn find_by_id(&self, _: &EnrollmentId) -> Result<Option<EnrollmentRecord>, LedgerError> {
        Ok(None)
    }

    async fn find_by_csr(&self, _: &[u8; 32], _: usize) -> Result<Vec<EnrollmentRecord>, LedgerError> {
        Ok(Vec::new())
    }

    async fn standing(&self, _: &EnrollmentRecord, _: &str) -> Result<Standing, LedgerError> {
        Ok(Standing::Ended)
    }

    async fn advance(&self, _: &EnrollmentRecord, _: EnrollmentState, _: &str, _: Event) -> Result<bool, LedgerError> {
        Ok(false)
    }

    async fn list_enrollments(&self, _: EnrollmentQuery) -> Result<Page<EnrollmentRecord>, LedgerError> {
        Ok(Page { items: Vec::new(), next: None })
    }
}
