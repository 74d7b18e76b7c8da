//! The key of a root goes and comes back, and every state in between.

use std::sync::Arc;

use certgate_crl::Crl;
use certgate_enrollment::{CertificateStatus, Certificates};
use certgate_pki::KeyType;

use super::*;
use crate::assemble::authorities::open_authorities;
use crate::assemble::keys;
use crate::config::{Family, Overrides};
use crate::data_dir::{Secrecy, write_atomically};
use crate::telemetry::Metrics;

const YEAR: Duration = Duration::from_secs(365 * 86_400);
const URL: &str = "http://pki.example.com";

/// A gateway that has made its authorities, with a safe beside it.
struct Desk {
    folder: tempfile::TempDir,
    config: Config,
    data_dir: DataDir,
    base: Base,
}

impl Desk {
    async fn new() -> Self {
        Self::with("").await
    }

    /// With this in its configuration file.
    async fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.toml");
        std::fs::write(&file, text).unwrap();
        let config = Config::load(Some(&file), &Overrides::default()).unwrap();
        let data_dir = DataDir::open(&folder.path().join("data")).unwrap();
        let base = Base::open(&config, &data_dir).unwrap();
        let desk = Self { folder, config, data_dir, base };
        desk.opened().await.unwrap();
        desk
    }

    /// What a start makes of what is there.
    async fn opened(&self) -> anyhow::Result<Authorities> {
        let served = [Family::Ocsp, Family::Crl];
        open_authorities(&self.config.authorities, &self.base, &self.data_dir, (Some(URL), &served), &Metrics::new()).await
    }

    /// Why a start is refused.
    async fn refusal(&self) -> String {
        format!("{:#}", self.opened().await.err().unwrap())
    }

    fn root(&self) -> RootKey<'_> {
        RootKey::here(&self.config, &self.base, &self.data_dir, None).unwrap()
    }

    async fn elsewhere(&self) -> RootKey<'_> {
        RootKey::elsewhere(&self.config, &self.base, &self.data_dir, None).await.unwrap()
    }

    fn safe(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn key(&self) -> PathBuf {
        self.data_dir.join("ca/root.key")
    }

    async fn removed(&self, name: &str) -> TakenOffline {
        let exported = self.root().export(&self.safe(name), words, Some(YEAR)).await;
        exported.unwrap().1.unwrap()
    }

    async fn marked_offline(&self) {
        let certificate = read_leaf(&self.data_dir.join("ca/root.pem")).unwrap();
        let event = self.root().event(EventKind::AuthorityTakenOffline, &certificate);
        assert!(self.base.ledger.take_offline("root", event).await.unwrap());
    }
}

fn words() -> anyhow::Result<Protection> {
    Ok(Protection::Passphrase("correct horse".to_owned().into()))
}

fn source(desk: &Desk) -> SecretSource {
    let path = desk.safe("words");
    write_atomically(&path, b"correct horse\n", Secrecy::Private).unwrap();
    SecretSource::File(path)
}

#[tokio::test]
async fn a_copy_is_encrypted_and_whole_and_takes_nothing_away() {
    let desk = Desk::new().await;
    let (file, plain) = (desk.safe("root.copy"), desk.safe("plain.copy"));
    let (certificate, taken) = desk.root().export(&file, words, None).await.unwrap();
    assert!(taken.is_none() && desk.key().exists());
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n") && text.contains("-----BEGIN CERTIFICATE-----\n"),
        "{text}"
    );
    let copy = KeyCopy::read(&file, Some(&source(&desk)), &desk.base.provider).unwrap();
    assert_eq!((copy.key.public_key(), copy.certificate.as_ref()), (certificate.public_key(), Some(&certificate)));
    let error = KeyCopy::read(&file, None, &desk.base.provider).err().unwrap().to_string();
    assert!(error.contains("say where its passphrase is, by --passphrase"), "{error}");
    let again = desk.root().export(&file, words, Some(YEAR)).await.err().unwrap().to_string();
    assert!(again.contains("is there already") && desk.key().exists(), "{again}");
    desk.root().export(&plain, || Ok(Protection::None), None).await.unwrap();
    assert!(std::fs::read_to_string(&plain).unwrap().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let inside = desk.root().export(&desk.data_dir.join("ca/copy"), words, None).await.err().unwrap().to_string();
    assert!(inside.contains("is in the data directory"), "{inside}");
    assert_eq!(desk.opened().await.unwrap().get("root").unwrap().backend_name(), "local");
}

