//! Certificates of every kind of key that the default profile takes, before every judge of them.

use std::path::Path;

use anyhow::Result;

use super::{Line, clean_der, run};
use crate::{device::Device, gateway::Gateway, report::Report};

/// A device's name and how OpenSSL makes its key.
const KEYS: [(&str, &str); 7] = [
    ("p256.example.com", "ec -pkeyopt ec_paramgen_curve:P-256"),
    ("p384.example.com", "ec -pkeyopt ec_paramgen_curve:P-384"),
    ("p521.example.com", "ec -pkeyopt ec_paramgen_curve:P-521"),
    ("rsa2048.example.com", "rsa:2048"),
    ("rsa3072.example.com", "rsa:3072"),
    ("rsa4096.example.com", "rsa:4096"),
    ("ed25519.example.com", "ed25519"),
];

/// What is asked about each certificate and the CMS that brought it.
const JUDGES: [Line; 7] = [
    Line {
        title: "openssl: the certificate holds the key and the name",
        needs: &["openssl"],
        script: r#"
openssl pkey -in key.pem -pubout -out key.pub
openssl x509 -in cert.pem -noout -pubkey -out cert.pub
cmp key.pub cert.pub
openssl x509 -in cert.pem -noout -checkhost "$NAME" | grep 'does match'
"#,
    },
    Line {
        title: "openssl verify -x509_strict",
        needs: &["openssl"],
        script: r#"openssl verify -x509_strict -CAfile "$ROOT" -untrusted ../authority/chain.pem cert.pem"#,
    },
    Line {
        title: "openssl cms, openssl pkcs7",
        needs: &["openssl"],
        script: r#"
openssl cms -cmsout -print -noout -inform DER -in answer.der > cms.txt
openssl pkcs7 -inform DER -in answer.der -print_certs -text -noout > pkcs7.txt
test "$(grep -c 'Serial Number' pkcs7.txt)" = 1
"#,
    },
    Line {
        title: "dumpasn1 -a",
        needs: &["dumpasn1"],
        script: concat!(clean_der!(), "for file in cert.der answer.der; do clean $file; done"),
    },
    Line { title: "pkilint", needs: &["lint_pkix_cert"], script: r#""$LINT" lint -s WARNING cert.der"# },
    Line {
        title: "gnutls certtool",
        needs: &["certtool"],
        script: r#"
cat cert.pem ../authority/issuing.pem > path.pem
certtool --verify --verify-profile medium --load-ca-certificate "$ROOT" --infile path.pem
certtool --p7-info --inder --infile answer.der
"#,
    },
    Line {
        title: "botan cert_verify",
        needs: &["botan"],
        script: r#"
botan cert_verify cert.pem ../authority/issuing.pem "$ROOT" > botan.txt
grep 'passes validation' botan.txt || { cat botan.txt; exit 1; }
"#,
    },
];

/// Enrolls a device of each kind and asks the judges.
pub(super) fn all(gateway: &Gateway, work: &Path, report: &mut Report) -> Result<()> {
    for (name, key) in KEYS {
        let mut device = Device::new(gateway, work, name)?;
        device.request(key)?;
        if report.must(&format!("openssl and curl enroll: {name}"), || device.enroll("")) {
            for judge in &JUDGES {
                run(judge, &device, gateway.data_dir(), report);
            }
        }
    }
    Ok(())
}
