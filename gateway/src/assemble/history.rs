//! What a CA that is taken over has done: the certificates that it has issued, and what its last CRLs say. All of it is read and checked
//! before anything is recorded, and read again to be recorded: of many certificates, no more is held than their serial numbers and
//! digests.

mod crls;
mod files;
mod issued;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use anyhow::{Context, bail};
use certgate_enrollment::{History as _, IMPORTED};
use certgate_pki::Certificate;
use serde::Serialize;

use super::Base;
use crate::config::{AuthorityConfig, Config};
use crls::OldCrls;
use issued::OldCertificates;

/// Certificates or entries of one transaction.
const BATCH: usize = 500;

/// Where it is, and as what it is taken.
#[derive(Clone, Debug, Default)]
pub struct HistoryFiles {
    /// Certificates that the CA has issued: files, and folders of files.
    pub issued: Vec<PathBuf>,
    /// Its last CRLs.
    pub crls: Vec<PathBuf>,
    /// The profile by which the certificates are to be renewed here.
    pub profile: Option<String>,
}

impl HistoryFiles {
    /// Is there none?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.issued.is_empty() && self.crls.is_empty()
    }
}

/// A stage of the work, how much of it is done, and of how much; 0 where that is not known.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    /// What is counted.
    pub what: &'static str,
    /// So many are done.
    pub done: u64,
    /// Of so many.
    pub total: u64,
}

/// Told how far the work has come.
pub(super) type Tell<'t> = &'t mut (dyn FnMut(Stage) + Send);

/// What was taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HistoryTaken {
    /// Certificates that are in the ledger now, and were not before.
    pub certificates: u64,
    /// Certificates that were in the ledger already.
    pub known_before: u64,
    /// Certificates that are revoked now, and were not before.
    pub revoked: u64,
    /// Certificates that are on hold now, and were not before.
    pub held: u64,
    /// Entries of the CRLs that have changed nothing: the ledger has said so already, or has another revocation, which stands.
    pub already_so: u64,
    /// Certificates of the authority of which nothing is known but that a CRL has named them.
    pub only_in_crl: u64,
    /// The greatest number of the CRLs: those of the gateway go on behind it.
    pub crl_number: Option<u64>,
}

/// The history of an authority, which is there as its certificate says.
pub struct History<'h> {
    config: &'h AuthorityConfig,
    base: &'h Base,
    own: &'h Certificate,
    /// The profile of certificates that are not those of CAs.
    profile: String,
    certificates: OldCertificates,
    crls: OldCrls,
}

impl<'h> History<'h> {
    /// Reads and checks all of it.
    ///
    /// # Errors
    /// When there is no such profile, or something is not what it should be; nothing is recorded.
    pub async fn check(
        (config, authority): (&Config, &'h AuthorityConfig),
        base: &'h Base,
        own: &'h Certificate,
        files: &HistoryFiles,
        tell: Tell<'_>,
    ) -> anyhow::Result<Self> {
        let profile = files.profile.as_deref().map(|name| profile_of(config, authority, name)).transpose()?;
        let mut history = Self {
            config: authority,
            base,
            own,
            profile: profile.unwrap_or_else(|| IMPORTED.to_owned()),
            certificates: OldCertificates::find(&files.issued)?,
            crls: OldCrls::default(),
        };
        history.check_crls(&files.crls).await?;
        history.check_certificates(tell).await?;
        Ok(history)
    }

    /// Records what CRLs say, and has numbers go on behind theirs: before the authority can start, and before its certificates are there, so
    /// that what is revoked is at no time taken for good, wherever this is cut short. All of it can be done again.
    ///
    /// # Errors
    /// When the ledger does not take it, or files have changed since they were checked.
    pub async fn record_crls(&self, tell: Tell<'_>) -> anyhow::Result<HistoryTaken> {
        let mut taken = HistoryTaken { crl_number: self.crls.number(), ..HistoryTaken::default() };
        self.record_entries(&mut taken, tell).await?;
        self.record_number().await?;
        Ok(taken)
    }

    /// Records the certificates, after that.
    ///
    /// # Errors
    /// As [`Self::record_crls`].
    pub async fn record_issued(&self, mut taken: HistoryTaken, tell: Tell<'_>) -> anyhow::Result<HistoryTaken> {
        self.record_certificates(&mut taken, tell).await?;
        taken.only_in_crl = self.base.ledger.count_listed(&self.config.name).await?;
        Ok(taken)
    }
}

fn profile_of(config: &Config, authority: &AuthorityConfig, name: &str) -> anyhow::Result<String> {
    let known = || {
        let names = config.profiles.iter().filter(|profile| *profile.authority.get_ref() == authority.name);
        let names: Vec<&str> = names.map(|profile| profile.name.as_str()).collect();
        let names = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
        format!("authority {} has no profile {name}: {names}", authority.name)
    };
    let found = config.profiles.iter().find(|profile| profile.name == name).with_context(known)?;
    if *found.authority.get_ref() != authority.name {
        bail!("{}", known());
    }
    Ok(name.to_owned())
}
