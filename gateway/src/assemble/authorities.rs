//! Authorities: their keys and certificates are made once and found again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use certgate_ca_backend_api::CaBackend;
use certgate_ca_backend_local::{LocalBackend, OfflineBackend};
use certgate_enrollment::{
    Authorities as _, Authority, CertificateQuery, Certificates, Event, EventKind, ISSUING_CA, InternalPurpose,
    InternalRequest, ROOT_CA,
};
use certgate_pki::{Certificate, DigestAlgorithm, SigningKey, Timestamp, pem};

use super::outside::OutsideAuthority;
use super::publication::publication;
use super::{Base, authority_key};
use crate::config::{AuthorityConfig, Family};
use crate::data_dir::{DataDir, Secrecy, write_atomically};
use crate::telemetry::Metrics;

/// All authorities, issuers first.
#[derive(Clone, Default)]
pub struct Authorities(Vec<Arc<Authority>>);

impl Authorities {
    /// The one of this name.
    ///
    /// # Errors
    /// When there is none; a checked configuration names none such.
    pub fn get(&self, name: &str) -> anyhow::Result<Arc<Authority>> {
        self.iter().find(|authority| authority.name() == name).cloned().with_context(|| format!("no authority {name}"))
    }

    /// All, issuers first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Authority>> {
        self.0.iter()
    }
}

impl FromIterator<Arc<Authority>> for Authorities {
    /// Issuers come first.
    fn from_iter<T: IntoIterator<Item = Arc<Authority>>>(authorities: T) -> Self {
        Self(authorities.into_iter().collect())
    }
}

/// Opens every authority; makes key and certificate of those that have none. What they issue names what is `served` by some listener, below
/// the authority's own `public_url` or the fallback.
///
/// # Errors
/// When files do not fit together, or a certificate could not be issued or recorded.
pub async fn open_authorities(
    configs: &[AuthorityConfig],
    base: &Base,
    data_dir: &DataDir,
    (fallback_base_url, served): (Option<&str>, &[Family]),
    metrics: &Metrics,
) -> anyhow::Result<Authorities> {
    let mut all = Authorities::default();
    for config in configs {
        let url = config.public_url.as_ref().map(ToString::to_string).or_else(|| fallback_base_url.map(str::to_owned));
        if config.public_url.as_ref().is_some_and(crate::config::PublicUrl::is_https) {
            let advice =
                "relying parties may not fetch certificates over https (RFC 5280 §8); an http public_url works for all";
            tracing::warn!(authority = config.name, "{advice}");
        }
        let issuer = config.issuer.as_ref().map(|issuer| all.get(issuer.get_ref())).transpose()?;
        let authority = Opening { config, base, data_dir, issuer: issuer.as_deref(), served }.open(url.as_deref()).await;
        let authority = authority.with_context(|| format!("authority {}", config.name))?;
        if let Some(url) = &url {
            remember_base_url(base, &config.name, url).await?;
        }
        if let Some(own) = authority.chain().first() {
            metrics.set_not_after(&format!("authority/{}", config.name), own.validity().not_after);
        }
        all.0.push(Arc::new(authority));
    }
    Ok(all)
}

/// Certificates name this URL for as long as they live, so every one that was ever in use is remembered.
async fn remember_base_url(base: &Base, authority: &str, url: &str) -> anyhow::Result<()> {
    let details = vec![("authority", authority.to_owned()), ("url", url.to_owned())];
    let event = Event { at: base.clock.now(), kind: EventKind::BaseUrlChanged, actor: "certgate".into(), details };
    if base.ledger.use_base_url(authority, url, event).await? {
        tracing::info!(authority, url, "certificates name this base URL from now on");
    }
    Ok(())
}

/// What opening one authority needs.
struct Opening<'o> {
    config: &'o AuthorityConfig,
    base: &'o Base,
    data_dir: &'o DataDir,
    issuer: Option<&'o Authority>,
    served: &'o [Family],
}

