//! What an authority publishes: where relying parties find it, and the CRLs among it, signed and recorded.

use certgate_pki::{AuthorityInfoAccess, DistributionPointName, Pointers, Serial, SignatureAlgorithm};

use crate::authority::Authority;
use crate::authorized::Recorded;
use crate::error::EnrollError;
use crate::ports::audit::{Event, EventKind};
use crate::ports::crls::CrlRecord;
use certgate_ca_backend_api::{BackendError, CrlOrder};

/// Where relying parties find what an authority publishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// Its certificate (RFC 5280 §4.2.2.1).
    pub ca_issuers: Option<String>,
    /// Its OCSP responder.
    pub ocsp: Option<String>,
    /// Its CRLs: the one for everything, or else those of its shards, of which each certificate has one. None at all leaves certificates
    /// without cRLDistributionPoints.
    pub crls: Vec<CrlPointers>,
}

/// Where the CRLs of one scope are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlPointers {
    /// The shard; 0 is all of them.
    pub shard: u32,
    /// The complete list: cRLDistributionPoints.
    pub complete: DistributionPointName,
    /// Its deltas: freshestCRL.
    pub delta: Option<DistributionPointName>,
}

impl Publication {
    /// What a certificate of this serial number says, and the shard that it falls to.
    pub(crate) fn pointers(&self, serial: &Serial) -> (Pointers, u32) {
        let crl = self.crl_of(serial);
        let pointers = Pointers {
            access: AuthorityInfoAccess {
                ocsp: self.ocsp.iter().cloned().collect(),
                ca_issuers: self.ca_issuers.iter().cloned().collect(),
            },
            crl: crl.map(|crl| crl.complete.clone()),
            freshest_crl: crl.and_then(|crl| crl.delta.clone()),
            no_rev_avail: false,
        };
        (pointers, crl.map_or(0, |crl| crl.shard))
    }

    /// The same of a certificate about whose status nobody is to ask.
    pub(crate) fn pointers_without_status(&self) -> Pointers {
        let ca_issuers = self.ca_issuers.iter().cloned().collect();
        Pointers { access: AuthorityInfoAccess { ca_issuers, ..AuthorityInfoAccess::default() }, ..Pointers::default() }
    }

    /// The last octets of a serial number are random: shards get as much each.
    fn crl_of(&self, serial: &Serial) -> Option<&CrlPointers> {
        let number = serial.as_octets().iter().rev().take(4).fold(0_usize, |number, octet| number << 8 | usize::from(*octet));
        self.crls.get(number.checked_rem(self.crls.len())?)
    }
}

impl Authority {
    /// By which algorithm its CRLs are signed; `None` when its back end signs none.
    #[must_use]
    pub fn crl_algorithm(&self) -> Option<SignatureAlgorithm> {
        self.backend.crl_signing().map(certgate_ca_backend_api::CrlSigning::algorithm)
    }

    /// The signature over a TBSCertList, and over nothing else. May take as long as hashing it takes, and does not yield meanwhile: a long
    /// list is to be signed where that disturbs nobody.
    ///
    /// # Errors
    /// [`EnrollError::Backend`] when the back end does not sign, or this is no TBSCertList.
    pub async fn sign_crl(&self, to_be_signed: &[u8]) -> Result<Vec<u8>, EnrollError> {
        let misused = |what: &str| EnrollError::Backend(BackendError::Misconfigured(what.to_owned()));
        let signing = self.backend.crl_signing().ok_or_else(|| misused("it signs no CRLs"))?;
        let order = CrlOrder::new(to_be_signed).ok_or_else(|| misused("what was to be signed is no CRL"))?;
        Ok(signing.sign_crl(order).await?)
    }

    /// Records CRLs of one moment, which may be published once this has returned. `None` when somebody else has published a CRL of one of
    /// these scopes meanwhile: these must not be seen by anybody.
    ///
    /// # Errors
    /// [`EnrollError::Ledger`].
    pub async fn record_crls(
        &self,
        crls: Vec<CrlRecord>,
        actor: &str,
    ) -> Result<Option<Recorded<Vec<CrlRecord>>>, EnrollError> {
        let at = self.core.clock.now();
        let with_event = |crl: &CrlRecord| {
            let mut details = vec![
                ("authority", crl.scope.authority.clone()),
                ("number", crl.number.to_string()),
                ("sha256", base16ct::lower::encode_string(&crl.sha256)),
            ];
            details.extend((crl.scope.shard > 0).then(|| ("shard", crl.scope.shard.to_string())));
            details.extend(crl.base.map(|base| ("base", base.to_string())));
            (crl.clone(), Event { at, kind: EventKind::CrlPublished, actor: actor.to_owned(), details })
        };
        let is_recorded = self.core.crls.record_crls(crls.iter().map(with_event).collect()).await?;
        Ok(is_recorded.then(|| Recorded::committed(crls)))
    }
}
