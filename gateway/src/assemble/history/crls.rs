//! The last CRLs of a CA that is taken over.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use base16ct::lower::encode_string;
use certgate_crl::{Crl, Entry, Listed};
use certgate_enrollment::{
    CertificateStatus, CrlRecord, CrlScope, Crls as _, EntryImported, Event, EventKind, History as _, ListedCertificate,
    Statuses as _,
};
use certgate_pki::{Timestamp, sha256};

use super::files::{CRLS, Objects};
use super::{BATCH, History, HistoryTaken, Stage, Tell};
use crate::admin::OPERATOR;
use crate::publish::{MAX_CRL_NUMBER, entry_status, listed_entry};

/// Files of CRLs, and what is kept of them once they are checked.
#[derive(Default)]
pub(super) struct OldCrls {
    files: Vec<PathBuf>,
    entries: u64,
    /// The one with the greatest number.
    last: Option<LastCrl>,
}

/// What is kept of it.
#[derive(Clone, Copy)]
struct LastCrl {
    number: u64,
    this_update: Timestamp,
    next_update: Timestamp,
    entries: u64,
    sha256: [u8; 32],
}

impl OldCrls {
    /// The greatest number among them.
    pub(super) fn number(&self) -> Option<u64> {
        self.last.map(|last| last.number)
    }
}

impl History<'_> {
    /// Reads all CRLs, and keeps what their numbers are.
    pub(super) async fn check_crls(&mut self, files: &[PathBuf]) -> anyhow::Result<()> {
        let before = self.base.ledger.last_imported_crl(&self.config.name).await?;
        for path in files {
            let name = || path.display().to_string();
            for der in Objects::open(path, CRLS).with_context(name)? {
                let der = der.with_context(name)?;
                self.check_crl(&der, before).await.with_context(name)?;
            }
        }
        self.crls.files = files.to_vec();
        Ok(())
    }

    async fn check_crl(&mut self, der: &[u8], before: Option<u64>) -> anyhow::Result<()> {
        let crl = Crl::parse(der)?;
        if crl.issuer.as_der() != self.own.subject().as_der() {
            bail!("it is a CRL of {}, not of {}", crl.issuer, self.own.subject());
        }
        if crl.verify_signed_by(self.own.public_key(), &self.base.provider).is_err() {
            bail!("it is not signed by this authority's key");
        }
        if crl.is_delta() {
            bail!("it is a delta, which tells only what has changed since another CRL: give the complete one");
        }
        let entries = crl.entry_count() as u64;
        self.crls.entries += entries;
        let Some(stated) = &crl.number else { return Ok(()) };
        let Some(number) = stated.to_u64().filter(|number| *number < MAX_CRL_NUMBER) else {
            bail!(
                "its number, {stated} in hex, is not below 2^63-1, and CRLs here could not go on behind it: have the CA publish one last CRL \
                 with a smaller number under another URL, or begin with a new CA"
            )
        };
        if before.is_some_and(|before| number < before) && !self.knows_all(&crl).await? {
            bail!(
                "it is older than the one that was imported last: its number is {number}, that of the other {}; and it names certificates \
                 that the other has not. Give the last CRL that the CA has made",
                before.unwrap_or_default()
            );
        }
        if self.crls.number().is_none_or(|last| last < number) {
            let digest = sha256(&*self.base.provider.digest, der);
            let (this_update, next_update) = (crl.this_update, crl.next_update);
            self.crls.last = Some(LastCrl { number, this_update, next_update, entries, sha256: digest });
        }
        Ok(())
    }

    /// Would nothing change by it?
    async fn knows_all(&self, crl: &Crl<'_>) -> anyhow::Result<bool> {
        for listed in crl.entries() {
            let Listed::Revoked(entry) = listed else { continue };
            let state = self.base.ledger.state_of(&self.config.name, &entry.serial).await?;
            if state.is_none_or(|state| state.status.gives_way_to(entry_status(&entry))) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads them again, and has certificates be as they say.
    pub(super) async fn record_entries(&self, taken: &mut HistoryTaken, tell: Tell<'_>) -> anyhow::Result<()> {
        let (mut done, total) = (0, self.crls.entries);
        for path in &self.crls.files {
            let name = || path.display().to_string();
            for der in Objects::open(path, CRLS).with_context(name)? {
                let der = der.with_context(name)?;
                let crl = Crl::parse(&der).with_context(name)?;
                let is_signed = crl.verify_signed_by(self.own.public_key(), &self.base.provider).is_ok();
                ensure!(
                    is_signed && !crl.is_delta(),
                    "{} has changed since it was checked: run the command again",
                    path.display()
                );
                let mut entries = crl.entries().filter_map(revoked).map(|entry| self.listed(&entry, path)).peekable();
                while entries.peek().is_some() {
                    let batch: Vec<_> = entries.by_ref().take(BATCH).collect();
                    done += self.record_entries_of(batch, taken).await?;
                    tell(Stage { what: "entries of CRLs", done, total });
                }
            }
        }
        Ok(())
    }

    async fn record_entries_of(&self, batch: Vec<(ListedCertificate, Event)>, taken: &mut HistoryTaken) -> anyhow::Result<u64> {
        let kinds: Vec<bool> = batch.iter().map(|(listed, _)| matches!(listed.status, CertificateStatus::Held(_))).collect();
        let came = self.base.ledger.import_entries(batch).await?;
        for (outcome, is_held) in came.iter().zip(kinds) {
            match (outcome, is_held) {
                (EntryImported::Stands, _) => taken.already_so += 1,
                (EntryImported::Changed | EntryImported::Listed, true) => taken.held += 1,
                (EntryImported::Changed | EntryImported::Listed, false) => taken.revoked += 1,
            }
        }
        Ok(came.len() as u64)
    }

    fn listed(&self, entry: &Entry, path: &Path) -> (ListedCertificate, Event) {
        let from = path.display().to_string();
        listed_entry(entry, (&self.config.name, self.own.validity().not_after), (self.base.clock.now(), &from))
    }

    /// Has the gateway's CRLs go on behind the greatest number: the list of all, and those of all shards that there are to be.
    pub(super) async fn record_number(&self) -> anyhow::Result<()> {
        let Some(last) = self.crls.last else { return Ok(()) };
        let name = &self.config.name;
        let mut shards = self.base.ledger.crl_shards(name).await?;
        shards.push(0);
        shards.extend((1..=self.config.crl.shards).filter(|_| self.config.crl.shards > 1));
        shards.sort_unstable();
        shards.dedup();
        let record = |shard| CrlRecord {
            scope: CrlScope { authority: name.clone(), shard },
            number: last.number,
            base: None,
            this_update: last.this_update,
            next_update: last.next_update,
            // No change of the ledger is in it.
            sequence: 0,
            entries: last.entries,
            sha256: last.sha256,
        };
        let details = vec![
            ("authority", name.clone()),
            ("number", last.number.to_string()),
            ("entries", last.entries.to_string()),
            ("sha256", encode_string(&last.sha256)),
        ];
        let (at, actor) = (self.base.clock.now(), OPERATOR.to_owned());
        let event = Event { at, kind: EventKind::CrlImported, actor, details };
        let records = shards.into_iter().map(record).collect();
        self.base.ledger.import_crl(name, last.number, records, event).await?;
        Ok(())
    }
}

/// Complete lists have nothing else.
fn revoked(listed: Listed) -> Option<Entry> {
    match listed {
        Listed::Revoked(entry) => Some(entry),
        Listed::Removed(_) => None,
    }
}
