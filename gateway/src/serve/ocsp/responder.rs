//! One authority's responder: what is said of a certificate, signed or kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use certgate_enrollment::{
    Authority, CertificateState, CertificateStatus, Clock, CommittedChange, LedgerError, StatusWatcher, Statuses,
};
use certgate_ocsp::{CertId, CertStatus, ErrorStatus, IssuerHashes, OcspRequest, Reading, SingleResponse};
use certgate_pki::{CrlReason, Digest, Provider, Serial, Timestamp, sha256};

use super::kept::{Found, KeptAnswer, KeptAnswers, Making};
use super::signer::OcspSigner;
use crate::telemetry::{OcspMetrics, OcspOutcome};

/// How a responder answers.
#[derive(Clone, Debug)]
pub struct OcspOptions {
    /// From thisUpdate to nextUpdate.
    pub validity: Duration,
    /// Call certificates that were never issued revoked (RFC 6960 §2.2)?
    pub unissued_is_revoked: bool,
    /// For how long after their end the status of certificates is told.
    pub retain_expired: Duration,
    /// How requests are read.
    pub reading: Reading,
    /// Octets of answers that are kept.
    pub kept_octets: usize,
}

/// What a responder asks of others.
pub struct OcspParts {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What became of certificates.
    pub statuses: Arc<dyn Statuses>,
    /// Digests.
    pub provider: Provider,
    /// Counts.
    pub metrics: OcspMetrics,
}

/// Answers about the certificates of one authority.
pub struct OcspResponder {
    authority: String,
    issuers: Vec<IssuerHashes>,
    signer: ArcSwap<OcspSigner>,
    kept: KeptAnswers,
    options: OcspOptions,
    clock: Arc<dyn Clock>,
    statuses: Arc<dyn Statuses>,
    digest: Arc<dyn Digest>,
    /// How many changes were committed, or were about to be.
    changes: AtomicU64,
    pub(super) metrics: OcspMetrics,
}

/// What a request is answered with.
pub(super) enum Response {
    /// What is kept, or was just made to be.
    Kept(Arc<KeptAnswer>),
    /// Made for this request alone, and what it says.
    Made(Vec<u8>, OcspOutcome),
    /// There is none, and this is why.
    Error(ErrorStatus),
}

/// An answer that was to be made anew, and how many changes there were when it was taken away for that.
struct Old {
    kept: Arc<KeptAnswer>,
    changes: u64,
}

/// What is known of a certificate that is asked for.
struct Told {
    status: CertStatus,
    archive_cutoff: Option<Timestamp>,
    /// Whether it was issued here: an answer about anything else is not kept, since there is no end of what can be asked for.
    is_issued: bool,
}

impl OcspResponder {
    /// The responder of this authority.
    #[must_use]
    pub fn new(authority: &Authority, signer: OcspSigner, options: OcspOptions, parts: OcspParts) -> Self {
        let OcspParts { clock, statuses, provider, metrics } = parts;
        let own = authority.chain().first();
        let hashes =
            |algorithm| own.map(|own| IssuerHashes::new(algorithm, own.subject(), own.public_key(), &*provider.digest));
        Self {
            authority: authority.name().to_owned(),
            issuers: IssuerHashes::ALGORITHMS.into_iter().filter_map(hashes).collect(),
            signer: ArcSwap::from_pointee(signer),
            kept: KeptAnswers::new(options.kept_octets),
            options,
            clock,
            statuses,
            digest: provider.digest,
            changes: AtomicU64::new(0),
            metrics,
        }
    }

    /// The authority's name.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Signs with this one from now on. What is kept stays: it has the certificate of who signed it.
    pub fn replace_signer(&self, signer: OcspSigner) {
        self.signer.store(Arc::new(signer));
    }

    /// How requests are read.
    pub(super) const fn reading(&self) -> Reading {
        self.options.reading
    }

    /// Answers a request in DER.
    pub(super) async fn respond(&self, der: &[u8]) -> Response {
        let Ok(request) = OcspRequest::parse(der) else { return Response::Error(ErrorStatus::MalformedRequest) };
        if let Some(cert_id) = request.sole_cert_id() {
            let now = self.clock.now();
            if let Some(kept) = self.kept.get(cert_id.as_der()).filter(|kept| kept.is_fresh(now)) {
                return Response::Kept(kept);
            }
            if let Some(response) = self.find_or_make(cert_id).await {
                return response;
            }
        }
        // RFC 6960 §4.1.2 has critical extensions that are not known in no answer, §4.4.3 no answer of another type than basic.
        if request.unknown_critical().is_some() || !request.accepts_basic() {
            return Response::Error(ErrorStatus::MalformedRequest);
        }
        self.make_alone(&request).await
    }

