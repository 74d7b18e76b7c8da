//! Authorities: the only way to a signature.

use certgate_ca_backend_api::{BackendError, CaBackend, Locality, Order, SignedCertificate};
use certgate_pki::{
    Certificate, KeyIdentifier, LeafFields, Name, Pointers, Provider, PublicKey, Template, Timestamp, Validity, VerifiedCsr,
};
use certgate_policy::{Asked, Circumstances, Decision, Holder, IssuerExpired, Profile, Renews, decide, lint, window};

use crate::authorized::{Authorized, Issued, Recorded};
use crate::chain::{AuthorityError, check_chain};
use crate::core_parts::Core;
use crate::error::EnrollError;
use crate::ports::audit::{Event, EventKind};
use crate::ports::certificates::{Along, CertificateRecord, CertificateRecorded, CertificateStatus};
use crate::publication::Publication;
use crate::request::{CheckedRequest, EnrollRequest, Proof};

/// How far notBefore of certgate's own certificates lies back: a device whose clock is slow must be able to verify them, and what
/// they have signed, on the day they are made.
const INTERNAL_BACKDATE: std::time::Duration = std::time::Duration::from_secs(3600);

/// RFC 5280 §4.1.2.5: both ends of a validity are included.
const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

/// A CA that issues, with its chain and its back end.
pub struct Authority {
    pub(crate) core: Core,
    pub(crate) name: String,
    pub(crate) issuer: Issuer,
    chain: Vec<Certificate>,
    publication: Publication,
    pub(crate) backend: Box<dyn CaBackend>,
}

/// The signing CA as its certificates show it.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    pub(crate) name: Name,
    pub(crate) key: KeyIdentifier,
    pub(crate) validity: Validity,
}

impl Authority {
    /// An authority whose certificate exists: `chain` starts with it and ends with the root.
    ///
    /// `publication` is where relying parties find that certificate and what became of others; it goes into what is issued.
    ///
    /// # Errors
    /// [`AuthorityError`] when the chain is none.
    pub fn new(
        core: Core,
        name: &str,
        chain: Vec<Certificate>,
        publication: Publication,
        backend: Box<dyn CaBackend>,
    ) -> Result<Self, AuthorityError> {
        check_chain(&chain, &core.provider)?;
        let own = chain.first().ok_or(AuthorityError::NoCertificate)?;
        let issuer = Issuer { name: own.subject().clone(), key: key_identifier(own, &core.provider), validity: own.validity() };
        Ok(Self { core, name: name.to_owned(), issuer, chain, publication, backend })
    }

    /// A new root: its certificate is signed by its own back end, recorded, and becomes the chain.
    ///
    /// # Errors
    /// As [`Self::issue`].
    pub async fn found(
        core: Core,
        name: &str,
        subject: Name,
        public_key: PublicKey,
        lifetime: std::time::Duration,
        backend: Box<dyn CaBackend>,
    ) -> Result<(Self, Recorded<Issued>), EnrollError> {
        let now = core.clock.now();
        let not_before = now.before(INTERNAL_BACKDATE).floor_to_second();
        let validity = Validity { not_before, not_after: now.after(lifetime).before(SECOND).floor_to_second() };
        let issuer = Issuer { name: subject.clone(), key: KeyIdentifier::of(&public_key, &core.provider), validity };
        let publication = Publication::default();
        let mut authority = Self { core, name: name.to_owned(), issuer, chain: Vec::new(), publication, backend };
        let authorized = authority.authorize_root(subject, public_key, validity, now)?;
        let issued = authority.issue(authorized).await?;
        let certificate = issued.certificate().map_err(|error| EnrollError::NotAsOrdered(error.0))?;
        authority.chain.push(certificate);
        Ok((authority, issued))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its own certificate first, the root last.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// The kind of back end that signs for it.
    #[must_use]
    pub fn backend_name(&self) -> &'static str {
        self.backend.name()
    }

    /// Since when its key is kept elsewhere; `None` where it signs here.
    #[must_use]
    pub fn offline_since(&self) -> Option<Timestamp> {
        self.backend.offline_since()
    }

    /// Where relying parties find what it publishes.
    #[must_use]
    pub const fn publication(&self) -> &Publication {
        &self.publication
    }

    /// Checks the proof of possession, asks policy, makes what is to be signed and lints it. Everything about the certificate is
    /// decided here.
    ///
    /// # Errors
    /// [`EnrollError`]: nothing was signed or recorded.
    pub fn authorize(&self, profile: &Profile, request: EnrollRequest) -> Result<Authorized, EnrollError> {
        self.authorize_checked(profile, request.check(&self.core.provider)?)
    }

