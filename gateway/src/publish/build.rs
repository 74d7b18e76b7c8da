//! Lists are made, signed, recorded: in this order, and published by whoever asked for them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use certgate_crl::{CrlFields, CrlNumber, Kind, Removal};
use certgate_enrollment::{CertificateState, CrlRecord, CrlScope};
use certgate_pki::{Certificate, KeyIdentifier, Provider, Serial, Timestamp, sha256};

use super::import::MAX_CRL_NUMBER;
use super::revoked::{Revoked, entry};
use super::{ListId, PublishError, PublishedCrl, PublisherParts, ScopeTerms};

/// How many changes are read at one time.
const PAGE: usize = 4096;

/// Makes these lists of one moment, up to which `revoked` has everything, and records them. `None`, and nothing may be seen of them, when
/// somebody else has recorded a list of one of their scopes meanwhile. Numbers are above those of the ledger, and above the `floors` of
/// their shards. Takes as long as copying, signing and hashing what is revoked takes, and does not yield meanwhile.
///
/// # Errors
/// [`PublishError`]; then nothing is recorded.
pub(super) async fn build(
    parts: &PublisherParts,
    (revoked, floors): (&Revoked, &BTreeMap<u32, u64>),
    lists: impl IntoIterator<Item = ListId>,
    (now, actor): (Timestamp, &str),
    made: &AtomicU64,
) -> Result<Option<Vec<PublishedCrl>>, PublishError> {
    let own = parts.authority.chain().first().ok_or(PublishError::Unsigned)?;
    let (now, key) = (now.floor_to_second(), authority_key(own, &parts.provider));
    let making = Making { parts, revoked, floors, own, key, now };
    let planned = making.plan(lists).await?;
    let changes = making.changes_for(&planned).await?;
    let (mut records, mut octets) = (Vec::new(), Vec::new());
    for list in &planned {
        let (record, der) = making.make(list, &changes).await?;
        records.push(record);
        octets.push(Bytes::from(der));
        made.fetch_add(1, Ordering::Relaxed);
    }
    let Some(recorded) = parts.authority.record_crls(records, actor).await? else { return Ok(None) };
    let published =
        |(record, der): (&CrlRecord, Bytes)| PublishedCrl::new(record.clone(), der, parts.terms.period(record.base.is_some()));
    Ok(Some(recorded.iter().zip(octets).map(published).collect()))
}

/// subjectKeyIdentifier of an authority's certificate, as it stands there (RFC 5280 §5.2.1).
pub(super) fn authority_key(own: &Certificate, provider: &Provider) -> KeyIdentifier {
    let stated = own.extensions().subject_key_identifier().ok().flatten();
    stated.map_or_else(|| KeyIdentifier::of(own.public_key(), provider), KeyIdentifier::from_octets)
}

/// A list that is to be made.
struct Planned<'t> {
    scope: &'t ScopeTerms,
    number: u64,
    /// What a delta is based on; none of a complete list.
    base: Option<Base>,
}

/// A complete list that was published, or is of the same moment.
#[derive(Clone, Copy)]
struct Base {
    number: u64,
    sequence: u64,
}

/// What became of certificates last, after some place of the sequence, and the place.
type Changes = BTreeMap<Serial, (u64, CertificateState)>;

/// What all lists of one moment share.
struct Making<'m> {
    parts: &'m PublisherParts,
    revoked: &'m Revoked,
    floors: &'m BTreeMap<u32, u64>,
    own: &'m Certificate,
    key: KeyIdentifier,
    now: Timestamp,
}