    /// The answer that is kept, or is being made by somebody else, or is to be made and kept; `None` when none is to be kept now.
    async fn find_or_make(&self, cert_id: &CertId<'_>) -> Option<Response> {
        let mut old = None;
        loop {
            match self.kept.get_or_make(cert_id.as_der()).await {
                Found::Kept(kept) if kept.is_fresh(self.clock.now()) => {
                    // What was being made when a revocation was committed may say `good`: it is not kept, and not given.
                    if self.kept.is_kept(cert_id.as_der(), &kept) {
                        return Some(Response::Kept(kept));
                    }
                }
                Found::Kept(kept) => {
                    let changes = self.changes.load(Ordering::SeqCst);
                    if self.kept.take(cert_id.as_der(), &kept) {
                        old = Some(Old { kept, changes });
                    }
                }
                Found::Nothing(making) => {
                    // Without one, a change of its status was committed meanwhile.
                    if let Some(response) = self.make_and_keep(cert_id, making, old.take()).await {
                        return Some(response);
                    }
                }
                Found::Changing => return None,
            }
        }
    }

    /// Makes an answer for everyone who asks; `None` when it was overtaken by a change.
    async fn make_and_keep(&self, cert_id: &CertId<'_>, making: Making<'_>, old: Option<Old>) -> Option<Response> {
        let told = match self.told(cert_id, self.clock.now()).await {
            Ok(Some(told)) => told,
            Ok(None) => return Some(Response::Error(ErrorStatus::Unauthorized)),
            Err(error) => {
                let old = old.and_then(|old| self.keep_again(making, old));
                return Some(old.map_or_else(|| self.failed(&error), Response::Kept));
            }
        };
        let signer = self.signer.load();
        let now = self.clock.now().floor_to_second();
        let next_update = self.next_update(now, &signer);
        let single = told.single(*cert_id, (now, next_update));
        let made = signer.sign(&[single], None, (now, signer.algorithm()));
        let outcome = OcspOutcome::of(&[single.status]);
        let der = match made {
            Ok(der) => der,
            Err(error) => return Some(self.unsigned(&error)),
        };
        self.metrics.signed();
        if !told.is_issued {
            return Some(Response::Made(der, outcome));
        }
        let hash = sha256(&*self.digest, &der);
        let kept = Arc::new(KeptAnswer::new(der, &hash, (now, next_update), outcome));
        making.insert(Arc::clone(&kept)).is_ok().then_some(Response::Kept(kept))
    }

    /// Goes on with what was known before, while the ledger is away and until its time is over (invariant 10); not when something may have
    /// become of the certificate since.
    fn keep_again(&self, making: Making<'_>, old: Old) -> Option<Arc<KeptAnswer>> {
        if !old.kept.is_current(self.clock.now()) || self.changes.load(Ordering::SeqCst) != old.changes {
            return None;
        }
        making.insert(Arc::clone(&old.kept)).ok()?;
        Some(old.kept)
    }

    /// Makes an answer for one request: with its nonce, about several certificates, by an algorithm that it prefers.
    async fn make_alone(&self, request: &OcspRequest<'_>) -> Response {
        let now = self.clock.now();
        let mut told = Vec::with_capacity(request.count());
        for one in request.requests() {
            match self.told(&one.cert_id, now).await {
                Ok(known) => told.push((one.cert_id, known)),
                Err(error) => return self.failed(&error),
            }
        }
        // RFC 9919, "OCSPResponseStatus Values": nothing authoritative to say of any of them.
        if told.iter().all(|(_, known)| known.is_none()) {
            return Response::Error(ErrorStatus::Unauthorized);
        }
        let signer = self.signer.load();
        // thisUpdate: the status was read after it.
        let now = now.floor_to_second();
        let times = (now, self.next_update(now, &signer));
        let unknown = Told { status: CertStatus::Unknown, archive_cutoff: None, is_issued: false };
        let single = told.iter().map(|(cert_id, known)| known.as_ref().unwrap_or(&unknown).single(*cert_id, times));
        let responses: Vec<SingleResponse<'_>> = single.collect();
        match signer.sign(&responses, request.nonce(), (now, signer.algorithm_for(request))) {
            Ok(der) => {
                self.metrics.signed();
                let statuses: Vec<CertStatus> = responses.iter().map(|one| one.status).collect();
                Response::Made(der, OcspOutcome::of(&statuses))
            }
            Err(error) => self.unsigned(&error),
        }
    }