    /// The same, once the proof of possession was checked.
    pub(crate) fn authorize_checked(&self, profile: &Profile, request: CheckedRequest) -> Result<Authorized, EnrollError> {
        if profile.authority != self.name {
            return Err(EnrollError::WrongAuthority { authorized: profile.authority.clone(), brought: self.name.clone() });
        }
        let CheckedRequest { protocol, endpoint, principal, csr, renews, .. } = request;
        // An account has shown that it controls names. Nobody vouches for what else its request says of its holder.
        let names_alone;
        let profile = match principal.proof {
            Proof::Account(_) => {
                names_alone = Profile { subject_copy: Vec::new(), ..profile.clone() };
                &names_alone
            }
            _ => profile,
        };
        let asked_subject = self.core.sha256(&csr.subject().as_set());
        let old_names = renews.as_deref().map(|renews| renews.certificate.extensions().subject_alt_names());
        let old_names =
            old_names.transpose().map_err(|_| EnrollError::NotRenewable("one whose subjectAltName cannot be read"))?;
        let renewed = renews.as_deref().zip(old_names.as_deref()).map(|(old, names)| Renews {
            subject: old.certificate.subject(),
            subject_alt_names: names,
            public_key: old.certificate.public_key(),
            is_asked_as_before: old.asked_subject == Some(asked_subject),
            may_omit_names: old.may_omit_names,
        });
        let decision = decide(&Asked {
            csr: &csr,
            profile,
            grants: &principal.grants,
            renews: renewed,
            spki_sha256: self.core.sha256(csr.public_key().spki()),
            compromised: &self.core.compromised_keys,
        })?;
        let (template, shard) = self.template(profile, &csr, decision)?;
        // What was asked for at first stays good for renewals, however the device asks meanwhile; another subject takes its place.
        let asked_before = renews.as_deref().and_then(|old| old.asked_subject);
        let changed = csr.change_subject_name().and_then(|change| change.subject.as_ref());
        let asked_subject =
            changed.map_or_else(|| asked_before.unwrap_or(asked_subject), |name| self.core.sha256(&name.as_set()));
        Ok(Authorized {
            authority: self.name.clone(),
            profile: profile.name.clone(),
            protocol,
            endpoint,
            principal: principal.name,
            template,
            shard,
            no_rev_avail: profile.no_rev_avail,
            asked_subject: Some(asked_subject),
            renews: renews.map(|old| old.certificate.serial().clone()),
            along: Along { proof: Some(principal.proof), ..Along::default() },
        })
    }

    /// Everything about the certificate but its signature; linted. And which CRL would list it.
    fn template(&self, profile: &Profile, csr: &VerifiedCsr, decision: Decision) -> Result<(Template, u32), EnrollError> {
        let now = self.core.clock.now();
        let serial = self.core.new_serial(now)?;
        let (pointers, shard) = if profile.no_rev_avail {
            (Pointers { no_rev_avail: true, ..self.publication.pointers_without_status() }, 0)
        } else {
            self.publication.pointers(&serial)
        };
        let public_key = csr.public_key().clone();
        let extensions = LeafFields {
            subject: &decision.subject,
            public_key: &public_key,
            subject_key: &KeyIdentifier::of(&public_key, &self.core.provider),
            authority_key: &self.issuer.key,
            subject_alt_names: &decision.subject_alt_names,
            extended_key_usage: &profile.extended_key_usage,
            pointers: &pointers,
        }
        .extensions();
        let template = Template {
            serial,
            issuer: self.issuer.name.clone(),
            validity: window(profile, self.issuer.validity, now)?,
            subject: decision.subject,
            public_key,
            extensions,
        };
        lint(&template, &Circumstances { issuer: self.issuer.validity, holder: Holder::Anyone })?;
        Ok((template, shard))
    }

