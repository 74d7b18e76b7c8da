//! Lists that were signed where the key is: judged, taken into the ledger, and published as any.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use certgate_crl::{Crl, CrlError, Entry, Listed};
use certgate_enrollment::{
    CertificateRecord, CertificateStatus, Certificates, CrlRecord, CrlScope, EnrollError, Event, EventKind, LedgerError,
    ListedCertificate, Revocation, RevocationReason, StatusChange, StatusChanged, change_status_of_any,
};
use certgate_pki::{CrlReason, Serial, Timestamp, sha256};

use super::build::authority_key;
use super::files::{self, Found};
use super::shelf::Shelf;
use super::{ListId, PublishError, PublishedCrl, PublisherParts};
use crate::admin::OPERATOR;
use crate::telemetry::log_status_change;

/// How many certificates are read at one time.
const PAGE: usize = 4096;
/// Greatest number of a CRL that the ledger holds.
pub(crate) const MAX_CRL_NUMBER: u64 = i64::MAX.cast_unsigned();
/// How many entries of certificates that are not known are recorded at one time.
const BATCH: usize = 500;
/// How many serial numbers an error names.
const MOST_NAMED: usize = 20;

/// Why a list was not taken. What was served before still is.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ImportError {
    /// The gateway makes the lists itself.
    #[error(
        "the key of {0} is here, and the gateway makes its CRLs itself: a CRL is imported for an authority whose key is offline"
    )]
    KeyIsHere(String),
    /// It is no list, or none that is read here.
    #[error(transparent)]
    Malformed(#[from] CrlError),
    /// It is no complete list of this authority that could be published; says why.
    #[error("it is no CRL that could be published: {0}")]
    Unfit(String),
    /// It is not after all that were published before.
    #[error("its number is {number}, and {last} was published before: a CRL is made from the last one that was published")]
    NotAbove {
        /// Its number.
        number: u64,
        /// The greatest one.
        last: u64,
    },
    /// It leaves out what is revoked or on hold.
    #[error(
        "it lacks {count} certificates that are revoked or on hold here, and a revocation is for good (RFC 5280 §5.3.1); revoke them in it: {named}"
    )]
    Lacks {
        /// How many.
        count: usize,
        /// Serial numbers, the first of them.
        named: String,
    },
    /// Somebody else changed the same at the same time.
    #[error("something else was changed at the same time: import it again")]
    Raced,
    /// It was recorded, and is served until the next start, but is not in its file.
    #[error("it is served, and could not be written to its file: mend that, and import it again ({0})")]
    NotWritten(String),
    /// It was not recorded.
    #[error(transparent)]
    Authority(#[from] EnrollError),
    /// The ledger could not be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The work was not done.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl ImportError {
    /// Is it the list that is at fault, or what was asked?
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::KeyIsHere(_) | Self::Malformed(_) | Self::Unfit(_) | Self::NotAbove { .. } | Self::Lacks { .. } | Self::Raced
        )
    }
}

/// What came of a list.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The list.
    pub id: ListId,
    /// What it has revoked, or put on hold, that was good here before.
    pub revoked: Vec<Serial>,
    /// How many of its entries are of no certificate that is known here.
    pub unknown: usize,
}

/// Taking a list in.
pub(super) struct Importing<'i> {
    pub(super) parts: &'i PublisherParts,
    pub(super) shelf: &'i Shelf,
}

/// What of a list has been judged.
struct Judged {
    shard: u32,
    number: u64,
}

