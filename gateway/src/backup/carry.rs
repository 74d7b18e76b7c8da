//! What must not be forgotten is carried over from the ledger that is replaced: certificates, and what became of them.

use base16ct::lower::encode_string;
use certgate_enrollment::{
    CertificateRecord, CertificateStatus, Certificates, Event, EventKind, INTERNAL_PRINCIPAL, LedgerError,
};
use certgate_pki::{Provider, Timestamp, sha256};
use certgate_store::{Issued, SqliteLedger, Unlike};
use tokio::task::JoinSet;

/// How many are under way at one time, and so in one commit.
const BATCH: usize = 256;

/// Where from, where to, and when.
pub(super) struct Carrying<'c> {
    pub(super) replaced: &'c SqliteLedger,
    pub(super) restored: &'c SqliteLedger,
    pub(super) provider: &'c Provider,
    pub(super) now: Timestamp,
}

impl Carrying<'_> {
    /// Carries over all that the restored ledger does not know, or knows better of. Whatever was revoked is revoked, at the time at which it
    /// was.
    ///
    /// # Errors
    /// [`LedgerError`] when one of the two cannot be read or written.
    pub(super) async fn carry(&self, unlike: &Unlike) -> Result<(), LedgerError> {
        for batch in unlike.unknown.chunks(BATCH) {
            let mut writes = JoinSet::new();
            for issued in batch {
                let Some(record) = find(self.replaced, issued).await? else { continue };
                let (now, digest) = (self.now, encode_string(&sha256(&*self.provider.digest, &record.der)));
                let restored = self.restored.clone();
                let event = move |record: &CertificateRecord| carried(record, digest, now);
                writes.spawn(async move { restored.carry_over(record, event).await });
            }
            finish(writes).await?;
        }
        for batch in unlike.better.chunks(BATCH) {
            let mut writes = JoinSet::new();
            for issued in batch {
                let (was, is) = (find(self.replaced, issued).await?, find(self.restored, issued).await?);
                let (Some(was), Some(is)) = (was, is) else { continue };
                let (event, restored) = (self.ended(&was), self.restored.clone());
                writes.spawn(async move { restored.change_status(&is, was.status, event).await.map(drop) });
            }
            finish(writes).await?;
        }
        Ok(())
    }

    fn ended(&self, record: &CertificateRecord) -> Event {
        let mut details = named(record);
        let kind = match record.status {
            CertificateStatus::Revoked(revocation) => {
                details.push(("reason", revocation.reason.name().to_owned()));
                details.extend(revocation.invalid_since.map(|since| ("invalidity_date", since.to_string())));
                details.push(("revoked_at", revocation.at.to_string()));
                EventKind::CertificateRevoked
            }
            _ => EventKind::CertificateHeld,
        };
        event(kind, self.now, details)
    }
}

/// As it is recorded: a CRL that the backup has may say more of it.
fn carried(record: &CertificateRecord, sha256: String, now: Timestamp) -> Event {
    let mut details = named(record);
    details.push(("sha256", sha256));
    details.push(("status", record.status_name(now).name().to_owned()));
    event(EventKind::CertificateCarriedOver, now, details)
}

fn event(kind: EventKind, at: Timestamp, details: Vec<(&'static str, String)>) -> Event {
    Event { at, kind, actor: INTERNAL_PRINCIPAL.to_owned(), details }
}

fn named(record: &CertificateRecord) -> Vec<(&'static str, String)> {
    vec![("serial", record.serial.to_string()), ("authority", record.authority.clone())]
}

async fn find(ledger: &SqliteLedger, issued: &Issued) -> Result<Option<CertificateRecord>, LedgerError> {
    ledger.find_issued(&issued.authority, &issued.serial).await
}

async fn finish(mut writes: JoinSet<Result<(), LedgerError>>) -> Result<(), LedgerError> {
    while let Some(written) = writes.join_next().await {
        written.map_err(|error| LedgerError::Unavailable(error.to_string()))??;
    }
    Ok(())
}