#[tokio::test]
async fn without_the_key_everything_goes_on_that_does_not_need_it() {
    let desk = Desk::new().await;
    let now = desk.base.clock.now();
    let taken = desk.removed("root.copy").await;
    assert!(!desk.key().exists() && taken.warnings.is_empty(), "{:?}", taken.warnings);
    let a_year_less = now.after(YEAR).before(Duration::from_secs(60));
    let ocsp_until = taken.provisions.ocsp_until.unwrap();
    assert!(
        taken.provisions.crl_until >= a_year_less && ocsp_until >= a_year_less,
        "{} {ocsp_until}",
        taken.provisions.crl_until
    );

    let authorities = desk.opened().await.unwrap();
    let (root, default) = (authorities.get("root").unwrap(), authorities.get("default").unwrap());
    assert_eq!((root.backend_name(), default.backend_name()), ("offline", "local"));
    assert!(root.offline_since().is_some() && root.crl_algorithm().is_none());
    let der = std::fs::read(desk.data_dir.join("crl/root.crl")).unwrap();
    let crl = Crl::parse(&der).unwrap();
    assert_eq!((crl.next_update, crl.freshest.len()), (taken.provisions.crl_until, 0));
    crl.verify_signed_by(root.chain()[0].public_key(), &desk.base.provider).unwrap();
    let responder = read_leaf(&desk.data_dir.join("ocsp/root.pem")).unwrap();
    assert_eq!(responder.validity().not_after, ocsp_until);
    // Its certificate is in the ledger, too.
    std::fs::remove_file(desk.data_dir.join("ca/root.pem")).unwrap();
    desk.opened().await.unwrap();
    let twice = desk.elsewhere().await.export(&desk.safe("again"), words, Some(YEAR)).await.err().unwrap().to_string();
    assert!(twice.contains("is offline since") && !desk.safe("again").exists(), "{twice}");
}

#[tokio::test]
async fn the_key_comes_back_and_no_other_does() {
    let desk = Desk::new().await;
    desk.removed("root.copy").await;
    let other = desk.safe("other.key");
    keys::write(&other, &keys::make(KeyType::P256, &desk.base.provider).unwrap(), &desk.base.provider).unwrap();
    let refused = desk.elsewhere().await.restore(&other, None).await.err().unwrap().to_string();
    assert!(refused.contains("has another key") && !desk.key().exists(), "{refused}");
    desk.elsewhere().await.restore(&desk.safe("root.copy"), Some(&source(&desk))).await.unwrap();
    assert_eq!(desk.opened().await.unwrap().get("root").unwrap().backend_name(), "local");
    let none = RootKey::elsewhere(&desk.config, &desk.base, &desk.data_dir, None).await.err().unwrap().to_string();
    assert!(none.contains("no root has its key offline"), "{none}");
    let here = RootKey::here(&desk.config, &desk.base, &desk.data_dir, Some("root")).unwrap();
    let refused = here.restore(&desk.safe("root.copy"), None).await.err().unwrap().to_string();
    assert!(refused.contains("is not offline"), "{refused}");
    // And goes again: another list, of the next number.
    let number = |desk: &Desk| {
        let der = std::fs::read(desk.data_dir.join("crl/root.crl")).unwrap();
        Crl::parse(&der).unwrap().number.and_then(|number| number.to_u64())
    };
    assert_eq!(number(&desk), Some(1));
    desk.removed("root.again").await;
    assert_eq!(number(&desk), Some(2));
}

/// Cut short after what was made for the time without the key: it is here, and so is everything else.
#[tokio::test]
async fn cut_short_before_the_ledger_has_it_nothing_has_happened() {
    let desk = Desk::new().await;
    let (key, _) = authority_key::read(desk.root().own, &desk.key(), &desk.base.provider).unwrap();
    let certificate = read_leaf(&desk.data_dir.join("ca/root.pem")).unwrap();
    desk.root().provide((key, certificate), YEAR).await.unwrap();
    assert!(desk.data_dir.join("crl/root.crl").exists());
    assert_eq!(desk.opened().await.unwrap().get("root").unwrap().backend_name(), "local");
    desk.removed("root.copy").await;
    assert_eq!(desk.opened().await.unwrap().get("root").unwrap().backend_name(), "offline");
}

/// Cut short between the ledger and the file, or the file came back with a backup: a person has to say which of both is right.
#[tokio::test]
async fn a_key_that_is_there_though_it_is_elsewhere_stops_the_start() {
    let desk = Desk::new().await;
    desk.root().export(&desk.safe("root.copy"), words, None).await.unwrap();
    desk.marked_offline().await;
    let refused = desk.refusal().await;
    assert!(refused.contains("ca/root.key is there, and by the ledger the key of root is offline since"), "{refused}");
    assert!(refused.contains("certgate ca restore-root ") && refused.contains("or remove the file"), "{refused}");
    desk.elsewhere().await.restore(&desk.key(), None).await.unwrap();
    assert_eq!(desk.opened().await.unwrap().get("root").unwrap().backend_name(), "local");

    // Half erased: what is left is no key, and goes.
    desk.marked_offline().await;
    std::fs::write(desk.key(), [0; 100]).unwrap();
    assert!(desk.refusal().await.contains("is offline since"));
    assert!(desk.elsewhere().await.restore(&desk.key(), None).await.is_err());
    erase(&desk.key()).unwrap();
    assert_eq!(desk.opened().await.unwrap().get("root").unwrap().backend_name(), "offline");
    desk.elsewhere().await.restore(&desk.safe("root.copy"), Some(&source(&desk))).await.unwrap();
    desk.opened().await.unwrap();
}

