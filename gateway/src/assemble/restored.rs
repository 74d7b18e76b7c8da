//! Keys and certificates of authorities that came from a backup, as a start would find them.

use anyhow::bail;
use certgate_enrollment::{Authorities as _, Certificates};

use super::authorities::read_certificate;
use super::{Base, OutsideAuthority, authority_key};
use crate::config::{AuthorityConfig, Config};
use crate::data_dir::DataDir;

/// Looks whether keys, certificates and the ledger in a data directory are of one CA; nothing is made. Gives the files of keys that are not
/// there, and without which a start will be refused, or OCSP not answer.
///
/// # Errors
/// When they are not, or a key cannot be opened.
pub async fn check_restored(config: &Config, base: &Base, data_dir: &DataDir) -> anyhow::Result<Vec<String>> {
    let mut missing = Vec::new();
    for authority in &config.authorities {
        let name = format!("ca/{}.key", authority.name);
        let certificate = data_dir.join(&format!("ca/{}.pem", authority.name));
        if base.ledger.offline_since(&authority.name).await?.is_some() {
            // One that was taken away is not missed, and nobody here could make its OCSP responder anew.
            let responder = format!("ocsp/{}.key", authority.name);
            let has_certificate = data_dir.join(&format!("ocsp/{}.pem", authority.name)).exists();
            if has_certificate && !data_dir.join(&responder).exists() {
                missing.push(responder);
            }
        } else if !data_dir.join(&name).exists() {
            if certificate.exists() {
                missing.push(name);
            }
        } else if authority.external {
            if base.ledger.imported_certificate(&authority.name).await?.is_some() {
                OutsideAuthority::new(authority, base, data_dir)?.open().await?;
            }
        } else if certificate.exists() {
            check_own(authority, base, data_dir).await?;
        }
    }
    Ok(missing)
}

/// One that this gateway has made.
async fn check_own(authority: &AuthorityConfig, base: &Base, data_dir: &DataDir) -> anyhow::Result<()> {
    let name = &authority.name;
    let (key, _) = authority_key::read(authority, &data_dir.join(&format!("ca/{name}.key")), &base.provider)?;
    let own = read_certificate(&data_dir.join(&format!("ca/{name}.pem")))?;
    if own.public_key() != key.public_key() {
        bail!("ca/{name}.pem is not the certificate of the key in ca/{name}.key: they are not of one backup");
    }
    if base.ledger.find(own.serial()).await?.is_none_or(|record| record.der != own.as_der()) {
        bail!("ca/{name}.pem ({}) is not in the ledger: the two are not of one backup", own.subject());
    }
    Ok(())
}
