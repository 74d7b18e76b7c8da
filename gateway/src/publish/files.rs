//! Lists in files, under the paths of their URLs: served again after a start, and by any web server that is given them.

use std::path::{Path, PathBuf};

use anyhow::Context;
use bytes::Bytes;
use certgate_crl::Crl;
use certgate_enrollment::{CrlRecord, CrlScope};
use certgate_pki::sha256;

use super::build::authority_key;
use super::{CrlTerms, ListId, PublishError, PublishedCrl, PublisherParts, ScopeTerms};
use crate::data_dir::{Secrecy, write_atomically};

/// Where a list is kept.
fn path(directory: &Path, authority: &str, id: ListId) -> PathBuf {
    directory.join(id.path(authority).trim_start_matches('/'))
}

/// Writes a list.
///
/// # Errors
/// When that fails; the one before it is still there then.
pub(super) fn write(directory: &Path, list: &PublishedCrl) -> anyhow::Result<()> {
    let path = path(directory, &list.record.scope.authority, ListId::of(&list.record));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("make directory {}", folder.display()))?;
    }
    write_atomically(&path, &list.der, Secrecy::Public)
}

/// A list that was found in its file.
pub(super) struct Found {
    pub(super) list: PublishedCrl,
    /// Is it what would be made now, but for dates and entries? Not so after a change of base URLs, or once deltas are to be made.
    pub(super) is_current: bool,
}

/// The last list that was recorded under this name, if its file has the very same one.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn find(parts: &PublisherParts, id: ListId) -> Result<Option<Found>, PublishError> {
    let authority = parts.authority.name();
    let scope = CrlScope { authority: authority.to_owned(), shard: id.shard };
    let Some(record) = parts.ledger.last_crl(&scope, id.is_delta).await? else { return Ok(None) };
    let path = path(&parts.directory, authority, id);
    let der = match std::fs::read(&path) {
        Ok(der) if sha256(&*parts.provider.digest, &der) == record.sha256 => der,
        Ok(_) => {
            tracing::warn!(path = %path.display(), number = record.number, "a CRL file is not what was recorded; another is made");
            return Ok(None);
        }
        Err(error) => {
            tracing::warn!(path = %path.display(), number = record.number, %error, "a CRL file cannot be read; another is made");
            return Ok(None);
        }
    };
    let scope = parts.terms.scopes.iter().find(|scope| scope.shard == id.shard);
    let is_current = scope.is_some_and(|scope| is_current(parts, scope, &record, &der));
    let list = PublishedCrl::new(record, Bytes::from(der), parts.terms.period(id.is_delta));
    Ok(Some(Found { list, is_current }))
}

fn is_current(parts: &PublisherParts, scope: &ScopeTerms, record: &CrlRecord, der: &[u8]) -> bool {
    let Some(own) = parts.authority.chain().first() else { return false };
    let Ok(crl) = Crl::parse(der) else { return false };
    let freshest = scope.freshest.iter().filter(|_| record.base.is_none());
    crl.issuer.as_der() == own.subject().as_der()
        && crl.authority_key.as_ref() == Some(&authority_key(own, &parts.provider))
        && crl.distribution_point == scope.point
        && crl.freshest.iter().eq(freshest)
        && is_as_long(&parts.terms, record)
}

/// Does it end within what is configured now? One that was made for longer would keep its readers from the next one.
fn is_as_long(terms: &CrlTerms, record: &CrlRecord) -> bool {
    record.next_update <= record.this_update.after(terms.validity(record.base.is_some()))
}
