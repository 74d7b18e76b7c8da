//! Certificates of certgate's own, in files: issued when there is none that will do, and again before that one ends.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use certgate_enrollment::{Authority, CertificateStatus, Certificates, Clock, InternalPurpose, InternalRequest};
use certgate_pki::{Certificate, GeneralName, KeyType, Name, NameAttribute, NameAttributeType, Provider, PublicKey, pem};
use certgate_store::SqliteLedger;

use super::keys;
use crate::data_dir::{Secrecy, write_atomically};

/// How long the TLS server certificate lasts at the most; one is renewed when a third of its life is left.
const TLS_LIFETIME: Duration = Duration::from_secs(90 * 86_400);
/// How long the certificate of an OCSP responder lasts at the most: nobody asks what became of it, so a stolen key is good for that long.
pub(super) const OCSP_LIFETIME: Duration = Duration::from_secs(30 * 86_400);
/// More than notBefore lies back.
const BACKDATE: Duration = Duration::from_secs(2 * 3600);
/// How long the certificate of an RA lasts at the most, which is for as long as its issuer's: clients keep it.
const RA_LIFETIME: Duration = Duration::from_secs(20 * 365 * 86_400);

/// What a certificate is for.
pub(super) enum Purpose {
    /// The TLS listeners, by these names.
    TlsServer(Vec<GeneralName>),
    /// The OCSP responder of this authority, for so long at the most.
    OcspResponder(String, Duration),
    /// A SCEP endpoint, with a key of this kind.
    ScepRa(String, KeyType),
}

/// A certificate, its key, and where they are kept.
pub(super) struct OwnCertificate {
    pub(super) authority: Arc<Authority>,
    pub(super) purpose: Purpose,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ledger: SqliteLedger,
    pub(super) provider: Provider,
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
}

impl OwnCertificate {
    /// The one that is there and will do; else another one, issued.
    pub(super) async fn ensure(&self) -> anyhow::Result<Certificate> {
        if let Some(leaf) = self.found()?.filter(|leaf| self.will_do(leaf))
            && self.is_good(&leaf).await?
        {
            return Ok(leaf);
        }
        self.issue().await
    }

    /// What there is. A file that cannot be read now is none that is missing: another one is no way out of too many open files.
    fn found(&self) -> anyhow::Result<Option<Certificate>> {
        match std::fs::read(&self.cert) {
            Ok(octets) => Ok(leaf_in(&octets)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| self.cert.display().to_string()),
        }
    }

    /// Issues it, whatever there is.
    pub(super) async fn issue(&self) -> anyhow::Result<Certificate> {
        // A key lives as long as its certificate: both are made anew.
        let made = keys::make(self.purpose.key_type(), &self.provider)?;
        let request = self.purpose.request(made.key.public_key().clone());
        let issued = self.authority.issue(self.authority.authorize_internal(request)?).await?;
        let chain = self.authority.chain();
        // The root stays out: whoever verifies has it (RFC 8446 §4.4.2).
        let sent = chain.iter().take(chain.len().saturating_sub(1).max(1)).map(Certificate::as_der);
        let text: String =
            std::iter::once(issued.der.as_slice()).chain(sent).map(|der| pem::encode(pem::CERTIFICATE, der)).collect();
        // A crash between the two writes leaves a certificate that is not the key's, which `will_do` sees.
        keys::write(&self.key, &made, &self.provider)?;
        write_atomically(&self.cert, text.as_bytes(), Secrecy::Public)?;
        tracing::info!(serial = %issued.serial, path = %self.cert.display(), "issued a certificate for certgate itself");
        Ok(issued.certificate()?)
    }

    /// Has nobody revoked it? One that the ledger does not know is not ours.
    async fn is_good(&self, leaf: &Certificate) -> anyhow::Result<bool> {
        let record = self.ledger.find_issued(self.authority.name(), leaf.serial()).await?;
        Ok(record.is_some_and(|record| record.status == CertificateStatus::Valid))
    }

