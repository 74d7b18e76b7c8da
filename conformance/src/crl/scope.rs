//! The lists that tell of a certificate, and what they say together at one time.

use super::{
    list::{Entry, Number, RevocationList},
    session::{PAUSE, Session},
};
use crate::{
    certificate::Certificate,
    pointers::{CRL_DISTRIBUTION_POINTS, FRESHEST_CRL, urls_in},
    target::Url,
    verdict::{Stop, require},
};

/// reasonCode removeFromCRL (RFC 5280 §5.3.1).
pub(super) const REMOVE_FROM_CRL: u8 = 8;

/// A scope (RFC 5280 §5): a complete list and its deltas, if it has some.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) complete: Url,
    pub(super) delta: Option<Url>,
    /// Who signs them.
    pub(super) issuer: Certificate,
    /// What reports and mutations call the complete list and the delta.
    pub(super) names: [&'static str; 2],
}

/// The lists of a scope, fetched at one time.
pub(super) struct Snapshot {
    pub(super) complete: RevocationList,
    pub(super) delta: Option<RevocationList>,
}

impl Scope {
    /// The scope of the target's list; a certificate of that authority may tell where its deltas are.
    pub(super) fn first(session: &mut Session<'_>, certificate: &Certificate) -> Result<Self, Stop> {
        let complete = session.url();
        let delta = delta_of(session, certificate, &complete, "complete")?;
        Ok(Self { complete, delta, issuer: session.issuer().clone(), names: ["complete", "delta"] })
    }

    /// The scope that a certificate names.
    pub(super) fn sharded(session: &mut Session<'_>, certificate: &Certificate, issuer: Certificate) -> Result<Self, Stop> {
        let complete = urls_in(certificate.extension(CRL_DISTRIBUTION_POINTS))?.into_iter().next();
        let complete = complete.ok_or_else(|| Stop::fail("a certificate of sharded_est_url names no list"))?;
        let delta = delta_of(session, certificate, &complete, "shard")?;
        Ok(Self { complete, delta, issuer, names: ["shard", "shard-delta"] })
    }

    /// Fetches the lists. The delta comes first: a complete list made in between has all that the delta has.
    pub(super) fn look(&self, session: &mut Session<'_>) -> Result<Snapshot, Stop> {
        let [complete, delta] = self.names;
        let delta = self.delta.as_ref().map(|url| session.list(url, delta)).transpose()?;
        Ok(Snapshot { complete: session.list(&self.complete, complete)?, delta })
    }

    /// Looks until `accept` is content with what it sees, as long as a revocation may take to be listed.
    pub(super) fn wait(
        &self,
        session: &mut Session<'_>,
        what: &str,
        mut accept: impl FnMut(&Snapshot) -> Result<bool, Stop>,
    ) -> Result<Snapshot, Stop> {
        let start = session.est.now();
        loop {
            let snapshot = self.look(session)?;
            if accept(&snapshot)? {
                return Ok(snapshot);
            }
            require(session.est.now() - start < session.delay(), || {
                format!("{}: {what}: not within {} s", self.names.join(" and "), session.delay())
            })?;
            session.est.wait(PAUSE);
        }
    }

    /// Looks until a certificate is listed.
    pub(super) fn wait_for(&self, session: &mut Session<'_>, certificate: &Certificate) -> Result<Snapshot, Stop> {
        let what = format!("certificate {} is listed", certificate.serial_hex());
        self.wait(session, &what, |snapshot| Ok(snapshot.entry(&certificate.serial)?.is_some()))
    }
}

/// Where the deltas are: RFC 5280 §4.2.1.15 and §5.2.6 let certificates and complete lists tell it.
fn delta_of(
    session: &mut Session<'_>,
    certificate: &Certificate,
    complete: &Url,
    name: &'static str,
) -> Result<Option<Url>, Stop> {
    match urls_in(certificate.extension(FRESHEST_CRL))?.into_iter().next() {
        Some(url) => Ok(Some(url)),
        None => Ok(session.list(complete, name)?.freshest()?.into_iter().next()),
    }
}

impl Snapshot {
    /// The entry of a certificate that the lists together say is revoked (RFC 5280 §5.2.4).
    pub(super) fn entry(&self, serial: &[u8]) -> Result<Option<&Entry>, Stop> {
        let changed = if self.delta_is_current()? { self.delta.as_ref().and_then(|delta| delta.entry(serial)) } else { None };
        match changed {
            Some(entry) if entry.reason() == Some(REMOVE_FROM_CRL) => Ok(None),
            Some(entry) => Ok(Some(entry)),
            None => Ok(self.complete.entry(serial)),
        }
    }

    /// Whether the delta can be combined with this complete list and is no older. RFC 5280 §5.2.4: "(c) The CRL number of the complete
    /// CRL is equal to or greater than the BaseCRLNumber specified in the delta CRL. … (d) The CRL number of the complete CRL is less than
    /// the CRL number of the delta CRL."
    fn delta_is_current(&self) -> Result<bool, Stop> {
        let Some(delta) = &self.delta else { return Ok(false) };
        let (complete, delta, base) = (self.complete.number()?, delta.number()?, delta.base()?);
        Ok(base.is_some_and(|base| base <= complete) && complete < delta)
    }

    /// The number of the later list.
    pub(super) fn number(&self) -> Result<Number, Stop> {
        let complete = self.complete.number()?;
        let delta = self.delta.as_ref().map(RevocationList::number).transpose()?;
        Ok(delta.map_or_else(|| complete.clone(), |delta| delta.max(complete.clone())))
    }

    /// `thisUpdate` of the later list, in seconds since 1970.
    pub(super) fn this_update(&self) -> Result<i64, Stop> {
        let lists = std::iter::once(&self.complete).chain(&self.delta);
        let latest = lists.filter_map(|list| list.this_update.unix()).max();
        latest.ok_or_else(|| Stop::fail("thisUpdate is no moment"))
    }
}
