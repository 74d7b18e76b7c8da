//! What is taken of a CA's past, and what is refused before anything is recorded.

use std::path::Path;
use std::time::Duration;

use certgate_crl::{CrlFields, CrlNumber, Entry, Kind};
use certgate_enrollment::{
    AuditTrail as _, CertificateStatus, Certificates as _, CrlScope, Crls as _, IMPORTED, Revocation, RevocationReason,
    Statuses as _,
};
use certgate_pki::{CrlReason, KeyIdentifier, Serial, Timestamp, pem};
use certgate_testkit::{CertificateShape, NOW, ca_key, device_key, provider};

use super::*;
use crate::config::Overrides;
use crate::data_dir::DataDir;

const SECOND: Duration = Duration::from_secs(1);

struct Old {
    directory: tempfile::TempDir,
    config: Config,
    base: Base,
    ca: CertificateShape,
    own: Certificate,
}

impl Old {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::load(None, &Overrides::default()).unwrap();
        config.authorities.last_mut().unwrap().crl.shards = 2;
        let base = Base::open(&config, &DataDir::open(&directory.path().join("data")).unwrap()).unwrap();
        let ca = CertificateShape::ca("CN=Old CA", ca_key());
        let own = read(&ca.signed_by(&ca));
        Self { directory, config, base, ca, own }
    }

    fn authority(&self) -> &AuthorityConfig {
        self.config.authorities.iter().find(|one| one.name == "default").unwrap()
    }

    /// A device's certificate, PEM: one of each second has a serial number of its own.
    fn device(&self, second: u32, name: &str) -> String {
        let mut shape = CertificateShape::server(&[name]);
        shape.validity.not_before = shape.validity.not_before.after(SECOND * second);
        shape.signed_by(&self.ca)
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, contents).unwrap();
        path
    }

    /// A CRL of this number.
    fn crl(&self, number: &CrlNumber, entries: &[(&Certificate, Option<CrlReason>)]) -> PathBuf {
        let mut octets = Vec::new();
        for (certificate, reason) in entries {
            let serial = certificate.serial().clone();
            Entry { serial, revocation_date: revoked_at(), reason: *reason, invalidity_date: None }.encode_into(&mut octets);
        }
        let key = ca_key();
        let fields = CrlFields {
            issuer: self.own.subject(),
            this_update: NOW,
            next_update: NOW.after(SECOND * 86_400),
            authority_key: &KeyIdentifier::of(key.public_key(), &provider(1)),
            number,
            distribution_point: None,
            kind: Kind::Complete { freshest: None },
        };
        let draft = fields.prepare(key.algorithm(), [octets.as_slice()]).unwrap();
        let signature = key.sign(draft.to_be_signed()).unwrap();
        let der = draft.assemble(&signature);
        self.write(&format!("{number}.crl"), &der)
    }

    async fn check(&self, files: &HistoryFiles) -> anyhow::Result<History<'_>> {
        History::check((&self.config, self.authority()), &self.base, &self.own, files, &mut |_| ()).await
    }

    async fn take(&self, issued: &[&Path], crls: &[&Path], profile: Option<&str>) -> anyhow::Result<HistoryTaken> {
        record(&self.check(&files(issued, crls, profile)).await?).await
    }

    async fn refusal(&self, issued: &[&Path], crls: &[&Path], profile: Option<&str>) -> String {
        let before = self.base.ledger.head().await.unwrap();
        let error = self.take(issued, crls, profile).await.unwrap_err();
        assert_eq!(self.base.ledger.head().await.unwrap(), before, "nothing was recorded");
        format!("{error:#}")
    }
}

fn files(issued: &[&Path], crls: &[&Path], profile: Option<&str>) -> HistoryFiles {
    let owned = |paths: &[&Path]| paths.iter().map(|path| path.to_path_buf()).collect();
    HistoryFiles { issued: owned(issued), crls: owned(crls), profile: profile.map(str::to_owned) }
}