    /// Is this certificate ours, with all names, from the authority as it is now, and not near its end?
    fn will_do(&self, leaf: &Certificate) -> bool {
        let key = keys::read(&self.key).ok().and_then(|pkcs8| self.provider.sign.load(&pkcs8).ok());
        let (now, own) = (self.clock.now(), leaf.validity());
        let issuer = self.authority.chain().first();
        let lifetime = Duration::from_millis(own.not_after.millis().saturating_sub(own.not_before.millis()));
        // One that ends with its issuer gains nothing by being renewed before that one is.
        let ends_with_issuer = issuer.is_some_and(|issuer| own.not_after == issuer.validity().not_after);
        let is_fresh =
            now >= own.not_before && (now.after(lifetime / 3) < own.not_after || ends_with_issuer && now < own.not_after);
        // One that was made for a root whose key went away is of no use once that is back.
        let is_short = self.purpose.longest().is_none_or(|longest| lifetime <= longest + BACKDATE);
        is_short
            && key.is_some_and(|key| key.public_key() == leaf.public_key())
            && leaf.public_key().key_type() == self.purpose.key_type()
            && is_fresh
            && leaf.extensions().subject_alt_names().is_ok_and(|names| names == self.purpose.names())
            && issuer.is_some_and(|issuer| leaf.verify_signed_by(issuer.public_key(), &self.provider).is_ok())
    }
}

impl Purpose {
    /// How long a certificate that will do lasts at the most, if that matters.
    const fn longest(&self) -> Option<Duration> {
        match self {
            Self::OcspResponder(_, lifetime) => Some(*lifetime),
            Self::TlsServer(_) | Self::ScepRa(..) => None,
        }
    }

    const fn key_type(&self) -> KeyType {
        match self {
            Self::TlsServer(_) | Self::OcspResponder(..) => KeyType::P256,
            Self::ScepRa(_, key_type) => *key_type,
        }
    }

    fn names(&self) -> &[GeneralName] {
        match self {
            Self::TlsServer(names) => names,
            Self::OcspResponder(..) | Self::ScepRa(..) => &[],
        }
    }

    fn request(&self, public_key: PublicKey) -> InternalRequest {
        let (purpose, subject, lifetime) = match self {
            Self::TlsServer(names) => {
                // The first host name; names that count are in the subjectAltName (RFC 6125 §6.4.4).
                let first = names.iter().find_map(|name| match name {
                    GeneralName::Dns(name) => Some(name.to_string()),
                    _ => None,
                });
                let subject = common_name(first.into_iter());
                (InternalPurpose::TlsServer(names.clone()), subject, TLS_LIFETIME)
            }
            Self::OcspResponder(authority, lifetime) => {
                let subject = common_name([format!("certgate OCSP {authority}"), authority.clone()].into_iter());
                (InternalPurpose::OcspResponder, subject, *lifetime)
            }
            Self::ScepRa(endpoint, _) => {
                let subject = common_name([format!("certgate SCEP RA {endpoint}"), endpoint.clone()].into_iter());
                (InternalPurpose::ScepRa, subject, RA_LIFETIME)
            }
        };
        InternalRequest { purpose, subject, public_key, lifetime }
    }
}

/// A subject of the first of these that a common name can be.
fn common_name(mut texts: impl Iterator<Item = String>) -> Name {
    let attribute = |text| NameAttribute::new(NameAttributeType::CommonName, text);
    let first = texts.find_map(|text| Some(attribute(text)).filter(NameAttribute::is_well_formed));
    Name::from_attributes(first.into_iter().collect())
}

/// The first certificate in a file, if it is one.
pub(super) fn read_leaf(path: &Path) -> Option<Certificate> {
    leaf_in(&std::fs::read(path).ok()?)
}

fn leaf_in(octets: &[u8]) -> Option<Certificate> {
    let text = std::str::from_utf8(octets).ok()?;
    Certificate::from_der(&pem::decode(pem::CERTIFICATE, text).ok()?).ok()
}

#[cfg(test)]
mod tests;
