//! Authorities whose certificate a CA outside of this gateway signs: their request, and what comes back for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use base16ct::lower::encode_string;
use certgate_enrollment::{Authorities as _, Event, EventKind, check_chain};
use certgate_pki::{Certificate, CsrDraft, DigestAlgorithm, Extension, KeyUsage, Provider, SigningKey, pem};
use zeroize::Zeroizing;

use super::{Base, authority_key};
use crate::admin::OPERATOR;
use crate::config::AuthorityConfig;
use crate::data_dir::{DataDir, Secrecy, write_atomically};

/// A key, and the same as PKCS#8 where it is to be kept.
type KeyToBe = (Arc<dyn SigningKey>, Option<Zeroizing<Vec<u8>>>);

/// An authority that is signed outside, and where it keeps its files.
pub struct OutsideAuthority<'o> {
    config: &'o AuthorityConfig,
    base: &'o Base,
    data_dir: &'o DataDir,
}

/// A chain that an authority can have, and its key, where it is to be kept.
pub struct CheckedAuthority {
    chain: Vec<Certificate>,
    is_new: bool,
    fresh: Option<Zeroizing<Vec<u8>>>,
}

impl CheckedAuthority {
    /// The authority's certificate and those above it, the root last.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }
}

impl<'o> OutsideAuthority<'o> {
    /// The authority of this configuration, which must say so.
    ///
    /// # Errors
    /// When it is signed by this gateway.
    pub fn new(config: &'o AuthorityConfig, base: &'o Base, data_dir: &'o DataDir) -> anyhow::Result<Self> {
        if !config.external {
            bail!(
                "authority {} is signed by this gateway: set external = true in its [[authority]] to have it signed outside",
                config.name
            );
        }
        Ok(Self { config, base, data_dir })
    }

    /// Its request, DER, for the CA that is to sign it: as a CA that signs certificates and CRLs, with no CA below it. Its key is made if
    /// there is none, and never leaves this machine.
    ///
    /// # Errors
    /// When the key cannot be read or made, or is lost.
    pub async fn request(&self) -> anyhow::Result<Vec<u8>> {
        let path = self.file("key");
        if !path.exists() && self.base.ledger.imported_certificate(&self.config.name).await?.is_some() {
            bail!("{} is missing, and a certificate of it was imported: restore it from a backup", path.display());
        }
        let key = authority_key::load_or_make(self.config, &path, &self.base.provider)?;
        let usage = KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN | KeyUsage::DIGITAL_SIGNATURE;
        let extensions = [Extension::basic_constraints_ca(Some(0)), Extension::key_usage(usage)];
        let draft = CsrDraft { subject: &self.config.subject.0, public_key: key.public_key(), extensions: &extensions };
        let (to_be_signed, algorithm) = (draft.to_be_signed(), key.algorithm());
        let signature = key.sign(&to_be_signed)?;
        Ok(CsrDraft::assemble(&to_be_signed, algorithm, &signature))
    }

    /// Reads its certificate, with those of all CAs above it up to the root, in any order, from PEM files; and its key, of a CA that exists
    /// already. Without files and key it is what was imported last. Nothing changes by that.
    ///
    /// # Errors
    /// When there is none for its key, the chain is none, or has ended, or it has another key.
    pub async fn check(&self, files: &[PathBuf], key_file: Option<&Path>) -> anyhow::Result<CheckedAuthority> {
        if files.is_empty() {
            if key_file.is_some() {
                bail!("a key is taken with the certificates from the authority's own up to the root: name their files, too");
            }
            let (_, chain) = self.open().await?;
            return Ok(CheckedAuthority { chain, is_new: false, fresh: None });
        }
        let (key, fresh) = self.key_to_be(key_file)?;
        let mut found = Vec::new();
        for file in files {
            found.extend(read_certificates(file)?);
        }
        let chain = in_order(found, &*key, &self.base.provider)?;
        check_chain(&chain, &self.base.provider)?;
        let now = self.base.clock.now();
        for certificate in &chain {
            let validity = certificate.validity();
            if now < validity.not_before || validity.not_after < now.floor_to_second() {
                let (subject, from, to) = (certificate.subject(), validity.not_before, validity.not_after);
                bail!("the certificate of {subject} is valid from {from} to {to}, and it is {now}");
            }
        }
        Ok(CheckedAuthority { chain, is_new: true, fresh })
    }

