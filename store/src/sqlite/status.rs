//! A status, as its columns have it.

use certgate_enrollment::{CertificateStatus, LedgerError, Revocation, RevocationReason};
use certgate_pki::Timestamp;
use rusqlite::Row;

use super::audit_chain::number;
use super::damaged;

/// `status, reason, changed_at, invalid_since`.
#[derive(Clone, Copy, Default)]
pub(super) struct StatusColumns {
    pub(super) status: i64,
    pub(super) reason: Option<u8>,
    pub(super) changed_at: Option<i64>,
    pub(super) invalid_since: Option<i64>,
}

impl StatusColumns {
    /// From a row that has the four of them, beginning there.
    pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            status: row.get(first)?,
            reason: row.get(first + 1)?,
            changed_at: row.get(first + 2)?,
            invalid_since: row.get(first + 3)?,
        })
    }

    /// The status.
    pub(super) fn status(self) -> Result<CertificateStatus, LedgerError> {
        let milli = |millis: i64| Timestamp::from_millis(millis.cast_unsigned());
        match (self.status, self.reason, self.changed_at) {
            (0, None, None) => Ok(CertificateStatus::Valid),
            (1, None, Some(since)) => Ok(CertificateStatus::Held(milli(since))),
            (2, Some(code), Some(at)) => {
                let reason = RevocationReason::ALL.into_iter().find(|reason| reason.code() == code);
                let reason = reason.ok_or_else(|| damaged("the reason of a revocation"))?;
                let invalid_since = self.invalid_since.map(second);
                Ok(CertificateStatus::Revoked(Revocation { at: milli(at), reason, invalid_since }))
            }
            _ => Err(damaged("the status of a certificate")),
        }
    }
}

impl From<CertificateStatus> for StatusColumns {
    fn from(status: CertificateStatus) -> Self {
        let time = |time: Timestamp| Some(number(time.millis()));
        match status {
            CertificateStatus::Valid => Self::default(),
            CertificateStatus::Held(since) => Self { status: 1, changed_at: time(since), ..Self::default() },
            CertificateStatus::Revoked(Revocation { at, reason, invalid_since }) => Self {
                status: 2,
                reason: Some(reason.code()),
                changed_at: time(at),
                invalid_since: invalid_since.map(|since| number(since.seconds())),
            },
        }
    }
}

/// A time that is kept in seconds.
pub(super) fn second(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds.cast_unsigned())
}
