//! Certificates that certgate issues for itself, by internal profiles: through [`Authority::issue`] and recorded like any other.

use std::time::Duration;

use certgate_pki::{
    CaFields, ExtendedKeyUsage, Extension, GeneralName, KeyIdentifier, LeafFields, Name, Pointers, PublicKey, Serial, Template,
    Timestamp, Validity,
};
use certgate_policy::{Circumstances, Holder, lint};

use crate::authority::Authority;
use crate::authorized::Authorized;
use crate::error::EnrollError;
use crate::ports::certificates::Along;
use crate::request::Protocol;

/// Who asks, in the ledger: nobody else can have this name.
pub const INTERNAL_PRINCIPAL: &str = "certgate";

/// Profile of roots in the ledger. No configured profile can have a colon in its name.
pub const ROOT_CA: &str = "certgate:root-ca";
/// Profile of issuing CAs in the ledger.
pub const ISSUING_CA: &str = "certgate:issuing-ca";
/// Profile of the gateway's TLS server certificates in the ledger.
pub const TLS_SERVER: &str = "certgate:tls-server";
/// Profile of the certificates of SCEP endpoints in the ledger.
pub const SCEP_RA: &str = "certgate:scep-ra";
/// Profile of the certificates of OCSP responders in the ledger.
pub const OCSP_RESPONDER: &str = "certgate:ocsp-responder";

/// Who has asked, in the ledger, for certificates that their authority has signed before it came here: nobody else can have this name.
pub const IMPORTED_PRINCIPAL: &str = "imported";
/// Profile of those certificates in the ledger, unless they were imported for a profile of the configuration: it authenticates nobody.
pub const IMPORTED: &str = "certgate:imported";

/// What certgate needs a certificate for.
#[derive(Clone, Debug)]
pub enum InternalPurpose {
    /// An issuing CA below this authority, with no CA below it (pathLenConstraint 0).
    IssuingCa,
    /// The gateway's TLS server certificate (RFC 7030 §3.6.1, RFC 6125), by these host names and addresses, which clients use.
    TlsServer(Vec<GeneralName>),
    /// Who signs OCSP responses about the authority's certificates (RFC 6960 §4.2.2.2): nobody is told what became of this one, and nobody
    /// has to ask (§4.2.2.2.1), so it is to be short-lived.
    OcspResponder,
    /// The RA of a SCEP endpoint: signs its CertReps, and is who requests are encrypted to (RFC 8894 §2.1.2).
    ScepRa,
}

impl InternalPurpose {
    /// Its profile in the ledger.
    const fn profile(&self) -> &'static str {
        match self {
            Self::IssuingCa => ISSUING_CA,
            Self::TlsServer(_) => TLS_SERVER,
            Self::OcspResponder => OCSP_RESPONDER,
            Self::ScepRa => SCEP_RA,
        }
    }
}

/// A certificate that certgate needs.
#[derive(Clone, Debug)]
pub struct InternalRequest {
    /// What for.
    pub purpose: InternalPurpose,
    /// Its name.
    pub subject: Name,
    /// Its key.
    pub public_key: PublicKey,
    /// How long it lasts.
    pub lifetime: Duration,
}

/// What differs from one of these certificates to the next.
struct Contents {
    subject: Name,
    public_key: PublicKey,
    validity: Validity,
    extensions: Vec<Extension>,
    serial: Serial,
    shard: u32,
}

impl Authority {
    /// Permission to sign one of certgate's own certificates.
    ///
    /// # Errors
    /// [`EnrollError`]: the authority is over, a lint failed, or there is no randomness.
    pub fn authorize_internal(&self, request: InternalRequest) -> Result<Authorized, EnrollError> {
        let InternalRequest { purpose, subject, public_key, lifetime } = request;
        let now = self.core.clock.now();
        let serial = self.core.new_serial(now)?;
        let (pointers, shard) = match purpose {
            InternalPurpose::OcspResponder => (self.publication().pointers_without_status(), 0),
            _ => self.publication().pointers(&serial),
        };
        let leaf = |names: &[GeneralName], purposes: &[ExtendedKeyUsage]| {
            self.leaf_extensions(&subject, &public_key, (names, purposes), &pointers)
        };
        let extensions = match &purpose {
            InternalPurpose::IssuingCa => self.ca_extensions(&public_key, Some(0), &pointers),
            InternalPurpose::TlsServer(names) => leaf(names, &[ExtendedKeyUsage::ServerAuth]),
            InternalPurpose::OcspResponder => {
                let mut extensions = leaf(&[], &[ExtendedKeyUsage::OcspSigning]);
                extensions.push(Extension::ocsp_no_check());
                extensions
            }
            // No extKeyUsage: clients know no purpose for an RA, and some refuse whatever is there.
            InternalPurpose::ScepRa => leaf(&[], &[]),
        };
        let validity = self.validity_of(lifetime, now)?;
        self.authorized(purpose.profile(), Contents { subject, public_key, validity, extensions, serial, shard })
    }

    /// Permission for a root to sign itself.
    pub(crate) fn authorize_root(
        &self,
        subject: Name,
        public_key: PublicKey,
        validity: Validity,
        now: Timestamp,
    ) -> Result<Authorized, EnrollError> {
        // A root is trusted for being known: nobody asks where it came from, or what became of it.
        let extensions = self.ca_extensions(&public_key, None, &Pointers::default());
        let serial = self.core.new_serial(now)?;
        self.authorized(ROOT_CA, Contents { subject, public_key, validity, extensions, serial, shard: 0 })
    }

    fn leaf_extensions(
        &self,
        subject: &Name,
        public_key: &PublicKey,
        (subject_alt_names, extended_key_usage): (&[GeneralName], &[ExtendedKeyUsage]),
        pointers: &Pointers,
    ) -> Vec<Extension> {
        LeafFields {
            subject,
            public_key,
            subject_key: &KeyIdentifier::of(public_key, &self.core.provider),
            authority_key: &self.issuer.key,
            subject_alt_names,
            extended_key_usage,
            pointers,
        }
        .extensions()
    }

    fn ca_extensions(&self, public_key: &PublicKey, path_len: Option<u8>, pointers: &Pointers) -> Vec<Extension> {
        CaFields {
            subject_key: &KeyIdentifier::of(public_key, &self.core.provider),
            authority_key: &self.issuer.key,
            path_len,
            pointers,
        }
        .extensions()
    }

    fn authorized(&self, profile: &str, contents: Contents) -> Result<Authorized, EnrollError> {
        let Contents { subject, public_key, validity, extensions, serial, shard } = contents;
        let template = Template { serial, issuer: self.issuer.name.clone(), validity, subject, public_key, extensions };
        let holder = if profile == OCSP_RESPONDER { Holder::OcspResponder } else { Holder::Anyone };
        lint(&template, &Circumstances { issuer: self.issuer.validity, holder })?;
        Ok(Authorized {
            authority: self.name.clone(),
            profile: profile.to_owned(),
            protocol: Protocol::Internal,
            endpoint: String::new(),
            principal: INTERNAL_PRINCIPAL.to_owned(),
            template,
            shard,
            no_rev_avail: false,
            asked_subject: None,
            renews: None,
            along: Along::default(),
        })
    }
}
