//! What is revoked, held as lists have it and kept up with the ledger.

use std::collections::BTreeMap;

use certgate_crl::{Entry, EntrySet};
use certgate_enrollment::{CertificateState, CertificateStatus, CommittedChange, Ledger, LedgerError};
use certgate_pki::{CrlReason, Timestamp};

/// How many certificates or changes are read at one time.
const PAGE: usize = 4096;

/// Where to begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beginning {
    /// What ended before that was in a list that was made after its end.
    pub(super) ended_from: Timestamp,
    /// What changed after that is in no list yet, whenever its certificate ends.
    pub(super) changed_after: Option<u64>,
}

/// What an authority has revoked and put on hold, as far as lists have to say it.
pub(super) struct Revoked {
    authority: String,
    /// By shard. The list of all certificates is all of these, so that nothing is held twice.
    sets: BTreeMap<u32, EntrySet>,
    /// The place of the last change of each shard, of those that were followed.
    changed: BTreeMap<u32, u64>,
    /// Every change up to this place is in here.
    sequence: u64,
    /// What ended before that may have been taken away.
    ended_from: Timestamp,
}

impl Revoked {
    /// Loads it; what was committed meanwhile, and what is in no list yet, is still to be followed.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(super) async fn load(ledger: &dyn Ledger, authority: &str, from: Beginning) -> Result<Self, LedgerError> {
        // Whatever is committed while this is read comes again as a change.
        let sequence = ledger.last_change().await?;
        let mut revoked = Self {
            authority: authority.to_owned(),
            sets: BTreeMap::new(),
            changed: BTreeMap::new(),
            sequence: from.changed_after.map_or(sequence, |after| after.min(sequence)),
            ended_from: from.ended_from,
        };
        let mut last = None;
        loop {
            let page = ledger.not_good(authority, from.ended_from, last.as_ref(), PAGE).await?;
            page.iter().for_each(|state| revoked.take(state));
            match page.last() {
                Some(state) if page.len() == PAGE => last = Some(state.serial.clone()),
                _ => break,
            }
        }
        Ok(revoked)
    }

    /// Takes in what was committed since.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(super) async fn follow(&mut self, ledger: &dyn Ledger) -> Result<(), LedgerError> {
        loop {
            let page = ledger.changes_after(&self.authority, self.sequence, PAGE).await?;
            for CommittedChange { sequence, state, .. } in &page {
                self.sequence = *sequence;
                if !state.no_rev_avail {
                    self.take(state);
                    self.changed.insert(state.shard, *sequence);
                }
            }
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    fn take(&mut self, state: &CertificateState) {
        // RFC 9608 §4: such a certificate says of itself that it is in no list.
        if state.no_rev_avail {
            return;
        }
        let set = self.sets.entry(state.shard).or_default();
        match entry(state) {
            Some(entry) => set.put(&entry, state.not_after),
            None => drop(set.remove(&state.serial)),
        }
    }

    /// Every change up to this place of the sequence is in here.
    pub(super) const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Is everything here that a list of that time has to have? Not so when the clock was set back behind what was taken away.
    pub(super) fn reaches_back_to(&self, now: Timestamp) -> bool {
        now >= self.ended_from
    }

    /// The place of the last change of that shard, 0 being all of them.
    pub(super) fn last_change(&self, shard: u32) -> u64 {
        let of = self.changed.iter().filter(|(of, _)| shard == 0 || **of == shard);
        of.map(|(_, sequence)| *sequence).max().unwrap_or(0)
    }

    /// Entries of the complete list of that shard, 0 being all of them.
    pub(super) fn pieces(&self, shard: u32) -> impl Iterator<Item = &[u8]> + Clone {
        self.of(shard).flat_map(EntrySet::pieces)
    }

    /// Is there an entry of this certificate? Not once it has ended and was in a list that was made after that.
    pub(super) fn has(&self, state: &CertificateState) -> bool {
        self.sets.get(&state.shard).is_some_and(|set| set.contains(&state.serial))
    }

    /// How many those are.
    pub(super) fn entries(&self, shard: u32) -> usize {
        self.of(shard).map(EntrySet::len).sum()
    }

    fn of(&self, shard: u32) -> impl Iterator<Item = &EntrySet> + Clone {
        self.sets.iter().filter(move |(of, _)| shard == 0 || **of == shard).map(|(_, set)| set)
    }

    /// Takes away what was in a list that was made after its certificate's end, which is for as long as it has to be there (RFC 5280
    /// §3.3). `last` is the last complete list of a shard, or [`Listed::NOWHERE`]: certificates of a shard are in its lists and in those
    /// of all. What has changed since a list was made is not in it, whenever its certificate ended.
    pub(super) fn prune(&mut self, last: impl Fn(u32) -> Option<Listed>) {
        let covering = |shard| last(shard).filter(|list| list.sequence >= self.last_change(shard));
        let Some(of_all) = covering(0) else { return };
        let before = |shard: &u32| Some((*shard, covering(*shard)?.at.min(of_all.at)));
        let befores: Vec<(u32, Timestamp)> = self.sets.keys().filter_map(before).collect();
        for (shard, before) in befores {
            if self.sets.get_mut(&shard).is_some_and(|set| set.prune(before) > 0) {
                self.ended_from = self.ended_from.max(before);
            }
        }
    }
}

/// When a list was made, and up to which place of the sequence it has changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub(super) at: Timestamp,
    pub(super) sequence: u64,
}

impl Listed {
    /// There are no lists of that shard, and so nothing that has to be in them.
    pub(super) const NOWHERE: Self = Self { at: Timestamp::NO_EXPIRATION, sequence: u64::MAX };
}

/// What lists say of a certificate; nothing while it is good.
pub(super) fn entry(state: &CertificateState) -> Option<Entry> {
    let serial = state.serial.clone();
    match state.status {
        CertificateStatus::Valid => None,
        CertificateStatus::Held(since) => {
            Some(Entry { serial, revocation_date: since, reason: Some(CrlReason::CertificateHold), invalidity_date: None })
        }
        CertificateStatus::Revoked(revocation) => Some(Entry {
            serial,
            revocation_date: revocation.at,
            reason: revocation.reason.crl_reason(),
            invalidity_date: revocation.invalid_since,
        }),
    }
}