fn read(text: &str) -> Certificate {
    Certificate::from_der(&pem::decode(pem::CERTIFICATE, text).unwrap()).unwrap()
}

fn revoked_at() -> Timestamp {
    NOW.before(SECOND * 3600).floor_to_second()
}

async fn record(history: &History<'_>) -> anyhow::Result<HistoryTaken> {
    history.record_issued(history.record_crls(&mut |_| ()).await?, &mut |_| ()).await
}

#[tokio::test]
async fn many_certificates_in_one_file_and_many_files_in_a_folder() {
    let old = Old::new();
    // More than one transaction, with text around them and one twice.
    let devices: Vec<String> = (0..1100).map(|second| old.device(second, "a.example")).collect();
    let shown = devices.iter().chain(devices.get(7)).enumerate();
    let text: String = shown.map(|(number, device)| format!("Certificate {number}:\n{device}")).collect();
    let many = old.write("many.pem", text);
    let mut below = CertificateShape::ca("CN=Below", device_key());
    below.validity.not_before = below.validity.not_before.after(SECOND);
    let below = below.signed_by(&old.ca);
    old.write("folder/own.pem", old.ca.signed_by(&old.ca));
    old.write("folder/ca.der", read(&below).as_der());
    old.write("folder/below/ignored.pem", "no certificate");
    let mut over = CertificateShape::server(&["over.example"]);
    over.validity.not_before = NOW.before(SECOND * 86_400 * 3000);
    over.validity.not_after = NOW.before(SECOND * 86_400 * 2000);
    let over = over.signed_by(&old.ca);
    old.write("folder/over.pem", &over);
    let folder = old.directory.path().join("folder");
    let taken = old.take(&[&many, &folder], &[], Some("default")).await.unwrap();
    assert_eq!(taken, HistoryTaken { certificates: 1102, known_before: 1, ..HistoryTaken::default() });
    for (certificate, profile) in [(&over, "default"), (&below, IMPORTED)] {
        let record = old.base.ledger.find_issued("default", read(certificate).serial()).await.unwrap().unwrap();
        assert_eq!((record.profile.as_str(), record.principal.as_str()), (profile, "imported"));
        assert_eq!(record.der, read(certificate).as_der());
    }
    assert_eq!(old.base.ledger.find_issued("default", old.own.serial()).await, Ok(None), "its own is none that it has issued");
    let again = old.take(&[&many, &folder], &[], None).await.unwrap();
    assert_eq!(again, HistoryTaken { known_before: 1103, ..HistoryTaken::default() });
}

#[tokio::test]
async fn what_is_not_its_own_is_named_and_nothing_is_recorded() {
    let old = Old::new();
    let (good, twin) = (old.write("good.pem", old.device(1, "a.example")), old.write("twin.pem", old.device(1, "b.example")));
    let forger = CertificateShape::ca("CN=Old CA", device_key());
    let forged = old.write("forged.pem", CertificateShape::server(&["a.example"]).signed_by(&forger));
    let other = CertificateShape::ca("CN=Other CA", ca_key());
    let other = old.write("other.pem", CertificateShape::server(&["a.example"]).signed_by(&other));
    for (file, expected) in [
        (&twin, "twin.pem: another certificate with its serial number, "),
        (&forged, "is not signed by this authority's key"),
        (&other, "names CN=Other CA as its issuer, not CN=Old CA"),
        (&old.write("text.pem", "no certificate"), "text.pem: there is no certificate in it, neither as PEM nor as DER"),
        (&old.write("half.pem", "-----BEGIN CERTIFICATE-----\nAAAA"), "half.pem: no complete PEM block"),
        (&old.write("short.der", [0x30, 0x82, 1]), "short.der: not an X.509 v3 certificate"),
        (&old.write("long.der", [&[0x30, 0x82][..], &[0; 70_000]].concat()), "long.der: it is larger than any certificate"),
    ] {
        let told = old.refusal(&[&good, file], &[], None).await;
        assert!(told.contains(expected), "{told}");
        assert!(!told.contains("good.pem"), "{told}");
    }
    let missing = old.directory.path().join("missing.pem");
    assert!(old.refusal(&[&good, &missing], &[], None).await.contains("missing.pem: No such file"));
    assert!(old.refusal(&[&good], &[], Some("root")).await.contains("authority default has no profile root: it has default"));
    let faults: Vec<PathBuf> = (0..13).map(|number| old.write(&format!("{number}.txt"), "")).collect();
    let faults: Vec<&Path> = faults.iter().map(PathBuf::as_path).collect();
    let told = old.refusal(&faults, &[], None).await;
    assert!(told.contains("9.txt") && !told.contains("10.txt") && told.ends_with("and 3 more"), "{told}");
    // What is in the ledger counts, too.
    old.take(&[&good], &[], None).await.unwrap();
    assert!(old.refusal(&[&twin], &[], None).await.contains("is in the ledger"));
}

