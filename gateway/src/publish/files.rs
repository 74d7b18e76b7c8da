//! Lists in files, under the paths of their URLs: served again after a start, and by any web server that is given them.

use std::path::{Path, PathBuf};

use anyhow::Context;
use bytes::Bytes;
use certgate_crl::Crl;
use certgate_enrollment::CrlScope;
use certgate_pki::sha256;

use super::build::authority_key;
use super::{ListId, PublishError, PublishedCrl, PublisherParts};
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

/// The last list that was recorded under this name, if its file has the very same one.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn find(parts: &PublisherParts, id: ListId) -> Result<Option<PublishedCrl>, PublishError> {
    let authority = parts.authority.name();
    let scope = CrlScope { authority: authority.to_owned(), shard: id.shard };
    let Some(record) = parts.ledger.last_crl(&scope, id.is_delta).await? else { return Ok(None) };
    let path = path(&parts.directory, authority, id);
    match std::fs::read(&path) {
        Ok(der) if sha256(&*parts.provider.digest, &der) == record.sha256 => {
            Ok(Some(PublishedCrl::new(record, Bytes::from(der), parts.terms.period(id.is_delta))))
        }
        Ok(_) => {
            tracing::warn!(path = %path.display(), number = record.number, "a CRL file is not what was recorded; another is made");
            Ok(None)
        }
        Err(error) => {
            tracing::warn!(path = %path.display(), number = record.number, %error, "a CRL file cannot be read; another is made");
            Ok(None)
        }
    }
}

/// Is a list that was found what would be made now, but for dates and entries? Not so after a change of base URLs, or once there are to be
/// deltas. Reads all of it, which takes a while where it is long.
pub(super) fn is_current(parts: &PublisherParts, list: &PublishedCrl) -> bool {
    let record = &list.record;
    let scope = parts.terms.scopes.iter().find(|scope| scope.shard == record.scope.shard);
    let (Some(own), Some(scope), Ok(crl)) = (parts.authority.chain().first(), scope, Crl::parse(&list.der)) else {
        return false;
    };
    let freshest = scope.freshest.iter().filter(|_| record.base.is_none());
    // One that lasts longer than those that are made now would keep its readers from the next one.
    let longest = record.this_update.after(parts.terms.validity(record.base.is_some()));
    crl.issuer.as_der() == own.subject().as_der()
        && crl.authority_key.as_ref() == Some(&authority_key(own, &parts.provider))
        && crl.distribution_point == scope.point
        && crl.freshest.iter().eq(freshest)
        && record.next_update <= longest
}
