//! One authority's responder: what is said of a certificate, signed or kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use certgate_enrollment::{
    Authority, CertificateState, CertificateStatus, Clock, CommittedChange, LedgerError, StatusWatcher, Statuses,
};
use certgate_ocsp::{CertId, CertStatus, ErrorStatus, IssuerHashes, Nonce, OcspRequest, SingleResponse};
use certgate_pki::{Certificate, CrlReason, Provider, Reading, Serial, SignatureAlgorithm, Timestamp};

use super::kept::{Found, Kept, KeptAnswer, KeptStates, Making, Times};
use super::signer::{OcspSigner, SignedResponse};
use crate::config::Unissued;
use crate::telemetry::{OcspMetrics, OcspOutcome};

/// How a responder answers.
#[derive(Clone, Debug)]
pub struct OcspOptions {
    /// From thisUpdate to nextUpdate.
    pub validity: Duration,
    /// What certificates are called that were never issued, as far as the ledger tells (RFC 6960 §2.2).
    pub unissued: Unissued,
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
    /// None while there is none whose certificate is good.
    signer: ArcSwapOption<OcspSigner>,
    kept: KeptStates,
    /// Of the last answer that was kept.
    times: ArcSwapOption<Times>,
    options: OcspOptions,
    clock: Arc<dyn Clock>,
    statuses: Arc<dyn Statuses>,
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

/// What was to be looked up anew, and how many changes there were when it was taken away for that.
struct Old {
    kept: Arc<Kept>,
    changes: u64,
}

/// What is known of a certificate that is asked for.
enum Known {
    /// It was issued here, and this is kept of it.
    Kept(Arc<Kept>),
    /// It was issued here, and something is just becoming of it: nothing is kept.
    Seen(CertificateState),
    /// This is not for us to say.
    Foreign,
    /// It was never issued here.
    NotIssued,
    /// The ledger is away, and what is kept was read before.
    Last(Arc<Kept>, LedgerError),
}

/// What is told of a certificate.
#[derive(Clone, Copy)]
struct Told {
    status: CertStatus,
    archive_cutoff: Option<Timestamp>,
}

impl OcspResponder {
    /// The responder of this authority. Without a signer it answers that it will, later.
    #[must_use]
    pub fn new(authority: &Authority, signer: Option<OcspSigner>, options: OcspOptions, parts: OcspParts) -> Self {
        let OcspParts { clock, statuses, provider, metrics } = parts;
        let own = authority.chain().first();
        let hashes =
            |algorithm| own.map(|own| IssuerHashes::new(algorithm, own.subject(), own.public_key(), &*provider.digest));
        Self {
            authority: authority.name().to_owned(),
            issuers: IssuerHashes::ALGORITHMS.into_iter().filter_map(hashes).collect(),
            signer: ArcSwapOption::from(signer.map(Arc::new)),
            kept: KeptStates::new(options.kept_octets),
            times: ArcSwapOption::empty(),
            options,
            clock,
            statuses,
            changes: AtomicU64::new(0),
            metrics,
        }
    }

    /// The authority's name.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Is it this certificate by which its signatures verify?
    #[must_use]
    pub fn signs_by(&self, certificate: &Certificate) -> bool {
        self.signer.load().as_ref().is_some_and(|signer| signer.is_of(certificate))
    }

    /// Signs with this one from now on. What the one before has signed is forgotten: its certificate may have been wrong.
    pub fn replace_signer(&self, signer: OcspSigner) {
        self.signer.store(Some(Arc::new(signer)));
        self.kept.clear();
    }

    /// Now, as this responder has it.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Who signs, if the signature will verify.
    fn signer(&self, now: Timestamp) -> Option<Arc<OcspSigner>> {
        let signer = self.signer.load_full().filter(|signer| signer.is_valid(now));
        if signer.is_none() {
            tracing::error!(
                authority = self.authority,
                "OCSP: no responder's certificate is valid now; asking again later may help"
            );
        }
        signer
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
            return match self.fresh(cert_id, now) {
                Some(kept) => self.respond_to_all(cert_id, &kept, now),
                // In a box: every request would take the room that these need.
                None => Box::pin(self.respond_plainly(cert_id, now)).await,
            };
        }
        // RFC 6960 §4.1.2 has critical extensions that are not known in no answer, §4.4.3 no answer of another type than basic.
        if request.unknown_critical().is_some() || !request.accepts_basic() {
            return Response::Error(ErrorStatus::MalformedRequest);
        }
        Box::pin(self.respond_alone(&request)).await
    }