#[tokio::test]
async fn a_key_that_is_gone_and_was_not_taken_away_is_lost() {
    let desk = Desk::new().await;
    std::fs::remove_file(desk.key()).unwrap();
    let refused = desk.refusal().await;
    assert!(refused.contains("root.key is missing"), "{refused}");
}

#[tokio::test]
async fn what_needs_the_key_is_refused_before_it_goes() {
    let desk = Desk::new().await;
    let below = desk.data_dir.join("ca/default.pem");
    let kept = desk.safe("default.pem");
    std::fs::rename(&below, &kept).unwrap();
    let refused = desk.root().export(&desk.safe("one"), words, Some(YEAR)).await.err().unwrap().to_string();
    assert!(refused.contains("authority default below it has no certificate yet") && !desk.safe("one").exists(), "{refused}");
    std::fs::rename(&kept, &below).unwrap();
    // It ends before the list does.
    let (_, taken) = desk.root().export(&desk.safe("two"), words, Some(5 * YEAR)).await.unwrap();
    let warnings = taken.unwrap().warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("the certificate of authority default ends on"), "{warnings:?}");

    let issuing = "[[authority]]\nname = \"one\"\nsubject = \"CN=One\"\n[[profile]]\nname = \"default\"\nauthority = \"one\"\n";
    let desk = Desk::with(issuing).await;
    let refused = desk.root().export(&desk.safe("one"), words, Some(YEAR)).await.err().unwrap().to_string();
    assert!(refused.contains("profile default has one itself issue certificates"), "{refused}");
}

#[tokio::test]
async fn which_root_is_meant_is_said_where_there_are_several() {
    let two = "[[authority]]\nname = \"one\"\nsubject = \"CN=One\"\n[[authority]]\nname = \"two\"\nsubject = \"CN=Two\"\n\
               [[authority]]\nname = \"default\"\nissuer = \"one\"\nsubject = \"CN=Three\"\n";
    let desk = Desk::with(two).await;
    let here = |named| RootKey::here(&desk.config, &desk.base, &desk.data_dir, named).map(|root| root.name().to_owned());
    let refused = here(None).unwrap_err().to_string();
    assert!(refused.contains("more than one root has its key here: one, two; --authority NAME"), "{refused}");
    assert_eq!(here(Some("two")).unwrap(), "two");
    assert!(here(Some("default")).unwrap_err().to_string().contains("is issued by one"));
    assert!(here(Some("three")).unwrap_err().to_string().contains("there is no authority three; roots are: one, two"));
}

#[tokio::test]
async fn a_new_issuing_ca_below_it_waits_for_the_key() {
    let mut desk = Desk::new().await;
    desk.removed("root.copy").await;
    let mut plant = desk.config.authorities.last().unwrap().clone();
    plant.name = "plant".into();
    desk.config.authorities.push(plant);
    let refused = desk.refusal().await;
    assert!(refused.contains("authority plant") && refused.contains("the key of root is offline since"), "{refused}");
    assert!(refused.contains("certgate ca restore-root"), "{refused}");
    // What was made of it does no harm, and is used once the key is there.
    desk.elsewhere().await.restore(&desk.safe("root.copy"), Some(&source(&desk))).await.unwrap();
    assert_eq!(desk.opened().await.unwrap().get("plant").unwrap().chain().len(), 2);
}

/// What is exported is what verifies: nothing of it is revoked along the way.
#[tokio::test]
async fn the_responder_for_the_time_without_the_key_is_in_the_ledger() {
    let desk = Desk::new().await;
    desk.removed("root.copy").await;
    let responder = read_leaf(&desk.data_dir.join("ocsp/root.pem")).unwrap();
    let record = desk.base.ledger.find(responder.serial()).await.unwrap().unwrap();
    assert_eq!((record.authority.as_str(), record.status), ("root", CertificateStatus::Valid));
    let key = keys::read(&desk.data_dir.join("ocsp/root.key")).unwrap();
    let key: Arc<dyn certgate_pki::SigningKey> = desk.base.provider.sign.load(&key).unwrap();
    assert_eq!(key.public_key(), responder.public_key());
}
