//! When a certificate of certgate's own will do, and when another one is issued.

use std::os::unix::fs::PermissionsExt;

use certgate_enrollment::{Core, Crls, Enrollments, Event, EventKind};
use certgate_pki::{DnsName, SigningKey};
use certgate_testkit::{KeyBackend, MockClock, ca_key, device_key, provider, rsa_device_key};

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

/// An authority, and its certificate for a TLS server.
struct Desk {
    folder: tempfile::TempDir,
    clock: Arc<MockClock>,
    own: OwnCertificate,
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, provider) = (Arc::new(MockClock::default()), provider(1));
        let ledger = SqliteLedger::open(&folder.path().join("ledger.db"), 64, Arc::clone(&provider.digest)).unwrap();
        let core = Core {
            clock: clock.clone(),
            provider: provider.clone(),
            certificates: Arc::new(ledger.clone()) as Arc<dyn Certificates>,
            crls: Arc::new(ledger.clone()) as Arc<dyn Crls>,
            enrollments: Arc::new(ledger.clone()) as Arc<dyn Enrollments>,
            compromised_keys: Arc::default(),
        };
        let own = OwnCertificate {
            authority: Arc::new(found(core, "default", ca_key()).await),
            purpose: Purpose::TlsServer(names(&["localhost"])),
            clock: clock.clone(),
            ledger,
            provider,
            cert: folder.path().join("server.pem"),
            key: folder.path().join("server.key"),
        };
        Self { folder, clock, own }
    }

    /// The same, from an authority of this name with another key.
    async fn of_other_authority(&self, name: &str) -> Arc<Authority> {
        let core = Core {
            clock: self.clock.clone(),
            provider: self.own.provider.clone(),
            certificates: Arc::new(self.own.ledger.clone()) as Arc<dyn Certificates>,
            crls: Arc::new(self.own.ledger.clone()) as Arc<dyn Crls>,
            enrollments: Arc::new(self.own.ledger.clone()) as Arc<dyn Enrollments>,
            compromised_keys: Arc::default(),
        };
        Arc::new(found(core, name, rsa_device_key()).await)
    }

    /// What is in the file, issued or found there.
    async fn ensured(&self) -> (bool, Certificate) {
        let before = read_leaf(&self.own.cert);
        let there = self.own.ensure().await.unwrap();
        assert_eq!(there.as_der(), read_leaf(&self.own.cert).unwrap().as_der());
        (before.is_none_or(|before| before.serial() != there.serial()), there)
    }

    /// Another one is issued, and is the key's; the next look leaves it as it is.
    async fn is_made_anew(&self, before: &Certificate, why: &str) -> Certificate {
        let (is_new, after) = self.ensured().await;
        assert!(is_new && after.serial() != before.serial(), "{why}");
        let key = keys::read(&self.own.key).unwrap();
        assert_eq!(self.own.provider.sign.load(&key).unwrap().public_key(), after.public_key(), "{why}");
        assert!(!self.ensured().await.0, "{why}: once");
        after
    }
}

async fn found(core: Core, name: &str, key: Arc<dyn SigningKey>) -> Authority {
    let (subject, public_key) = ("CN=Root".parse().unwrap(), key.public_key().clone());
    let backend = Box::new(KeyBackend::new(key));
    Authority::found(core, name, subject, public_key, 3650 * DAY, backend).await.unwrap().0
}

fn names(texts: &[&str]) -> Vec<GeneralName> {
    texts.iter().map(|text| GeneralName::Dns(DnsName::parse(text).unwrap())).collect()
}

#[tokio::test]
async fn one_that_will_do_is_used_until_a_third_of_its_life_is_left() {
    let desk = Desk::new().await;
    let (is_new, first) = desk.ensured().await;
    assert!(is_new);
    for (days, expected) in [(0, false), (30, false), (29, false)] {
        desk.clock.advance(days * DAY);
        assert_eq!(desk.ensured().await, (expected, first.clone()), "{days} days later");
    }
    desk.clock.advance(DAY);
    let second = desk.is_made_anew(&first, "60 days later").await;
    // A clock that was set back: what is not good yet will not do.
    desk.clock.set(first.validity().not_before);
    desk.is_made_anew(&second, "before its time").await;
}

