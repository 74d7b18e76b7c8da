//! Lists in files, under the paths of their URLs: served again after a start, and by any web server that is given them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use certgate_crl::Crl;
use certgate_enrollment::{CrlScope, Event, EventKind, INTERNAL_PRINCIPAL};
use certgate_pki::sha256;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use super::build::authority_key;
use super::{ListId, PublishError, PublishedCrl, PublisherParts, ScopeTerms};
use crate::data_dir::{Secrecy, make_folder, write_atomically};

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
        make_folder(folder, Secrecy::Public).with_context(|| format!("make directory {}", folder.display()))?;
    }
    write_atomically(&path, &list.der, Secrecy::Public)
}

/// What there is under the name of a list.
pub(super) enum Found {
    /// The very list that was recorded last.
    Recorded(Arc<PublishedCrl>),
    /// A list of the authority that the ledger does not know, of this number: the ledger is older than the file.
    Unknown(u64),
    /// Nothing of use.
    Nothing,
}

/// What there is of all lists of these scopes, also of deltas that are made no more: their files have numbers, too.
pub(super) async fn find_all(parts: &Arc<PublisherParts>, tasks: &TaskTracker) -> Vec<(ListId, Result<Found, PublishError>)> {
    let kinds = |scope: &ScopeTerms| [false, true].map(|is_delta| ListId { shard: scope.shard, is_delta });
    let (runtime, lists) = (Handle::current(), parts.terms.scopes.iter().flat_map(kinds).collect::<Vec<_>>());
    let parts = Arc::clone(parts);
    let all = move || lists.into_iter().map(|id| (id, runtime.block_on(find(&parts, id)))).collect::<Vec<_>>();
    tasks.spawn_blocking(all).await.unwrap_or_default()
}

/// Looks for the last list that was recorded under this name.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn find(parts: &PublisherParts, id: ListId) -> Result<Found, PublishError> {
    let authority = parts.authority.name();
    let scope = CrlScope { authority: authority.to_owned(), shard: id.shard };
    let record = parts.ledger.last_crl(&scope, id.is_delta).await?;
    let path = path(&parts.directory, authority, id);
    let read = std::fs::read(&path);
    if let Some(record) = record.as_ref().filter(|_| !id.is_delta)
        && !read.as_ref().is_ok_and(|der| sha256(&*parts.provider.digest, der) == record.sha256)
    {
        withdraw(parts, &scope, record.number).await?;
    }
    let number = record.as_ref().map(|record| record.number);
    match (read, record) {
        (Ok(der), Some(record)) if sha256(&*parts.provider.digest, &der) == record.sha256 => {
            let list = PublishedCrl::new(record, Bytes::from(der), parts.terms.period(id.is_delta));
            Ok(Found::Recorded(Arc::new(list)))
        }
        (Ok(der), _) => {
            let message = "a CRL file is not what was recorded; another is made";
            tracing::warn!(path = %path.display(), number, "{message}");
            Ok(number_of(parts, &der).map_or(Found::Nothing, Found::Unknown))
        }
        (Err(_), None) => Ok(Found::Nothing),
        // A list of before the authority came here is not one of ours, and was never in this place.
        (Err(error), Some(_))
            if error.kind() == ErrorKind::NotFound && parts.ledger.last_imported_crl(authority).await? == number =>
        {
            Ok(Found::Nothing)
        }
        (Err(error), Some(_)) => {
            tracing::warn!(path = %path.display(), number, %error, "a CRL file cannot be read; another is made");
            Ok(Found::Nothing)
        }
    }
}

/// What the file of a list has, if there is one.
pub(super) fn read(parts: &PublisherParts, id: ListId) -> Option<Vec<u8>> {
    std::fs::read(path(&parts.directory, parts.authority.name(), id)).ok()
}

/// A list whose file is not there was not served to its end, or not at all: nobody is to need it for a delta.
async fn withdraw(parts: &PublisherParts, scope: &CrlScope, number: u64) -> Result<(), PublishError> {
    let CrlScope { authority, shard } = scope;
    let details = vec![("authority", authority.clone()), ("shard", shard.to_string()), ("number", number.to_string())];
    let (at, actor) = (parts.clock.now(), INTERNAL_PRINCIPAL.to_owned());
    let event = Event { at, kind: EventKind::CrlWithdrawn, actor, details };
    Ok(parts.ledger.withdraw_crl(scope, number, event).await?)
}

/// The number of a list, if it is the authority's.
fn number_of(parts: &PublisherParts, der: &[u8]) -> Option<u64> {
    let (crl, own) = (Crl::parse(der).ok()?, parts.authority.chain().first()?);
    crl.verify_signed_by(own.public_key(), &parts.provider).ok()?;
    crl.number?.to_u64()
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