    /// Signs and records. The certificate exists for the world once this has returned: it is committed and synced.
    ///
    /// # Errors
    /// [`EnrollError`]. A certificate that was signed but not recorded is dropped here: nobody ever sees it.
    pub async fn issue(&self, authorized: Authorized) -> Result<Recorded<Issued>, EnrollError> {
        if authorized.authority != self.name {
            return Err(EnrollError::WrongAuthority { authorized: authorized.authority, brought: self.name.clone() });
        }
        let Authorized { authority, profile, protocol, endpoint, principal, template, asked_subject, renews, along, .. } =
            authorized;
        let (shard, no_rev_avail) = (authorized.shard, authorized.no_rev_avail);
        let (serial, validity) = (template.serial.clone(), template.validity);
        let der = self.sign(template).await?;
        let at = self.core.clock.now();
        if at.floor_to_second() > validity.not_after {
            return Err(BackendError::Retryable("the CA took longer than the certificate is good for".into()).into());
        }
        let mut event = Event::certificate(EventKind::CertificateIssued, at, &principal, &serial, &self.core.provider, &der);
        event.details.extend(renews.map(|old| ("renews", old.to_string())));
        let enrollment = along.fulfils.as_ref().or(along.concludes.as_ref().map(|new| &new.record.id));
        event.details.extend(enrollment.map(|id| ("enrollment", id.to_string())));
        let record = CertificateRecord {
            serial: serial.clone(),
            authority,
            profile,
            protocol,
            endpoint,
            principal,
            validity,
            shard,
            no_rev_avail,
            issued_at: at,
            status: CertificateStatus::Valid,
            asked_subject,
            is_ended: false,
            der: der.clone(),
        };
        match self.core.certificates.record(record, along, event).await? {
            CertificateRecorded::Recorded => Ok(Recorded::committed(Issued { serial, der })),
            CertificateRecorded::CredentialUsedUp => Err(EnrollError::CredentialUsedUp),
            CertificateRecorded::NotAwaited => Err(EnrollError::NotAwaited),
            CertificateRecorded::ProofEnded => Err(EnrollError::ProofEnded),
        }
    }

    async fn sign(&self, template: Template) -> Result<Vec<u8>, EnrollError> {
        // A root that is being founded is looked at wherever it was signed: with another key than it was said to have it is no root.
        if self.backend.locality() == Locality::InProcess && !self.chain.is_empty() {
            return Ok(self.backend.sign(Order { template }).await?.0);
        }
        let SignedCertificate(der) = self.backend.sign(Order { template: template.clone() }).await?;
        self.verify_as_ordered(&template, &der)?;
        Ok(der)
    }

    /// Invariant 8: what comes back from a remote CA is verified before anyone sees it.
    fn verify_as_ordered(&self, template: &Template, der: &[u8]) -> Result<(), EnrollError> {
        let certificate = Certificate::from_der(der).map_err(|error| EnrollError::NotAsOrdered(error.0))?;
        // A root, which has no chain before it exists, is signed with its own key.
        let issuer_key = self.chain.first().map_or(&template.public_key, Certificate::public_key);
        let differs = [
            (certificate.public_key() != &template.public_key, "another public key"),
            (certificate.subject().as_der() != template.subject.as_der(), "another subject"),
            (certificate.issuer().as_der() != template.issuer.as_der(), "another issuer"),
            (certificate.serial() != &template.serial, "another serial number"),
            (certificate.validity() != template.validity, "another validity"),
            (!certificate.extensions().iter().eq(template.extensions.iter()), "other extensions"),
            (certificate.verify_signed_by(issuer_key, &self.core.provider).is_err(), "a signature that does not verify"),
        ];
        differs.into_iter().find(|(wrong, _)| *wrong).map_or(Ok(()), |(_, what)| Err(EnrollError::NotAsOrdered(what)))
    }

    /// A validity of `lifetime` from now, backdated, that is never outside of the authority's own.
    ///
    /// # Errors
    /// [`IssuerExpired`] when that is over or not yet good.
    pub(crate) fn validity_of(&self, lifetime: std::time::Duration, now: Timestamp) -> Result<Validity, IssuerExpired> {
        let own = self.issuer.validity;
        if now < own.not_before || now.floor_to_second() > own.not_after {
            return Err(IssuerExpired);
        }
        let not_before = now.before(INTERNAL_BACKDATE).floor_to_second().max(own.not_before);
        let not_after = now.after(lifetime).before(SECOND).floor_to_second().min(own.not_after);
        Ok(Validity { not_before, not_after })
    }
}

/// The subjectKeyIdentifier that the certificate states (RFC 5280 §4.2.1.1 has the AKI match it), else our own.
fn key_identifier(certificate: &Certificate, provider: &Provider) -> KeyIdentifier {
    let stated = certificate.extensions().subject_key_identifier().ok().flatten();
    stated.map_or_else(|| KeyIdentifier::of(certificate.public_key(), provider), KeyIdentifier::from_octets)
}
