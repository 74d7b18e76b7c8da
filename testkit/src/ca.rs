//! A CA that is founded and ready.

use std::sync::Arc;
use std::time::Duration;

use certgate_ca_backend_api::CaBackend;
use certgate_enrollment::{
    Authority, Core, EnrollRequest, EstUser, EstUsers, Event, EventKind, Principal, Proof, Protocol, Publication, SecretHash,
};
use certgate_pki::{Csr, ExtendedKeyUsage, Name, NameAttributeType};
use certgate_policy::{AllowedKey, Approval, ChangeSubject, NamePattern, Profile, Rekey, SanKind};

use crate::{KeyBackend, MemoryLedger, MockClock, ca_key, provider};

/// The id of the credential of `first-device`, with which [`CaFixture::request`] asks.
pub const CREDENTIAL: u64 = 7;

const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// An authority called `default` that signs with [`ca_key`], and what is around it.
pub struct CaFixture {
    /// The time, which is [`crate::NOW`] at first.
    pub clock: Arc<MockClock>,
    /// What was recorded.
    pub ledger: Arc<MemoryLedger>,
    /// What the authority was made with, for further ones.
    pub core: Core,
    /// The authority: a root, for ten years.
    pub authority: Authority,
}

impl CaFixture {
    /// Founds the root.
    ///
    /// # Panics
    /// When that fails.
    pub async fn founded() -> Self {
        let clock = Arc::new(MockClock::default());
        let ledger = Arc::new(MemoryLedger::default());
        let core = Core {
            clock: clock.clone(),
            provider: provider(1),
            certificates: ledger.clone(),
            crls: ledger.clone(),
            enrollments: ledger.clone(),
            compromised_keys: Arc::default(),
        };
        let subject: Name = "CN=Testkit Root".parse().expect("a name");
        let key = ca_key();
        let backend = Box::new(KeyBackend::new(key.clone()));
        let founded = Authority::found(core.clone(), "default", subject, key.public_key().clone(), 10 * YEAR, backend).await;
        let (authority, _) = founded.expect("a root is founded");
        let user = EstUser {
            name: "first-device".into(),
            endpoint: "default".into(),
            secret: SecretHash::Sha256([7; 32]),
            allow: Vec::new(),
            created_at: crate::NOW,
            expires_at: None,
            uses: None,
            id: CREDENTIAL,
        };
        let added = Event { at: crate::NOW, kind: EventKind::EstUserAdded, actor: "testkit".into(), details: Vec::new() };
        ledger.add(user, added).await.expect("a ledger in memory takes it");
        Self { clock, ledger, core, authority }
    }

    /// The same authority over another back end: same name, same certificate.
    ///
    /// # Panics
    /// When the chain is refused.
    #[must_use]
    pub fn over(&self, backend: impl CaBackend + 'static) -> Authority {
        let chain = self.authority.chain().to_vec();
        Authority::new(self.core.clone(), self.authority.name(), chain, Publication::default(), Box::new(backend))
            .expect("a chain")
    }

    /// An EST request of `first-device`, granted names like `dns:*.fleet.example`.
    ///
    /// # Panics
    /// When a grant is no [`NamePattern`].
    #[must_use]
    pub fn request(csr: Csr, grants: &[&str]) -> EnrollRequest {
        let grants: Vec<NamePattern> = grants.iter().map(|grant| grant.parse().expect("a name pattern")).collect();
        let principal = Principal { name: "first-device".into(), grants, proof: Proof::Credential(CREDENTIAL), ends_at: None };
        EnrollRequest { protocol: Protocol::Est, endpoint: "default".into(), principal, csr, renews: None, transaction: None }
    }
}

/// A profile called `default` of the authority `default`: P-256 and RSA-2048 keys, 90 days backdated by an hour, clientAuth and
/// serverAuth, dNSNames and iPAddresses, O and serialNumber copied.
#[must_use]
pub fn profile() -> Profile {
    Profile {
        name: "default".into(),
        authority: "default".into(),
        validity: Duration::from_secs(90 * 86_400),
        backdate: Duration::from_secs(3600),
        key_types: vec![AllowedKey::P256, AllowedKey::Rsa2048],
        subject_copy: vec![NameAttributeType::Organization, NameAttributeType::SerialNumber],
        sans: vec![SanKind::Dns, SanKind::Ip],
        extended_key_usage: vec![ExtendedKeyUsage::ClientAuth, ExtendedKeyUsage::ServerAuth],
        approval: Approval::Auto,
        renewal_approval: Approval::Auto,
        renew_grace: Duration::ZERO,
        rekey: Rekey::Allow,
        change_subject: ChangeSubject::Refuse,
        no_rev_avail: false,
    }
}