impl Importing<'_> {
    /// Judges a list, has the ledger know what it revokes, and publishes it. The very list that was recorded last is published anew.
    ///
    /// # Errors
    /// [`ImportError`].
    pub(super) async fn take(&self, der: Bytes) -> Result<Imported, ImportError> {
        let crl = Crl::parse(&der)?;
        let Judged { shard, number } = self.judge(&crl)?;
        let id = ListId { shard, is_delta: false };
        let scope = CrlScope { authority: self.parts.authority.name().to_owned(), shard };
        let sha256 = sha256(&*self.parts.provider.digest, &der);
        let last = self.parts.ledger.last_crl(&scope, false).await?;
        if let Some(record) = last.as_ref().filter(|last| last.sha256 == sha256) {
            self.publish(record.clone(), der.clone())?;
            return Ok(Imported { id, revoked: Vec::new(), unknown: 0 });
        }
        self.follows(&crl, number, last.as_ref(), &scope).await?;
        self.follows_file(&der, number, id).await?;
        self.lacks_nothing(shard, &crl).await?;
        let (changes, unknown) = self.changes(&crl).await?;
        let revoked = self.apply(changes).await?;
        self.remember(&unknown).await?;
        // What is revoked from here on is for the next list; what was revoked meanwhile is to be in this one.
        let sequence = self.parts.ledger.last_change().await?;
        self.lacks_nothing(shard, &crl).await?;
        let record = CrlRecord {
            scope,
            number,
            base: None,
            this_update: crl.this_update,
            next_update: crl.next_update,
            sequence,
            entries: u64::try_from(crl.entry_count()).unwrap_or(u64::MAX),
            sha256,
        };
        let recorded = self.parts.authority.record_crls(vec![record], OPERATOR).await?.ok_or(ImportError::Raced)?;
        for record in recorded.iter() {
            self.publish(record.clone(), der.clone())?;
        }
        Ok(Imported { id, revoked, unknown: unknown.len() })
    }

    /// Is it a complete list of this authority, for one of its scopes, and of now?
    fn judge(&self, crl: &Crl<'_>) -> Result<Judged, ImportError> {
        let unfit = |why: &str| Err(ImportError::Unfit(why.to_owned()));
        let name = self.parts.authority.name();
        let Some(own) = self.parts.authority.chain().first() else { return unfit("the authority has no certificate") };
        if crl.issuer.as_der() != own.subject().as_der() {
            return Err(ImportError::Unfit(format!("it is of {}, and {name} is {}", crl.issuer, own.subject())));
        }
        if crl.verify_signed_by(own.public_key(), &self.parts.provider).is_err() {
            return Err(ImportError::Unfit(format!("its signature is not by the key of {name}")));
        }
        if crl.is_delta() {
            return unfit("it is a delta, and a complete one is wanted");
        }
        // RFC 5280 §5.2.1: "Conforming CRL issuers MUST use the key identifier method, and MUST include this extension in all CRLs issued."
        if crl.authority_key.as_ref() != Some(&authority_key(own, &self.parts.provider)) {
            return unfit(
                "its authorityKeyIdentifier is not the authority's (with OpenSSL: authorityKeyIdentifier = keyid:always)",
            );
        }
        // RFC 5280 §5.2.3: "CRL issuers conforming to this profile MUST include this extension in all CRLs".
        let number = crl.number.as_ref().and_then(certgate_crl::CrlNumber::to_u64);
        let Some(number) = number.filter(|number| *number < MAX_CRL_NUMBER) else {
            return unfit("it has no number, or one that leaves none behind it below 2^63 (with OpenSSL: crlnumber)");
        };
        let now = self.parts.clock.now();
        if crl.this_update > now || crl.next_update <= now {
            return Err(ImportError::Unfit(format!(
                "it is good from {} to {}, and it is {now}",
                crl.this_update, crl.next_update
            )));
        }
        // RFC 5280 §5.2.6: deltas would be looked for, and there are none.
        if !crl.freshest.is_empty() {
            return unfit("it says that there are deltas (freshestCRL), which an authority whose key is offline has not");
        }
        match self.shard_of(crl) {
            Some(shard) => Ok(Judged { shard, number }),
            None => unfit(
                "its issuingDistributionPoint is of no list that this authority publishes: it stays that of the list before",
            ),
        }
    }

    /// The list whose place it takes.
    fn shard_of(&self, crl: &Crl<'_>) -> Option<u32> {
        let is_it = |shard: u32, point: Option<&certgate_crl::IssuingDistributionPoint>| {
            let served = self.shelf.get(ListId { shard, is_delta: false });
            let of_served = served.and_then(|list| Crl::parse(&list.der).ok().map(|crl| crl.distribution_point.clone()));
            crl.distribution_point.as_ref() == point || of_served.is_some_and(|point| crl.distribution_point == point)
        };
        self.parts.terms.scopes.iter().find(|scope| is_it(scope.shard, scope.point.as_ref())).map(|scope| scope.shard)
    }

    /// Is it after every list of its scope, by number and by date?
    async fn follows(&self, crl: &Crl<'_>, number: u64, last: Option<&CrlRecord>, scope: &CrlScope) -> Result<(), ImportError> {
        let delta = self.parts.ledger.last_crl(scope, true).await?;
        let greatest = last.into_iter().chain(&delta).map(|record| record.number).max();
        if let Some(last) = greatest.filter(|last| *last >= number) {
            return Err(ImportError::NotAbove { number, last });
        }
        if let Some(last) = last.filter(|last| last.this_update > crl.this_update) {
            let (then, before) = (crl.this_update, last.this_update);
            return Err(ImportError::Unfit(format!("it was made at {then}, and the last one at {before}: a clock is wrong")));
        }
        Ok(())
    }

    /// Is it after the list of its file, or that list? A ledger that has come back from a backup does not know of it, and others have seen it.
    async fn follows_file(&self, der: &[u8], number: u64, id: ListId) -> Result<(), ImportError> {
        let Found::Unknown(last) = files::find(self.parts, id).await? else { return Ok(()) };
        let is_it = files::read(self.parts, id).is_some_and(|file| file == der);
        if number > last || is_it { Ok(()) } else { Err(ImportError::NotAbove { number, last }) }
    }

    async fn lacks_nothing(&self, shard: u32, crl: &Crl<'_>) -> Result<(), ImportError> {
        let lacking = lacking(self.parts, shard, crl).await?;
        if lacking.is_empty() {
            return Ok(());
        }
        let mut named: Vec<String> = lacking.iter().take(MOST_NAMED).map(ToString::to_string).collect();
        named.extend((lacking.len() > MOST_NAMED).then(|| "…".to_owned()));
        Err(ImportError::Lacks { count: lacking.len(), named: named.join(" ") })
    }

    /// What the ledger is to learn of certificates that it has, and entries of those that it has not.
    async fn changes(&self, crl: &Crl<'_>) -> Result<(Vec<(CertificateRecord, Entry)>, Vec<Entry>), ImportError> {
        let (mut changes, mut unknown) = (Vec::new(), Vec::new());
        let own = self.parts.authority.chain().first().map(certgate_pki::Certificate::serial);
        for listed in crl.entries() {
            let Listed::Revoked(entry) = listed else { continue };
            if own == Some(&entry.serial) {
                return Err(ImportError::Unfit("it revokes the authority itself, whose end is told by other ways".to_owned()));
            }
            let Some(record) = self.parts.ledger.find_issued(self.parts.authority.name(), &entry.serial).await? else {
                unknown.push(entry);
                continue;
            };
            let is_hold = entry.reason == Some(CrlReason::CertificateHold);
            let is_known = match record.status {
                CertificateStatus::Valid => false,
                CertificateStatus::Held(_) => is_hold,
                CertificateStatus::Revoked(_) => true,
            };
            if !is_known {
                changes.push((record, entry));
            }
        }
        Ok((changes, unknown))
    }

    /// Of certificates that are not known here the ledger has what the list says, so that the next one says it too, whoever makes it.
    async fn remember(&self, unknown: &[Entry]) -> Result<(), ImportError> {
        let Some(own) = self.parts.authority.chain().first() else { return Ok(()) };
        let (name, not_after) = (self.parts.authority.name(), own.validity().not_after);
        for batch in unknown.chunks(BATCH) {
            let listed = |entry| listed_entry(entry, (name, not_after), (self.parts.clock.now(), "crl import"));
            self.parts.ledger.import_entries(batch.iter().map(listed).collect()).await?;
        }
        Ok(())
    }

    async fn apply(&self, changes: Vec<(CertificateRecord, Entry)>) -> Result<Vec<Serial>, ImportError> {
        let ledger: &dyn Certificates = &*self.parts.ledger;
        let mut revoked = Vec::new();
        for (record, entry) in changes {
            let change = match entry.reason {
                Some(CrlReason::CertificateHold) => StatusChange::Hold,
                reason => StatusChange::Revoke(revocation_reason(reason), entry.invalidity_date),
            };
            let times = (self.parts.clock.now(), entry.revocation_date);
            match change_status_of_any(ledger, &record, change, times, OPERATOR).await? {
                StatusChanged::Changed => {
                    log_status_change(&entry.serial, change);
                    revoked.push(entry.serial);
                }
                StatusChanged::AlreadySo => revoked.push(entry.serial),
                StatusChanged::IsRevoked | StatusChanged::Raced => return Err(ImportError::Raced),
                StatusChanged::IsAuthority => {
                    return Err(ImportError::Unfit(format!("{} is the certificate of a root", entry.serial)));
                }
            }
        }
        Ok(revoked)
    }

    /// It is recorded: it is served, and written to its file.
    fn publish(&self, record: CrlRecord, der: Bytes) -> Result<(), ImportError> {
        let list = Arc::new(PublishedCrl::new(record, der, self.parts.terms.period(false)));
        self.shelf.put([Arc::clone(&list)]);
        files::write(&self.parts.directory, &list).map_err(|error| ImportError::NotWritten(format!("{error:#}")))
    }
}