    /// About one certificate of which nothing fresh is kept, with nothing in the request that makes it another's than everybody's.
    async fn respond_plainly(&self, cert_id: &CertId<'_>, now: Timestamp) -> Response {
        let known = match self.look_for(cert_id, now).await {
            Ok(Known::Kept(kept)) => return self.respond_to_all(cert_id, &kept, now),
            Ok(Known::Last(kept, error)) => {
                return kept.last_answer(now).map_or_else(|| self.failed(&error), Response::Kept);
            }
            Ok(known) => known,
            Err(error) => return self.failed(&error),
        };
        let Some(told) = self.told(&known, now) else { return Response::Error(ErrorStatus::Unauthorized) };
        let Some(signer) = self.signer(now) else { return Response::Error(ErrorStatus::TryLater) };
        let now = now.floor_to_second();
        let single = told.single(*cert_id, (now, self.next_update(now, &signer)));
        self.made(&signer, &[single], None, (now, signer.algorithm()))
    }

    /// The answer for everyone who asks for this certificate, made if there is none.
    fn respond_to_all(&self, cert_id: &CertId<'_>, kept: &Kept, now: Timestamp) -> Response {
        if let Some(answer) = kept.answer(now) {
            return Response::Kept(answer);
        }
        let Some(told) = self.told_of(&kept.state, now) else { return Response::Error(ErrorStatus::Unauthorized) };
        let Some(signer) = self.signer(now) else { return Response::Error(ErrorStatus::TryLater) };
        let make = || {
            let now = now.floor_to_second();
            let times = self.times(now, self.next_update(now, &signer));
            let response = signer.sign(&[told.single(*cert_id, times.both())], None, (now, signer.algorithm()))?;
            self.metrics.signed();
            Ok(KeptAnswer::new(response, times, OcspOutcome::of(&[told.status])))
        };
        kept.answer_or_make(now, make).map_or_else(|error| self.unsigned(&error), Response::Kept)
    }

    /// An answer for one request: with its nonce, about several certificates, by an algorithm that it prefers.
    async fn respond_alone(&self, request: &OcspRequest<'_>) -> Response {
        let now = self.clock.now();
        let mut told = Vec::with_capacity(request.count());
        for one in request.requests() {
            match self.known(&one.cert_id, now).await {
                Ok(Known::Last(_, error)) | Err(error) => return self.failed(&error),
                Ok(known) => told.push((one.cert_id, self.told(&known, now))),
            }
        }
        // RFC 9919, "OCSPResponseStatus Values": nothing authoritative to say of any of them.
        if told.iter().all(|(_, told)| told.is_none()) {
            return Response::Error(ErrorStatus::Unauthorized);
        }
        let Some(signer) = self.signer(now) else { return Response::Error(ErrorStatus::TryLater) };
        // thisUpdate: the status was read after it, or nothing has become of the certificate since it was read.
        let now = now.floor_to_second();
        let times = (now, self.next_update(now, &signer));
        let unknown = Told { status: CertStatus::Unknown, archive_cutoff: None };
        let single = told.iter().map(|(cert_id, told)| told.unwrap_or(unknown).single(*cert_id, times));
        let responses: Vec<SingleResponse<'_>> = single.collect();
        self.made(&signer, &responses, request.nonce(), (now, signer.algorithm_for(request)))
    }