impl Opening<'_> {
    async fn open(&self, base_url: Option<&str>) -> anyhow::Result<Authority> {
        let name = &self.config.name;
        let (backend, chain) = if self.config.external {
            let (key, chain) = OutsideAuthority::new(self.config, self.base, self.data_dir)?.open().await?;
            (Box::new(LocalBackend::new(key)) as Box<dyn CaBackend>, chain)
        } else {
            self.own_chain().await?
        };
        if let Some(own) = chain.first().filter(|own| own.subject().as_der() != self.config.subject.0.as_der()) {
            let (found, configured) = (own.subject(), &self.config.subject.0);
            tracing::warn!(authority = name, %found, %configured, "the certificate keeps the subject that it was made with");
        }
        let publication = publication(self.config, base_url, self.served)?;
        Ok(Authority::new(self.base.core(), name, chain, publication, backend)?)
    }

    /// Who signs for it, and its chain as this gateway has made it.
    async fn own_chain(&self) -> anyhow::Result<(Box<dyn CaBackend>, Vec<Certificate>)> {
        let (backend, own): (Box<dyn CaBackend>, Certificate) = match self.offline_since().await? {
            Some(since) => (Box::new(OfflineBackend::new(&self.config.name, since)), self.kept_certificate().await?),
            None => {
                let key = self.key().await?;
                let own = self.certificate(&key).await?;
                (Box::new(LocalBackend::new(key)), own)
            }
        };
        let chain: Vec<Certificate> =
            std::iter::once(own).chain(self.issuer.into_iter().flat_map(|issuer| issuer.chain().iter().cloned())).collect();
        if self.issuer.is_some() {
            let text: String = chain.iter().map(|one| pem::encode(pem::CERTIFICATE, one.as_der())).collect();
            let path = self.file("chain.pem");
            if std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
                write_atomically(&path, text.as_bytes(), Secrecy::Public)?;
            }
        }
        Ok((backend, chain))
    }

    /// Since when its key is elsewhere, by the ledger; then it is not here.
    async fn offline_since(&self) -> anyhow::Result<Option<Timestamp>> {
        let (name, path) = (&self.config.name, self.file("key"));
        let since = self.base.ledger.offline_since(name).await?;
        if let Some(since) = since.filter(|_| path.exists()) {
            bail!(
                "{path} is there, and by the ledger the key of {name} is offline since {since}: its removal was cut short, or a backup was \
                 restored. `certgate ca restore-root {path} --authority {name}` takes the key into use again; or remove the file",
                path = path.display()
            );
        }
        Ok(since)
    }

    /// The certificate of an authority whose key is elsewhere: from its file, else from the ledger.
    async fn kept_certificate(&self) -> anyhow::Result<Certificate> {
        let path = self.file("pem");
        if !path.exists() {
            let (authority, profile) = self.role();
            let query = CertificateQuery {
                authority: Some(authority.to_owned()),
                profile: Some(profile.to_owned()),
                ..CertificateQuery::all(self.base.clock.now(), 2)
            };
            let recorded = self.base.ledger.list(query).await?.items;
            let [own] = recorded.as_slice() else { bail!("{} is missing: {RESTORE}", path.display()) };
            write_atomically(&path, pem::encode(pem::CERTIFICATE, &own.der).as_bytes(), Secrecy::Public)?;
        }
        let own = read_certificate(&path)?;
        self.is_recorded(&own, &path).await?;
        Ok(own)
    }

    fn file(&self, kind: &str) -> PathBuf {
        self.data_dir.join(&format!("ca/{}.{kind}", self.config.name))
    }

    /// Its key; a new one only for an authority that has never signed.
    async fn key(&self) -> anyhow::Result<Arc<dyn SigningKey>> {
        let path = self.file("key");
        if !path.exists() && (self.file("pem").exists() || self.has_signed().await?) {
            bail!("{} is missing, and certificates of this authority exist: {RESTORE}", path.display());
        }
        authority_key::load_or_make(self.config, &path, &self.base.provider)
    }

    /// Its certificate: from its file, else from the ledger, else issued.
    async fn certificate(&self, key: &Arc<dyn SigningKey>) -> anyhow::Result<Certificate> {
        let path = self.file("pem");
        if !path.exists() {
            let der = match self.recorded(key).await? {
                Some(der) => der,
                None if self.has_signed().await? => {
                    bail!("{} is missing, and the ledger has none for this key: {RESTORE}", path.display())
                }
                None => self.issue(key).await?,
            };
            write_atomically(&path, pem::encode(pem::CERTIFICATE, &der).as_bytes(), Secrecy::Public)?;
            tracing::info!(authority = self.config.name, path = %path.display(), "made an authority");
        }
        let own = read_certificate(&path)?;
        if own.public_key() != key.public_key() {
            let key = self.file("key");
            bail!(
                "{} is not the certificate of the key in {}: one of them was swapped; {RESTORE}",
                path.display(),
                key.display()
            );
        }
        self.is_recorded(&own, &path).await?;
        Ok(own)
    }

    /// Does the ledger know it, as the certificate of this authority? One that it does not know has signed what it does not know either.
    async fn is_recorded(&self, own: &Certificate, path: &Path) -> anyhow::Result<()> {
        let (path, sha256) = (path.display(), self.base.provider.digest.digest(DigestAlgorithm::Sha256, own.as_der()));
        let record = self.base.ledger.find(own.serial()).await?.filter(|record| record.der == own.as_der());
        let Some(record) = record else {
            let sha256 = base16ct::lower::encode_string(&sha256);
            bail!(
                "{path} ({}, SHA-256 {sha256}) is not in the ledger: ca/ and ledger.db are of different CAs; {RESTORE}",
                own.subject()
            );
        };
        if (record.authority.as_str(), record.profile.as_str()) != self.role() {
            bail!("{path} is the certificate of another authority, {}: files in ca/ were swapped; {RESTORE}", own.subject());
        }
        Ok(())
    }

    /// Who issues its certificate, and as what.
    fn role(&self) -> (&str, &'static str) {
        self.issuer.map_or((self.config.name.as_str(), ROOT_CA), |issuer| (issuer.name(), ISSUING_CA))
    }

    /// Has it signed anything, its own certificate aside?
    async fn has_signed(&self) -> anyhow::Result<bool> {
        let all = CertificateQuery::all(self.base.clock.now(), 2);
        let page = self.base.ledger.list(CertificateQuery { authority: Some(self.config.name.clone()), ..all }).await?;
        Ok(page.items.iter().any(|record| record.profile != ROOT_CA))
    }

    /// The certificate of this key that the ledger has: a start was cut short before its file was written.
    async fn recorded(&self, key: &Arc<dyn SigningKey>) -> anyhow::Result<Option<Vec<u8>>> {
        let (authority, profile) = self.role();
        let query = CertificateQuery {
            authority: Some(authority.to_owned()),
            profile: Some(profile.to_owned()),
            ..CertificateQuery::all(self.base.clock.now(), MOST_RECORDED)
        };
        let is_of_key = |der: &Vec<u8>| Certificate::from_der(der).is_ok_and(|one| one.public_key() == key.public_key());
        Ok(self.base.ledger.list(query).await?.items.into_iter().map(|record| record.der).find(is_of_key))
    }

    /// A new certificate, through an authority and into the ledger like any other: its issuer's, or as a new root.
    async fn issue(&self, key: &Arc<dyn SigningKey>) -> anyhow::Result<Vec<u8>> {
        let (subject, lifetime) = (self.config.subject.0.clone(), self.config.validity.duration());
        let public_key = key.public_key().clone();
        let issued = match self.issuer {
            Some(issuer) => {
                let request = InternalRequest { purpose: InternalPurpose::IssuingCa, subject, public_key, lifetime };
                issuer.issue(issuer.authorize_internal(request)?).await?
            }
            None => {
                let backend = Box::new(LocalBackend::new(Arc::clone(key)));
                Authority::found(self.base.core(), &self.config.name, subject, public_key, lifetime, backend).await?.1
            }
        };
        Ok(issued.der.clone())
    }
}

/// The certificate of a root that this gateway has made, whose key this is.
///
/// # Errors
/// When there is none, or it is another key's, or not in the ledger.
pub(super) async fn root_certificate(
    config: &AuthorityConfig,
    base: &Base,
    data_dir: &DataDir,
    key: &Arc<dyn SigningKey>,
) -> anyhow::Result<Certificate> {
    let opening = Opening { config, base, data_dir, issuer: None, served: &[] };
    if !opening.file("pem").exists() && opening.recorded(key).await?.is_none() {
        bail!("authority {} has no certificate of this key", config.name);
    }
    opening.certificate(key).await
}

/// What to do when the data directory and the ledger are of different CAs.
const RESTORE: &str = "restore ledger.db and all of ca/ from one backup, or start with an empty data directory, as a new CA whose root \
                       every device has to be given";
/// How many CA certificates of one issuer are looked at for the one of a key; more are made by nobody.
const MOST_RECORDED: usize = 1000;

/// The first certificate in a file.
pub(super) fn read_certificate(path: &Path) -> anyhow::Result<Certificate> {
    let name = || path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(name)?;
    let der = pem::decode(pem::CERTIFICATE, &text).with_context(name)?;
    Certificate::from_der(&der).with_context(name)
}