/// What a CRL says of a certificate of which nothing else may be known, and its event: of this authority, which ends then.
pub(crate) fn listed_entry(
    entry: &Entry,
    (authority, not_after): (&str, Timestamp),
    (at, from): (Timestamp, &str),
) -> (ListedCertificate, Event) {
    let status = entry_status(entry);
    let mut details = vec![
        ("serial", entry.serial.to_string()),
        ("authority", authority.to_owned()),
        ("since", entry.revocation_date.to_string()),
        ("imported_from", from.to_owned()),
    ];
    let kind = match status {
        CertificateStatus::Revoked(revocation) => {
            details.push(("reason", revocation.reason.name().to_owned()));
            details.extend(revocation.invalid_since.map(|since| ("invalidity_date", since.to_string())));
            EventKind::CertificateRevoked
        }
        CertificateStatus::Held(_) | CertificateStatus::Valid => EventKind::CertificateHeld,
    };
    let listed = ListedCertificate { authority: authority.to_owned(), serial: entry.serial.clone(), not_after, status };
    (listed, Event { at, kind, actor: OPERATOR.to_owned(), details })
}

/// What an entry says.
pub(crate) fn entry_status(entry: &Entry) -> CertificateStatus {
    match entry.reason {
        Some(CrlReason::CertificateHold) => CertificateStatus::Held(entry.revocation_date),
        reason => CertificateStatus::Revoked(Revocation {
            at: entry.revocation_date,
            reason: revocation_reason(reason),
            invalid_since: entry.invalidity_date,
        }),
    }
}

