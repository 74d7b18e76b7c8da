//! The key of a root goes elsewhere after setup, and comes back when something is to be signed with it.
//!
//! It goes in this order, so that a crash leaves it here, or everything done: its copy is written and proved; what only it can make is
//! made; the ledger says that it is elsewhere; its file is removed. A start that finds the file though the ledger says so is refused.

mod key_copy;
mod provisions;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use base16ct::lower::encode_string;
use certgate_enrollment::{Authorities as _, Event, EventKind};
use certgate_pki::{Certificate, DigestAlgorithm, Timestamp};

pub use key_copy::{KeyCopy, Protection};
pub use provisions::Provisions;

use super::authorities::root_certificate;
use super::own_certificate::read_leaf;
use super::{Authorities, Base, authority_key};
use crate::admin::OPERATOR;
use crate::config::{AuthorityConfig, Config, SecretSource};
use crate::data_dir::{DataDir, erase};

/// The key of a root that this gateway has made, and everything around it. The gateway does not run.
pub struct RootKey<'r> {
    config: &'r Config,
    own: &'r AuthorityConfig,
    base: &'r Base,
    data_dir: &'r DataDir,
}

/// A key that was taken away.
pub struct TakenOffline {
    /// What was made before.
    pub provisions: Provisions,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

impl<'r> RootKey<'r> {
    /// The root of this name, or else the only one whose key is here.
    ///
    /// # Errors
    /// When there is none, or several.
    pub fn here(config: &'r Config, base: &'r Base, data_dir: &'r DataDir, named: Option<&str>) -> anyhow::Result<Self> {
        let root = |own| Self { config, own, base, data_dir };
        let own = match named {
            Some(name) => root_named(config, name)?,
            None => only(roots(config).filter(|own| root(own).file("key").exists()), "has its key here")?,
        };
        Ok(root(own))
    }

    /// The root of this name, or else the only one whose key is elsewhere, by the ledger.
    ///
    /// # Errors
    /// When there is none, or several, or the ledger cannot be read.
    pub async fn elsewhere(
        config: &'r Config,
        base: &'r Base,
        data_dir: &'r DataDir,
        named: Option<&str>,
    ) -> anyhow::Result<Self> {
        let own = match named {
            Some(name) => root_named(config, name)?,
            None => {
                let mut offline = Vec::new();
                for own in roots(config) {
                    offline.extend(base.ledger.offline_since(&own.name).await?.map(|_| own));
                }
                only(offline.into_iter(), "has its key offline")?
            }
        };
        Ok(Self { config, own, base, data_dir })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.own.name
    }

    /// Writes its key and its certificate into a file where none is, and, when it is to be taken away for so long, takes it away.
    ///
    /// # Errors
    /// When it is not here, or the file cannot be written; or when the gateway could not go on without it.
    pub async fn export(
        &self,
        file: &Path,
        protection: impl FnOnce() -> anyhow::Result<Protection>,
        remove_for: Option<Duration>,
    ) -> anyhow::Result<(Certificate, Option<TakenOffline>)> {
        let name = self.name();
        if let Some(since) = self.base.ledger.offline_since(name).await? {
            bail!("the key of {name} is offline since {since} already");
        }
        if !self.file("key").exists() || !self.file("pem").exists() {
            bail!("authority {name} has no key and certificate yet: start the gateway once, so that it is given them");
        }
        self.is_outside(file)?;
        if remove_for.is_some() {
            self.is_the_only_one()?;
        }
        let warnings = remove_for.map(|validity| self.warnings(validity)).transpose()?;
        let (key, pkcs8) = authority_key::read(self.own, &self.file("key"), &self.base.provider)?;
        let certificate = root_certificate(self.own, self.base, self.data_dir, &key).await?;
        KeyCopy::write(file, (&pkcs8, &certificate), &protection()?, &self.base.provider)?;
        let Some((validity, warnings)) = remove_for.zip(warnings) else { return Ok((certificate, None)) };
        let provisions = self.provide((key, certificate.clone()), validity).await?;
        let mut event = self.event(EventKind::AuthorityTakenOffline, &certificate);
        event.details.push(("crl_until", provisions.crl_until.to_string()));
        self.base.ledger.take_offline(name, event).await?;
        // What a write that was cut short has left beside it goes as well.
        for path in [self.file("key"), self.file("key.new")] {
            erase(&path).context("the ledger has the key offline: remove its file by hand before the next start")?;
        }
        Ok((certificate, Some(TakenOffline { provisions, warnings })))
    }