#[tokio::test]
async fn what_has_changed_since_it_was_checked_is_not_recorded() {
    let old = Old::new();
    let file = old.write("one.pem", old.device(1, "a.example"));
    let checked = files(&[&file], &[], None);
    let history = old.check(&checked).await.unwrap();
    old.write("one.pem", old.device(1, "b.example"));
    let error = record(&history).await.unwrap_err();
    assert!(format!("{error:#}").contains("one.pem: it has changed since it was checked"), "{error:#}");
    assert_eq!(old.base.ledger.head().await.unwrap().events, 0);
}

#[tokio::test]
async fn numbers_go_on_behind_the_greatest_in_every_list() {
    let old = Old::new();
    let [one, two, three] = [1, 2, 3].map(|second| read(&old.device(second, "a.example")));
    let (hold, number) = (Some(CrlReason::CertificateHold), |number: u64| CrlNumber::from(number));
    let first = old.crl(&number(20), &[(&one, None), (&two, hold)]);
    let second = old.crl(&number(7), &[(&three, Some(CrlReason::Superseded))]);
    let issued = old.write("one.pem", old.device(1, "a.example"));
    let taken = old.take(&[&issued], &[&second, &first], None).await.unwrap();
    let expected = HistoryTaken {
        certificates: 1,
        known_before: 0,
        revoked: 2,
        held: 1,
        already_so: 0,
        only_in_crl: 2,
        crl_number: Some(20),
    };
    assert_eq!(taken, expected);
    for shard in [0, 1, 2] {
        let scope = CrlScope { authority: "default".into(), shard };
        let last = old.base.ledger.last_crl(&scope, false).await.unwrap().unwrap();
        assert_eq!((last.number, last.sequence), (20, 0));
        assert_eq!(old.base.ledger.base_crl(&scope, NOW).await, Ok(None), "no delta is based on it");
    }
    let status = async |serial: &Serial| old.base.ledger.state_of("default", serial).await.unwrap().unwrap().status;
    let revoked = |reason| CertificateStatus::Revoked(Revocation::new(revoked_at(), reason));
    assert_eq!(status(one.serial()).await, revoked(RevocationReason::Unspecified));
    assert_eq!(status(two.serial()).await, CertificateStatus::Held(revoked_at()));
    assert_eq!(status(three.serial()).await, revoked(RevocationReason::Superseded));
    // What is older says nothing new, or is refused; what is newer is taken.
    let again = old.take(&[], &[&second], None).await.unwrap();
    assert_eq!((again.already_so, again.crl_number), (1, Some(7)));
    let four = read(&old.device(4, "a.example"));
    assert!(old.refusal(&[], &[&old.crl(&number(19), &[(&four, None)])], None).await.contains("is older than the one"));
    let newer = old.take(&[], &[&old.crl(&number(21), &[(&two, None)])], None).await.unwrap();
    assert_eq!((newer.revoked, newer.held, newer.only_in_crl), (1, 0, 2), "a hold has ended in a revocation");
    let most = old.crl(&number(1 << 63), &[]);
    assert!(old.refusal(&[], &[&most], None).await.contains("is not below 2^63-1"));
}