#[tokio::test]
async fn names_must_be_those_that_it_is_to_have() {
    let mut desk = Desk::new().await;
    let (_, mut before) = desk.ensured().await;
    for expected in [&["localhost", "more.example"][..], &["more.example"]] {
        desk.own.purpose = Purpose::TlsServer(names(expected));
        before = desk.is_made_anew(&before, "other names").await;
        assert_eq!(before.extensions().subject_alt_names().unwrap(), names(expected));
    }
}

#[tokio::test]
async fn it_must_be_of_the_authority_as_it_is() {
    let mut desk = Desk::new().await;
    let (_, before) = desk.ensured().await;
    desk.own.authority = desk.of_other_authority("other").await;
    let after = desk.is_made_anew(&before, "another CA of the same subject").await;
    let chain = desk.own.authority.chain();
    assert!(after.verify_signed_by(chain[0].public_key(), &desk.own.provider).is_ok());
}

#[tokio::test]
async fn one_that_was_revoked_or_that_the_ledger_does_not_know_will_not_do() {
    let mut desk = Desk::new().await;
    let (_, before) = desk.ensured().await;
    let record = desk.own.ledger.find(before.serial()).await.unwrap().unwrap();
    let held = CertificateStatus::Held(desk.clock.now());
    let event = Event { at: desk.clock.now(), kind: EventKind::CertificateHeld, actor: "test".into(), details: Vec::new() };
    assert!(desk.own.ledger.change_status(&record, held, event).await.unwrap());
    desk.is_made_anew(&before, "on hold").await;

    let elsewhere = desk.folder.path().join("other.db");
    desk.own.ledger = SqliteLedger::open(&elsewhere, 64, Arc::clone(&desk.own.provider.digest)).unwrap();
    assert!(desk.ensured().await.0, "another ledger");
}

#[tokio::test]
async fn files_that_are_not_a_pair_or_not_to_be_read_are_written_anew() {
    let desk = Desk::new().await;
    let (_, mut before) = desk.ensured().await;
    let (cert, key) = (&desk.own.cert, &desk.own.key);
    let good = std::fs::read_to_string(cert).unwrap();
    let spoil = |path: &Path, text: &str, mode: u32| {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for (path, text, mode, why) in [
        (key, certgate_testkit::DEVICE_KEY, 0o600, "another key"),
        (key, certgate_testkit::RSA_DEVICE_KEY, 0o600, "a key of another kind"),
        (key, "", 0o600, "an empty key"),
        (cert, "", 0o644, "an empty certificate"),
        (cert, &good[..100], 0o644, "half a certificate"),
        (cert, &good, 0o644, "the one before"),
    ] {
        spoil(path, text, mode);
        before = desk.is_made_anew(&before, why).await;
    }
    let secret = std::fs::read_to_string(key).unwrap();
    spoil(key, &secret, 0o644);
    before = desk.is_made_anew(&before, "a key that others may have read").await;
    for path in [key, cert] {
        std::fs::remove_file(path).unwrap();
        before = desk.is_made_anew(&before, "a file that is not there").await;
    }
    assert_ne!(before.public_key(), device_key().public_key());
}

#[tokio::test]
async fn what_cannot_be_read_now_is_not_missing() {
    let desk = Desk::new().await;
    let (_, before) = desk.ensured().await;
    let text = std::fs::read(&desk.own.cert).unwrap();
    std::fs::remove_file(&desk.own.cert).unwrap();
    std::fs::create_dir(&desk.own.cert).unwrap();
    let error = format!("{:#}", desk.own.ensure().await.unwrap_err());
    assert!(error.contains("server.pem"), "{error}");
    std::fs::remove_dir(&desk.own.cert).unwrap();
    std::fs::write(&desk.own.cert, text).unwrap();
    assert_eq!(desk.ensured().await, (false, before));
}

#[tokio::test]
async fn the_certificate_of_a_responder_lasts_no_longer_than_it_is_to() {
    let mut desk = Desk::new().await;
    desk.own.purpose = Purpose::OcspResponder("default".into(), 365 * DAY);
    let (_, long) = desk.ensured().await;
    assert!(!desk.ensured().await.0);
    desk.own.purpose = Purpose::OcspResponder("default".into(), OCSP_LIFETIME);
    let short = desk.is_made_anew(&long, "one for a year").await;
    assert!(short.validity().not_after < long.validity().not_after);
}