    /// Signed for one request, and not kept.
    fn made(
        &self,
        signer: &OcspSigner,
        responses: &[SingleResponse<'_>],
        nonce: Option<Nonce<'_>>,
        terms: (Timestamp, SignatureAlgorithm),
    ) -> Response {
        match signer.sign(responses, nonce, terms) {
            Ok(SignedResponse { der, .. }) => {
                self.metrics.signed();
                let outcome = match responses {
                    [one] => OcspOutcome::of(&[one.status]),
                    _ => OcspOutcome::Several,
                };
                Response::Made(der, outcome)
            }
            Err(error) => self.unsigned(&error),
        }
    }

    /// What is kept of a certificate, and need not be looked up again.
    fn fresh(&self, cert_id: &CertId<'_>, now: Timestamp) -> Option<Arc<Kept>> {
        self.kept.get(cert_id.as_der()).filter(|kept| kept.is_fresh(now))
    }

    /// What is known of a certificate: what is kept, or what is found.
    async fn known(&self, cert_id: &CertId<'_>, now: Timestamp) -> Result<Known, LedgerError> {
        match self.fresh(cert_id, now) {
            Some(kept) => Ok(Known::Kept(kept)),
            None => self.look_for(cert_id, now).await,
        }
    }

    /// What somebody else is looking up already, or what is to be looked up and kept.
    async fn look_for(&self, cert_id: &CertId<'_>, now: Timestamp) -> Result<Known, LedgerError> {
        let mut old = None;
        loop {
            match self.kept.get_or_make(cert_id.as_der()).await {
                Found::Kept(kept) if kept.is_fresh(now) => {
                    // What was being looked up when a revocation was committed may say `good`: it is not kept, and not told.
                    if self.kept.is_kept(cert_id.as_der(), &kept) {
                        return Ok(Known::Kept(kept));
                    }
                }
                Found::Kept(kept) => {
                    let changes = self.changes.load(Ordering::SeqCst);
                    if self.kept.take(cert_id.as_der(), &kept) {
                        old = Some(Old { kept, changes });
                    }
                }
                Found::Nothing(making) => {
                    // Without it, a change of its status was committed meanwhile.
                    if let Some(known) = self.look_up(cert_id, making, old.take()).await? {
                        return Ok(known);
                    }
                }
                Found::Changing => return self.read(cert_id).await,
            }
        }
    }

    /// Looks a certificate up for everyone who asks; `None` when that was overtaken by a change.
    async fn look_up(&self, cert_id: &CertId<'_>, making: Making<'_>, old: Option<Old>) -> Result<Option<Known>, LedgerError> {
        let read_at = self.clock.now();
        let kept = match self.read(cert_id).await {
            Ok(Known::Seen(state)) => Arc::new(Kept::new(state, read_at, self.options.validity)),
            Ok(known) => return Ok(Some(known)),
            Err(error) => return self.go_on_with(making, old, error),
        };
        Ok(making.insert(Arc::clone(&kept)).is_ok().then_some(Known::Kept(kept)))
    }

    /// What was known before, while the ledger is away (invariant 10); not when something may have become of the certificate since.
    fn go_on_with(&self, making: Making<'_>, old: Option<Old>, error: LedgerError) -> Result<Option<Known>, LedgerError> {
        match old.filter(|old| self.changes.load(Ordering::SeqCst) == old.changes) {
            Some(Old { kept, .. }) if making.insert(Arc::clone(&kept)).is_ok() => Ok(Some(Known::Last(kept, error))),
            _ => Err(error),
        }
    }

    /// What the ledger knows of a certificate.
    async fn read(&self, cert_id: &CertId<'_>) -> Result<Known, LedgerError> {
        if !self.issuers.iter().any(|issuer| issuer.are_in(cert_id)) {
            return Ok(Known::Foreign);
        }
        let Some(serial) = Serial::from_octets(cert_id.serial_octets()) else { return Ok(Known::NotIssued) };
        let state = self.statuses.state_of(&self.authority, &serial).await?;
        Ok(state.map_or(Known::NotIssued, Known::Seen))
    }

    /// What is told of what is known; `None` when it is not for us to say.
    fn told(&self, known: &Known, now: Timestamp) -> Option<Told> {
        match known {
            Known::Kept(kept) | Known::Last(kept, _) => self.told_of(&kept.state, now),
            Known::Seen(state) => self.told_of(state, now),
            Known::Foreign => None,
            Known::NotIssued => {
                let status = match self.options.unissued {
                    Unissued::Unknown => CertStatus::Unknown,
                    Unissued::Revoked => CertStatus::NotIssued,
                    Unissued::Good => CertStatus::Good,
                };
                Some(Told { status, archive_cutoff: None })
            }
        }
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
        Some(Told { status, archive_cutoff })
    }

    /// All ways to ask for a certificate.
    fn cert_ids(&self, serial: &Serial) -> impl Iterator<Item = Vec<u8>> {
        self.issuers.iter().flat_map(move |issuer| issuer.cert_ids(serial))
    }

    /// Those that are in use, or these.
    fn times(&self, this_update: Timestamp, next_update: Timestamp) -> Arc<Times> {
        if let Some(times) = self.times.load_full().filter(|times| times.both() == (this_update, next_update)) {
            return times;
        }
        let times = Arc::new(Times::new(this_update, next_update));
        self.times.store(Some(Arc::clone(&times)));
        times
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
        let Self { status, archive_cutoff } = *self;
        SingleResponse { cert_id, status, this_update: now, next_update: Some(next_update), archive_cutoff }
    }
}

/// Invariant 11: nothing that was made before a change was committed is given after it. There is a moment at which some see it and some do
/// not, those who are told in another way among them: from before it until it is over, every answer is made anew.
impl StatusWatcher for OcspResponder {
    fn committing(&self, change: &CommittedChange) {
        if change.authority == self.authority {
            self.cert_ids(&change.state.serial).for_each(|cert_id| self.kept.changes(&cert_id));
            // Last: who sees it counted finds nothing to take that is older.
            self.changes.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn settled(&self, change: &CommittedChange) {
        if change.authority == self.authority {
            self.cert_ids(&change.state.serial).for_each(|cert_id| self.kept.changed(&cert_id));
        }
    }
}
