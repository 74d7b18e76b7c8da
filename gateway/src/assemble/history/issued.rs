//! Certificates that a CA has issued before it was taken over.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use base16ct::lower::encode_string;
use certgate_enrollment::{
    CertificateImported, CertificateRecord, CertificateStatus, Certificates as _, Event, EventKind, History as _, IMPORTED,
    IMPORTED_PRINCIPAL, Protocol,
};
use certgate_pki::{Certificate, Serial, sha256};

use super::files::{CERTIFICATES, Objects, in_folders};
use super::{BATCH, History, HistoryTaken, Stage, Tell};
use crate::admin::OPERATOR;

/// How many faults are told.
const TOLD: usize = 10;

/// Files of certificates, and which certificates they are, once they are checked.
#[derive(Default)]
pub(super) struct OldCertificates {
    files: Vec<PathBuf>,
    digests: BTreeMap<Serial, [u8; 32]>,
}

impl OldCertificates {
    /// In these files and folders.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub(super) fn find(paths: &[PathBuf]) -> anyhow::Result<Self> {
        Ok(Self { files: in_folders(paths)?, digests: BTreeMap::new() })
    }

    /// Are these octets the certificate of this serial number, or the first that comes with it?
    fn is_or_becomes(&mut self, serial: &Serial, digest: [u8; 32]) -> bool {
        *self.digests.entry(serial.clone()).or_insert(digest) == digest
    }
}

/// What is wrong with which file.
#[derive(Default)]
struct Faults {
    told: String,
    count: usize,
}

impl Faults {
    fn add(&mut self, path: &Path, fault: &str) {
        self.count += 1;
        if self.count <= TOLD {
            // Writing to a String does not fail.
            let _ = write!(self.told, "\n  {}: {fault}", path.display());
        }
    }

    /// # Errors
    /// If there is any.
    fn check(self) -> anyhow::Result<()> {
        let more = match self.count {
            0 => return Ok(()),
            count if count > TOLD => format!("\n  and {} more", count - TOLD),
            _ => String::new(),
        };
        bail!(
            "not every certificate is one that this authority has issued; nothing was recorded. Put these elsewhere, or name the files \
             that are to be taken:{}{more}",
            self.told
        )
    }
}

