//! Two CAs that were taken over, with the same serial numbers; and certificates that have ended.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use certgate::telemetry::SystemClock;
use certgate_crl::{CrlFields, CrlNumber, Entry, Kind};
use certgate_enrollment::Clock;
use certgate_pki::{Certificate, CrlReason, KeyIdentifier, Timestamp, Validity, pem};
use certgate_testkit::{CertificateShape, RSA_DEVICE_KEY, device_key, load_key, provider};
use serde_json::{Value, json};

use crate::process::{Gateway, run};

const DAY: Duration = Duration::from_secs(86_400);

const CONFIG: &str = "[[authority]]\nname = \"default\"\nexternal = true\nsubject = \"CN=Old CA\"\n\
                      [[authority]]\nname = \"other\"\nexternal = true\nsubject = \"CN=Older CA\"\n\
                      [[profile]]\nname = \"default\"\nauthority = \"default\"\nrenew_grace = \"30d\"\n";

const CA_KEY: &str = include_str!("../../../testkit/fixtures/keys/p256-ca.pem");

/// A CA that is taken over.
struct Old {
    authority: &'static str,
    key: &'static str,
    shape: CertificateShape,
    folder: PathBuf,
}

impl Old {
    fn new(folder: &Path, authority: &'static str, subject: &str, key: &'static str) -> Self {
        let folder = folder.join(authority);
        std::fs::create_dir(&folder).unwrap();
        let now = SystemClock.now();
        let validity = Validity { not_before: now.before(365 * DAY), not_after: now.after(365 * DAY) };
        let shape = CertificateShape { validity, ..CertificateShape::ca(subject, load_key(key)) };
        std::fs::write(folder.join("ca.pem"), shape.signed_by(&shape)).unwrap();
        std::fs::write(folder.join("ca.key"), key).unwrap();
        std::fs::set_permissions(folder.join("ca.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
        Self { authority, key, shape, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// A certificate in a file of this name; its serial number is that of every certificate which begins at that time.
    fn issue(&self, name: &str, (from, to): (Timestamp, Timestamp)) -> Certificate {
        let validity = Validity { not_before: from, not_after: to };
        let shape = CertificateShape { validity, key: device_key(), ..CertificateShape::server(&["a.example"]) };
        let text = shape.signed_by(&self.shape);
        std::fs::write(self.path(name), &text).unwrap();
        Certificate::from_der(&pem::decode(pem::CERTIFICATE, &text).unwrap()).unwrap()
    }

    /// A CRL that names one certificate.
    fn list(&self, certificate: &Certificate) {
        let (now, key) = (SystemClock.now(), load_key(self.key));
        let entry = Entry {
            serial: certificate.serial().clone(),
            revocation_date: now.before(DAY).floor_to_second(),
            reason: Some(CrlReason::KeyCompromise),
            invalidity_date: None,
        };
        let mut octets = Vec::new();
        entry.encode_into(&mut octets);
        let own = Certificate::from_der(&pem::decode(pem::CERTIFICATE, &self.shape.signed_by(&self.shape)).unwrap()).unwrap();
        let fields = CrlFields {
            issuer: own.subject(),
            this_update: now.before(DAY),
            next_update: now.after(DAY),
            authority_key: &KeyIdentifier::of(key.public_key(), &provider(1)),
            number: &CrlNumber::from(7),
            distribution_point: None,
            kind: Kind::Complete { freshest: None },
        };
        let draft = fields.prepare(key.algorithm(), [octets.as_slice()]).unwrap();
        let signature = key.sign(draft.to_be_signed()).unwrap();
        let der = draft.assemble(&signature);
        std::fs::write(self.path("last.crl"), der).unwrap();
    }

    fn import(&self, data_dir: &Path, more: &[&str]) {
        let (key, chain) = (self.path("ca.key"), self.path("ca.pem"));
        let output = run(data_dir, &[&["ca", "import", self.authority, "--key", &key, &chain], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Serial numbers of the certificates that are there.
struct Serials {
    /// Of one of each authority.
    shared: String,
    /// Of one of `default`, and of one of which nothing is known but that a CRL of `other` has it.
    listed: String,
    /// Of one of `default` that ended yesterday.
    ended: String,
}

/// A gateway that has taken over both; certificates of `default` are of the profile `default`, whose grace is 30 days.
fn taken_over(directory: &Path) -> (Gateway, Serials) {
    let data_dir = directory.join("d");
    std::fs::create_dir(&data_dir).unwrap();
    std::fs::write(data_dir.join("certgate.toml"), CONFIG).unwrap();
    let first = Old::new(directory, "default", "CN=Old CA", CA_KEY);
    let second = Old::new(directory, "other", "CN=Older CA", RSA_DEVICE_KEY);
    let now = SystemClock.now();
    let (shared, listed) = ((now.before(80 * DAY), now.after(DAY)), (now.before(70 * DAY), now.after(DAY)));
    let serial = first.issue("shared.pem", shared).serial().to_string();
    let only_listed = first.issue("listed.pem", listed);
    let ended = first.issue("ended.pem", (now.before(90 * DAY), now.before(DAY)));
    first.issue("long-ended.pem", (now.before(100 * DAY), now.before(31 * DAY)));
    let issued = ["shared.pem", "listed.pem", "ended.pem", "long-ended.pem"].map(|name| first.path(name));
    let more: Vec<&str> = issued.iter().flat_map(|path| ["--issued", path]).chain(["--profile", "default"]).collect();
    first.import(&data_dir, &more);
    second.issue("shared.pem", shared);
    second.issue("ended.pem", (now.before(91 * DAY), now.before(DAY)));
    second.list(&only_listed);
    let (shared, ended_there, crl) = (second.path("shared.pem"), second.path("ended.pem"), second.path("last.crl"));
    second.import(&data_dir, &["--issued", &shared, "--issued", &ended_there, "--crl", &crl]);
    let serials = Serials { shared: serial, listed: only_listed.serial().to_string(), ended: ended.serial().to_string() };
    (Gateway::start(&data_dir), serials)
}

#[test]
fn what_ended_and_can_still_renew_is_revoked_with_many() {
    let directory = tempfile::tempdir().unwrap();
    let (gateway, serials) = taken_over(directory.path());
    let revoke = |arguments: &[&str]| {
        let (code, said) = gateway.admin(&[&["cert", "revoke", "--dry-run"], arguments].concat());
        assert_eq!(code, 0, "{said}");
        said["revoked"].as_u64().unwrap()
    };
    assert_eq!(revoke(&["--profile", "default"]), 3, "not the one whose grace is over");
    assert_eq!(revoke(&["--profile", "certgate:imported"]), 1, "there is no grace where nothing renews");
    assert_eq!(revoke(&["--requester", "imported"]), 4);
    let (code, said) = gateway.admin(&["cert", "revoke", "--profile", "default", "--reason", "keyCompromise"]);
    assert_eq!((code, &said["matched"], &said["revoked"]), (0, &3.into(), &3.into()), "{said}");
    let (_, shown) = gateway.admin(&["cert", "show", &serials.ended]);
    assert_eq!(shown["status"], "revoked", "it renews nothing any more");
}

#[test]
fn a_serial_number_of_two_authorities_is_nobodys_until_one_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let (gateway, Serials { shared, listed, .. }) = taken_over(directory.path());
    for action in ["show", "hold", "release", "revoke"] {
        for serial in [&shared, &listed] {
            let (code, said) = gateway.admin(&["cert", action, serial]);
            let (message, hint) = (said["error"]["message"].as_str().unwrap(), said["error"]["hint"].as_str().unwrap());
            assert!(code == 4 && message.ends_with("default, other"), "{action}: {said}");
            assert!(hint.contains(&format!("default/{serial}")) && hint.contains(&format!("other/{serial}")), "{hint}");
        }
    }
    let of = |authority: &str, serial: &str| format!("{authority}/{serial}");
    let state = |arguments: &[&str]| {
        let (code, said) = gateway.admin(arguments);
        let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
        (code, text("authority"), text("status"))
    };
    let so = |authority: &str, status: &str| (0, authority.to_owned(), status.to_owned());
    assert_eq!(state(&["cert", "hold", &of("other", &shared)]), so("other", "held"));
    assert_eq!(state(&["cert", "show", &of("default", &shared.to_uppercase())]), so("default", "valid"));
    assert_eq!(state(&["cert", "release", &of("other", &shared)]), so("other", "valid"));
    assert_eq!(state(&["cert", "show", &of("default", &listed)]), so("default", "valid"));
    let (code, said) = gateway.admin(&["cert", "show", &of("other", &listed)]);
    let message = said["error"]["message"].as_str().unwrap();
    assert!(code == 4 && message.contains("known from an imported CRL of authority other only"), "{said}");
    assert_eq!(gateway.admin(&["cert", "show", &of("none", &shared)]).0, 3);
    for wrong in ["/01", "other/", "other/no-hex", "a/b/01", "../01"] {
        assert_eq!(gateway.admin(&["cert", "show", wrong]).0, 2, "{wrong}");
    }
    in_files(&gateway, &directory.path().join("serials.txt"), (&shared, &listed));
    assert!(gateway.admin(&["audit", "verify"]).1["ok"].as_bool().unwrap());
}

/// Of a file, those that nobody has to guess are revoked.
fn in_files(gateway: &Gateway, file: &Path, (shared, listed): (&str, &str)) {
    let revoke = |lines: &str| {
        std::fs::write(file, lines).unwrap();
        gateway.admin(&["cert", "revoke", "--serials", file.to_str().unwrap()])
    };
    let counts = |said: &Value| ["matched", "revoked", "already_revoked"].map(|key| said[key].as_u64().unwrap());
    let (code, said) = revoke(&format!("{shared}\ndefault/{listed}\nother/{listed}\n"));
    assert_eq!((code, counts(&said)), (4, [2, 1, 1]), "{said}");
    assert_eq!(said["ambiguous"], json!([format!("default/{shared}"), format!("other/{shared}")]));
    let (code, said) = revoke(&format!("other/{shared} # the older one\n"));
    assert_eq!((code, counts(&said), &said["ambiguous"]), (0, [1, 1, 0], &json!([])), "{said}");
    let (_, shown) = gateway.admin(&["cert", "show", &format!("default/{shared}")]);
    assert_eq!(shown["status"], "valid");
}