impl<'m> Making<'m> {
    /// Numbers, and what deltas are based on. A complete list and a delta of one scope that come together share a number (RFC 5280
    /// §5.2.3).
    async fn plan(&self, lists: impl IntoIterator<Item = ListId>) -> Result<Vec<Planned<'m>>, PublishError> {
        let mut planned: Vec<Planned<'m>> = Vec::new();
        for ListId { shard, is_delta } in lists {
            let Some(scope) = self.parts.terms.scopes.iter().find(|scope| scope.shard == shard) else { continue };
            let complete = planned.last().filter(|last| last.scope.shard == shard).map(|last| last.number);
            let number = match complete {
                Some(number) => number,
                None => self.next_number(&self.crl_scope(shard)).await?,
            };
            let base = if is_delta { Some(self.base(shard, complete).await?) } else { None };
            planned.push(Planned { scope, number, base });
        }
        Ok(planned)
    }

    async fn next_number(&self, scope: &CrlScope) -> Result<u64, PublishError> {
        let mut last = self.floors.get(&scope.shard).copied().unwrap_or(0);
        for is_delta in [false, true] {
            let record = self.parts.ledger.last_crl(scope, is_delta).await?;
            last = record.map_or(last, |record| record.number.max(last));
        }
        last.checked_add(1).filter(|number| *number <= MAX_CRL_NUMBER).ok_or(PublishError::NoNumber)
    }

    /// Whoever has fetched a complete list within an interval can use a delta on it.
    async fn base(&self, shard: u32, complete: Option<u64>) -> Result<Base, PublishError> {
        let made_by = self.now.before(self.parts.terms.interval);
        let base = self.parts.ledger.base_crl(&self.crl_scope(shard), made_by).await?;
        let of_now = complete.map(|number| Base { number, sequence: self.revoked.sequence() });
        base.map(|base| Base { number: base.number, sequence: base.sequence }).or(of_now).ok_or(PublishError::NoBase)
    }

    fn crl_scope(&self, shard: u32) -> CrlScope {
        CrlScope { authority: self.parts.authority.name().to_owned(), shard }
    }

    /// What deltas are made of. What was committed after all that complete lists of this moment have is left for the next ones.
    async fn changes_for(&self, planned: &[Planned<'_>]) -> Result<Changes, PublishError> {
        let mut changes = Changes::new();
        let bases = planned.iter().filter_map(|list| list.base);
        let Some(mut after) = bases.map(|base| base.sequence).min() else { return Ok(changes) };
        loop {
            let page = self.parts.ledger.changes_after(self.parts.authority.name(), after, PAGE).await?;
            let known = page.iter().filter(|change| change.sequence <= self.revoked.sequence() && !change.state.no_rev_avail);
            changes.extend(known.map(|change| (change.state.serial.clone(), (change.sequence, change.state.clone()))));
            match page.last() {
                Some(last) if page.len() == PAGE && last.sequence < self.revoked.sequence() => after = last.sequence,
                _ => return Ok(changes),
            }
        }
    }

    async fn make(&self, list: &Planned<'_>, changes: &Changes) -> Result<(CrlRecord, Vec<u8>), PublishError> {
        let (shard, is_delta) = (list.scope.shard, list.base.is_some());
        let next_update =
            self.now.after(self.parts.terms.validity(is_delta)).min(self.own.validity().not_after).floor_to_second();
        if next_update <= self.now {
            return Err(PublishError::AuthorityOver);
        }
        let (number, base) = (CrlNumber::from(list.number), list.base.map(|base| CrlNumber::from(base.number)));
        let fields = CrlFields {
            issuer: self.own.subject(),
            this_update: self.now,
            next_update,
            authority_key: &self.key,
            number: &number,
            distribution_point: list.scope.point.as_ref(),
            kind: match &base {
                Some(base) => Kind::Delta { base },
                None => Kind::Complete { freshest: list.scope.freshest.as_ref() },
            },
        };
        let authority = &self.parts.authority;
        let algorithm = authority.crl_algorithm().ok_or(PublishError::Unsigned)?;
        let (draft, entries) = match list.base {
            Some(base) => {
                let (octets, entries) = self.delta_entries(shard, base, changes);
                (fields.prepare(algorithm, [octets.as_slice()])?, entries)
            }
            None => (fields.prepare(algorithm, self.revoked.pieces(shard))?, self.revoked.entries(shard)),
        };
        let signature = authority.sign_crl(draft.to_be_signed()).await?;
        let der = draft.assemble(&signature);
        let record = CrlRecord {
            scope: self.crl_scope(shard),
            number: list.number,
            base: list.base.map(|base| base.number),
            this_update: self.now,
            next_update,
            sequence: self.revoked.sequence(),
            entries: u64::try_from(entries).unwrap_or(u64::MAX),
            sha256: sha256(&*self.parts.provider.digest, &der),
        };
        Ok((record, der))
    }

    /// RFC 5280 §5.2.4: what was revoked or put on hold after the base, as far as it still has to be in a list, and, as removeFromCRL, what was
    /// released.
    fn delta_entries(&self, shard: u32, base: Base, changes: &Changes) -> (Vec<u8>, usize) {
        let (mut octets, mut entries) = (Vec::new(), 0);
        let of =
            |(sequence, state): &&(u64, CertificateState)| *sequence > base.sequence && (shard == 0 || state.shard == shard);
        for (_, state) in changes.values().filter(of) {
            match entry(state) {
                // RFC 5280 §5.2.3: a complete list of the same number says the same.
                Some(_) if !self.revoked.has(state) => continue,
                Some(entry) => entry.encode_into(&mut octets),
                None => Removal { serial: state.serial.clone(), date: self.now }.encode_into(&mut octets),
            }
            entries += 1;
        }
        (octets, entries)
    }
}