    /// Puts its key back from a file.
    ///
    /// # Errors
    /// When it is not elsewhere, or the file has another key: nothing has changed.
    pub async fn restore(&self, file: &Path, passphrase: Option<&SecretSource>) -> anyhow::Result<Certificate> {
        let (name, path) = (self.name(), self.file("key"));
        if self.base.ledger.offline_since(name).await?.is_none() {
            bail!("the key of {name} is not offline: the ledger has it here");
        }
        let copy = KeyCopy::read(file, passphrase, &self.base.provider)?;
        let own = read_leaf(&self.file("pem")).or(copy.certificate);
        if own.is_some_and(|own| own.public_key() != copy.key.public_key()) {
            bail!("{} has another key than that of the certificate of {name}", file.display());
        }
        let certificate = root_certificate(self.own, self.base, self.data_dir, &copy.key).await?;
        authority_key::keep(self.own, &path, &copy.pkcs8, &self.base.provider)?;
        self.base.ledger.bring_back(name, self.event(EventKind::AuthorityBroughtBack, &certificate)).await?;
        Ok(certificate)
    }

    fn event(&self, kind: EventKind, certificate: &Certificate) -> Event {
        let sha256 = encode_string(&self.base.provider.digest.digest(DigestAlgorithm::Sha256, certificate.as_der()));
        let details = vec![("authority", self.name().to_owned()), ("sha256", sha256)];
        Event { at: self.base.clock.now(), kind, actor: OPERATOR.into(), details }
    }

    /// What restores have replaced may have the key too, and would keep it here.
    fn is_the_only_one(&self) -> anyhow::Result<()> {
        let root = self.data_dir.path();
        let entries = std::fs::read_dir(root).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        for entry in entries.with_context(|| root.display().to_string())? {
            let key = entry.path().join(format!("ca/{}.key", self.own.name));
            if entry.path() != self.data_dir.join("ca") && key.exists() {
                bail!("{} has the key too: take that folder away first, so that none is left here", key.display());
            }
        }
        Ok(())
    }

    /// A copy in the data directory is none: it goes where its backups go.
    fn is_outside(&self, file: &Path) -> anyhow::Result<()> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if folder.canonicalize().is_ok_and(|folder| folder.starts_with(self.data_dir.path())) {
            bail!("{} is in the data directory, which the key is to leave: name another place", file.display());
        }
        Ok(())
    }

    fn file(&self, kind: &str) -> PathBuf {
        self.data_dir.join(&format!("ca/{}.{kind}", self.own.name))
    }
}

/// Authorities that sign their own certificate here.
fn roots(config: &Config) -> impl Iterator<Item = &AuthorityConfig> {
    config.authorities.iter().filter(|one| one.issuer.is_none() && !one.external)
}

fn root_named<'c>(config: &'c Config, name: &str) -> anyhow::Result<&'c AuthorityConfig> {
    let Some(found) = config.authorities.iter().find(|one| one.name == name) else {
        let known: Vec<&str> = roots(config).map(|one| one.name.as_str()).collect();
        bail!("there is no authority {name}; roots are: {}", known.join(", "));
    };
    if found.external {
        bail!("authority {name} was signed or made outside of this gateway: whoever has done so keeps what is offline");
    }
    if let Some(issuer) = &found.issuer {
        bail!(
            "authority {name} is issued by {}, and signs every day: the key of a root is what is taken offline",
            issuer.get_ref()
        );
    }
    Ok(found)
}

fn only<'c>(mut found: impl Iterator<Item = &'c AuthorityConfig>, what: &str) -> anyhow::Result<&'c AuthorityConfig> {
    let Some(first) = found.next() else { bail!("no root {what}: --authority NAME says which is meant") };
    let others: Vec<&str> = found.map(|one| one.name.as_str()).collect();
    if !others.is_empty() {
        bail!("more than one root {what}: {}, {}; --authority NAME says which is meant", first.name, others.join(", "));
    }
    Ok(first)
}

/// Says at a start which profiles issue nothing, since the key of their authority is elsewhere.
pub fn warn_of_offline(config: &Config, authorities: &Authorities) {
    let offline = authorities.iter().filter_map(|one| Some((one.name(), one.offline_since()?)));
    for (authority, since) in offline.collect::<Vec<(&str, Timestamp)>>() {
        tracing::info!(authority, %since, "the key is offline: nothing is issued, and CRLs are imported");
        for profile in config.profiles.iter().filter(|profile| profile.authority.get_ref() == authority) {
            let message = "the profile issues nothing: the key of its authority is offline";
            tracing::warn!(authority, profile = profile.name, %since, "{message}");
        }
    }
}

#[cfg(test)]
mod tests;