    /// Takes what was checked.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn import(&self, checked: &CheckedAuthority) -> anyhow::Result<()> {
        if let Some(pkcs8) = &checked.fresh {
            authority_key::keep(self.config, &self.file("key"), pkcs8, &self.base.provider)?;
        }
        if checked.is_new { self.record(&checked.chain).await } else { Ok(()) }
    }

    /// The key that it has, or the one that it is given, which is to be kept.
    fn key_to_be(&self, given: Option<&Path>) -> anyhow::Result<KeyToBe> {
        let (name, had) = (&self.config.name, self.key()?);
        match (had, given) {
            (Some(key), None) => Ok((key, None)),
            (None, None) => {
                bail!(
                    "authority {name} has no key yet: begin with `certgate ca csr {name}`, or give the key of a CA that exists by --key"
                )
            }
            (had, Some(path)) => {
                let (key, pkcs8) = authority_key::read(self.config, path, &self.base.provider)?;
                match had {
                    None => Ok((key, Some(pkcs8))),
                    Some(had) if had.public_key() == key.public_key() => Ok((key, None)),
                    Some(_) => {
                        bail!("{} is another key than that in {}, which stays", self.file("key").display(), path.display())
                    }
                }
            }
        }
    }

    async fn record(&self, chain: &[Certificate]) -> anyhow::Result<()> {
        let (Some(own), Some(root)) = (chain.first(), chain.last()) else { bail!("an empty chain") };
        let sha256 =
            |one: &Certificate| encode_string(&self.base.provider.digest.digest(DigestAlgorithm::Sha256, one.as_der()));
        let details = vec![
            ("authority", self.config.name.clone()),
            ("subject", own.subject().to_string()),
            ("issuer", own.issuer().to_string()),
            ("sha256", sha256(own)),
            ("root_sha256", sha256(root)),
        ];
        let event = Event { at: self.base.clock.now(), kind: EventKind::AuthorityImported, actor: OPERATOR.into(), details };
        self.base.ledger.import_certificate(&self.config.name, own.as_der(), event).await?;
        // Should a crash come between these, the start says what to do: import it again.
        let all: String = chain.iter().map(encode).collect();
        for (kind, text) in [("pem", encode(own)), ("root.pem", encode(root)), ("chain.pem", all)] {
            write_atomically(&self.file(kind), text.as_bytes(), Secrecy::Public)?;
        }
        Ok(())
    }

    /// Its key and its chain, root last, as they were imported.
    ///
    /// # Errors
    /// When they are not there yet, or do not fit together.
    pub(super) async fn open(&self) -> anyhow::Result<(Arc<dyn SigningKey>, Vec<Certificate>)> {
        let (name, path) = (&self.config.name, self.file("chain.pem"));
        let imported = self.base.ledger.imported_certificate(name).await?;
        let Some(key) = self.key()? else {
            match imported {
                Some(_) => bail!(
                    "{} is missing, and a certificate of it was imported: restore it from a backup",
                    self.file("key").display()
                ),
                None => bail!("it is signed outside of this gateway, and has no key yet: begin with `certgate ca csr {name}`"),
            }
        };
        let Some(imported) = imported else {
            bail!(
                "it waits for its certificate: have the request that `certgate ca csr {name}` prints signed, and give the answer and all \
                 CAs above it to `certgate ca import {name} FILE…`"
            )
        };
        let again = format!("run `certgate ca import {name} FILE…` again, or restore ledger.db and ca/ from one backup");
        let chain = read_certificates(&path).with_context(|| again.clone())?;
        if chain.first().is_none_or(|own| own.as_der() != imported) {
            bail!("{} is not what was imported last: {again}", path.display());
        }
        if chain.first().is_some_and(|own| own.public_key() != key.public_key()) {
            bail!("{} is not the certificate of the key in {}: {again}", path.display(), self.file("key").display());
        }
        Ok((key, chain))
    }

    fn key(&self) -> anyhow::Result<Option<Arc<dyn SigningKey>>> {
        let path = self.file("key");
        let load = || authority_key::load_or_make(self.config, &path, &self.base.provider);
        if path.exists() { load().map(Some) } else { Ok(None) }
    }

    fn file(&self, kind: &str) -> PathBuf {
        self.data_dir.join(&format!("ca/{}.{kind}", self.config.name))
    }
}

fn encode(certificate: &Certificate) -> String {
    pem::encode(pem::CERTIFICATE, certificate.as_der())
}

/// All certificates of a file.
fn read_certificates(path: &Path) -> anyhow::Result<Vec<Certificate>> {
    let name = || path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(name)?;
    let blocks = pem::decode_all(pem::CERTIFICATE, &text).with_context(name)?;
    blocks.iter().map(|der| Certificate::from_der(der).with_context(name)).collect()
}

/// That of this key first, then its issuer, and so on up to one that has signed itself.
fn in_order(mut found: Vec<Certificate>, key: &dyn SigningKey, provider: &Provider) -> anyhow::Result<Vec<Certificate>> {
    let mut chain: Vec<Certificate> = Vec::new();
    let own = found.iter().position(|one| one.public_key() == key.public_key());
    let Some(own) = own else {
        bail!(
            "none of these certificates is for the authority's key: it is that of the request which `certgate ca csr` has printed"
        )
    };
    let mut next = found.swap_remove(own);
    while next.issuer().as_der() != next.subject().as_der() {
        let is_named = |one: &Certificate| one.subject().as_der() == next.issuer().as_der();
        let has_signed = |one: &Certificate| next.verify_signed_by(one.public_key(), provider).is_ok();
        // A CA that has got another key has certificates of one name: the one that signed counts.
        let signer = found.iter().position(|one| is_named(one) && has_signed(one));
        let issuer = signer.or_else(|| found.iter().position(is_named));
        let Some(issuer) = issuer else {
            bail!(
                "the chain is not whole: {} is signed by {}, whose certificate is not among those given. Add it, and all above it up to \
                 the root",
                next.subject(),
                next.issuer()
            )
        };
        chain.push(std::mem::replace(&mut next, found.swap_remove(issuer)));
    }
    chain.push(next);
    Ok(chain)
}