fn revocation_reason(reason: Option<CrlReason>) -> RevocationReason {
    let code = reason.map(CrlReason::code);
    RevocationReason::ALL.into_iter().find(|one| Some(one.code()) == code).unwrap_or(RevocationReason::Unspecified)
}

/// Certificates that are revoked or on hold and not over, and of which this list of their shard, 0 being all of them, does not say so.
///
/// # Errors
/// [`LedgerError`].
pub(super) async fn lacking(parts: &PublisherParts, shard: u32, crl: &Crl<'_>) -> Result<Vec<Serial>, LedgerError> {
    let now: Timestamp = parts.clock.now();
    let entries = crl.entries().filter_map(|listed| match listed {
        Listed::Revoked(entry) => Some((entry.serial, entry.reason == Some(CrlReason::CertificateHold))),
        Listed::Removed(_) => None,
    });
    let held: BTreeMap<Serial, bool> = entries.collect();
    let (mut lacking, mut last) = (Vec::new(), None);
    loop {
        let page = parts.ledger.not_good(parts.authority.name(), now.floor_to_second(), last.as_ref(), PAGE).await?;
        for state in page.iter().filter(|state| !state.no_rev_avail && (shard == 0 || state.shard == shard)) {
            let is_said = match (held.get(&state.serial), state.status) {
                (None, _) => false,
                // One on hold could be released.
                (Some(is_hold), CertificateStatus::Revoked(_)) => !is_hold,
                (Some(_), _) => true,
            };
            if !is_said {
                lacking.push(state.serial.clone());
            }
        }
        match page.last() {
            Some(state) if page.len() == PAGE => last = Some(state.serial.clone()),
            _ => return Ok(lacking),
        }
    }
}