    /// What there is to be told of a certificate; `None` when this is not for us to say.
    async fn told(&self, cert_id: &CertId<'_>, now: Timestamp) -> Result<Option<Told>, LedgerError> {
        if !self.issuers.iter().any(|issuer| issuer.are_in(cert_id)) {
            return Ok(None);
        }
        let found = match Serial::from_octets(cert_id.serial_octets()) {
            Some(serial) => self.statuses.state_of(&self.authority, &serial).await?,
            None => None,
        };
        let Some(state) = found else {
            let status = if self.options.unissued_is_revoked { CertStatus::NotIssued } else { CertStatus::Unknown };
            return Ok(Some(Told { status, archive_cutoff: None, is_issued: false }));
        };
        Ok(self.told_of(&state, now))
    }

    fn told_of(&self, state: &CertificateState, now: Timestamp) -> Option<Told> {
        let has_expired = state.not_after < now.floor_to_second();
        let is_retained = !has_expired || state.not_after.after(self.options.retain_expired) >= now;
        if state.no_rev_avail || !is_retained {
            return None;
        }
        let status = match state.status {
            CertificateStatus::Valid => CertStatus::Good,
            CertificateStatus::Held(at) => CertStatus::Revoked { at, reason: Some(CrlReason::CertificateHold) },
            CertificateStatus::Revoked(revocation) => {
                CertStatus::Revoked { at: revocation.at, reason: revocation.reason.crl_reason() }
            }
        };
        // RFC 6960 §4.4.4: "obtained by subtracting this retention interval value from the producedAt time".
        let archive_cutoff = has_expired.then(|| now.before(self.options.retain_expired));
        Some(Told { status, archive_cutoff, is_issued: true })
    }

    /// All ways to ask for a certificate.
    fn cert_ids(&self, serial: &Serial) -> impl Iterator<Item = Vec<u8>> {
        self.issuers.iter().flat_map(move |issuer| issuer.cert_ids(serial))
    }

    /// No answer outlives the certificate of who signed it.
    fn next_update(&self, now: Timestamp, signer: &OcspSigner) -> Timestamp {
        now.after(self.options.validity).min(signer.not_after()).floor_to_second()
    }

    fn failed(&self, error: &LedgerError) -> Response {
        tracing::error!(authority = self.authority, %error, "OCSP: the ledger did not say what became of a certificate");
        match error {
            LedgerError::Unavailable(_) => Response::Error(ErrorStatus::TryLater),
            LedgerError::Damaged(_) | LedgerError::Conflict(_) | LedgerError::BadCursor => {
                Response::Error(ErrorStatus::InternalError)
            }
        }
    }

    fn unsigned(&self, error: &certgate_pki::CryptoError) -> Response {
        tracing::error!(authority = self.authority, %error, "OCSP: a response could not be signed");
        Response::Error(ErrorStatus::InternalError)
    }
}

impl Told {
    fn single<'a>(&self, cert_id: CertId<'a>, (now, next_update): (Timestamp, Timestamp)) -> SingleResponse<'a> {
        let Self { status, archive_cutoff, .. } = *self;
        SingleResponse { cert_id, status, this_update: now, next_update: Some(next_update), archive_cutoff }
    }
}

/// Invariant 11: nothing that was made before a change was committed is given after it. There is a moment at which some see it and some do
/// not, those who are told in another way among them: from before it until it is over, every answer is made anew.
impl StatusWatcher for OcspResponder {
    fn committing(&self, change: &CommittedChange) {
        if change.authority == self.authority {
            self.changes.fetch_add(1, Ordering::SeqCst);
            self.cert_ids(&change.state.serial).for_each(|cert_id| self.kept.changes(&cert_id));
        }
    }

    fn committed(&self, change: &CommittedChange) {
        if change.authority == self.authority {
            self.cert_ids(&change.state.serial).for_each(|cert_id| self.kept.changed(&cert_id));
        }
    }
}
