//! strongSwan's `pki`, an EST client with an HTTP and a TLS of its own.

use std::path::Path;

use anyhow::Result;

use super::{Line, run};
use crate::{device::Device, gateway::Gateway, report::Report};

/// A device's name and how its key is made.
const KEYS: [(&str, &str); 2] =
    [("swan-p256.example.com", "ec -pkeyopt ec_paramgen_curve:P-256"), ("swan-rsa2048.example.com", "rsa:2048")];

const LINES: [Line; 2] = [
    Line {
        title: "strongSwan pki --estca",
        needs: &["pki"],
        script: r#"
server=https://localhost${EST#https://127.0.0.1}
pki --estca --url "${server%%/.well-known*}" --cacert "$ROOT" --caout estca.pem --outform pem --force
ls estca*.pem
cat estca*.pem > swan-chain.pem
openssl verify -x509_strict -CAfile "$ROOT" -untrusted swan-chain.pem ../authority/issuing.pem
"#,
    },
    Line {
        title: "strongSwan pki --est",
        needs: &["pki"],
        script: r#"
server=https://localhost${EST#https://127.0.0.1}
pki --est --url "${server%%/.well-known*}" --in csr.der --cacert "$ROOT" --userpass "$NAME:$PASSWORD" --outform pem > cert.pem
openssl verify -x509_strict -CAfile "$ROOT" -untrusted ../authority/chain.pem cert.pem
openssl x509 -in cert.pem -noout -checkhost "$NAME" | grep 'does match'
"#,
    },
];

/// The certificates of the authority, then an enrollment with a password.
pub(super) fn all(gateway: &Gateway, work: &Path, report: &mut Report) -> Result<()> {
    for (name, key) in KEYS {
        let device = Device::new(gateway, work, name)?;
        device.request(key)?;
        for line in &LINES {
            run(line, &device, gateway.data_dir(), report);
        }
    }
    Ok(())
}