impl History<'_> {
    /// Reads all certificates, and keeps which they are.
    pub(super) async fn check_certificates(&mut self, tell: Tell<'_>) -> anyhow::Result<()> {
        let (files, mut faults) = (std::mem::take(&mut self.certificates.files), Faults::default());
        let total = files.len() as u64;
        for (done, path) in (1..).zip(&files) {
            if let Err(error) = self.check_file(path, &mut faults).await {
                faults.add(path, &format!("{error:#}"));
            }
            tell(Stage { what: "files checked", done, total });
        }
        self.certificates.files = files;
        faults.check()
    }

    /// # Errors
    /// When it cannot be read on; what is wrong with single certificates is added to the faults.
    async fn check_file(&mut self, path: &Path, faults: &mut Faults) -> anyhow::Result<()> {
        for der in Objects::open(path, CERTIFICATES)? {
            let certificate = Certificate::from_der(&der?)?;
            if self.is_own(&certificate) {
                continue;
            }
            if let Some(fault) = self.fault_of(&certificate).await? {
                faults.add(path, &fault);
            }
        }
        Ok(())
    }

    /// Its own, or the one that it had before: it stands in chains and in folders of what was issued.
    fn is_own(&self, certificate: &Certificate) -> bool {
        certificate.public_key() == self.own.public_key() && certificate.subject().as_der() == self.own.subject().as_der()
    }

    /// Why a certificate is not to be taken.
    async fn fault_of(&mut self, certificate: &Certificate) -> anyhow::Result<Option<String>> {
        let serial = certificate.serial();
        if certificate.issuer().as_der() != self.own.subject().as_der() {
            let (issuer, own) = (certificate.issuer(), self.own.subject());
            return Ok(Some(format!("certificate {serial} names {issuer} as its issuer, not {own}")));
        }
        if certificate.verify_signed_by(self.own.public_key(), &self.base.provider).is_err() {
            return Ok(Some(format!("certificate {serial} is not signed by this authority's key")));
        }
        let recorded = self.base.ledger.find_issued(&self.config.name, serial).await?;
        if recorded.is_some_and(|recorded| recorded.der != certificate.as_der()) {
            return Ok(Some(format!("another certificate with its serial number, {serial}, is in the ledger")));
        }
        let digest = sha256(&*self.base.provider.digest, certificate.as_der());
        Ok((!self.certificates.is_or_becomes(serial, digest))
            .then(|| format!("another certificate with its serial number, {serial}, is among those given")))
    }

    /// Reads them again and records them.
    pub(super) async fn record_certificates(&self, taken: &mut HistoryTaken, tell: Tell<'_>) -> anyhow::Result<()> {
        let (mut batch, mut done) = (Vec::with_capacity(BATCH), 0);
        let mut tell = |done| tell(Stage { what: "certificates", done, total: self.certificates.digests.len() as u64 });
        for path in &self.certificates.files {
            let name = || path.display().to_string();
            for der in Objects::open(path, CERTIFICATES).with_context(name)? {
                let certificate = Certificate::from_der(&der.with_context(name)?).with_context(name)?;
                if self.is_own(&certificate) {
                    continue;
                }
                batch.push(self.record_of(&certificate).with_context(name)?);
                if batch.len() == BATCH {
                    done += self.record_batch(std::mem::take(&mut batch), taken).await?;
                    tell(done);
                }
            }
        }
        if !batch.is_empty() {
            done += self.record_batch(batch, taken).await?;
            tell(done);
        }
        Ok(())
    }

    async fn record_batch(&self, batch: Vec<(CertificateRecord, Event)>, taken: &mut HistoryTaken) -> anyhow::Result<u64> {
        let came = self.base.ledger.import_certificates(batch).await?;
        let recorded = came.iter().filter(|one| **one == CertificateImported::Recorded).count();
        taken.certificates += recorded as u64;
        taken.known_before += (came.len() - recorded) as u64;
        Ok(came.len() as u64)
    }

    fn record_of(&self, certificate: &Certificate) -> anyhow::Result<(CertificateRecord, Event)> {
        let (serial, digest) = (certificate.serial(), sha256(&*self.base.provider.digest, certificate.as_der()));
        ensure!(
            self.certificates.digests.get(serial) == Some(&digest),
            "it has changed since it was checked: run the command again"
        );
        let extensions = certificate.extensions();
        let is_leaf = extensions.is_ca().is_ok_and(|is_ca| !is_ca);
        let (profile, validity) = (if is_leaf { &self.profile } else { IMPORTED }, certificate.validity());
        let details = vec![
            ("authority", self.config.name.clone()),
            ("serial", serial.to_string()),
            ("sha256", encode_string(&digest)),
            ("profile", profile.to_owned()),
        ];
        let event =
            Event { at: self.base.clock.now(), kind: EventKind::CertificateImported, actor: OPERATOR.to_owned(), details };
        let record = CertificateRecord {
            serial: serial.clone(),
            authority: self.config.name.clone(),
            profile: profile.to_owned(),
            protocol: Protocol::Imported,
            endpoint: String::new(),
            principal: IMPORTED_PRINCIPAL.to_owned(),
            validity,
            // The CRLs that it names are those of before: only the list of all has it.
            shard: 0,
            no_rev_avail: extensions.no_rev_avail().unwrap_or(false),
            // Nothing tells when it was signed, but for this.
            issued_at: validity.not_before,
            status: CertificateStatus::Valid,
            asked_subject: Some(sha256(&*self.base.provider.digest, &certificate.subject().as_set())),
            is_ended: false,
            der: certificate.as_der().to_vec(),
        };
        Ok((record, event))
    }
}
