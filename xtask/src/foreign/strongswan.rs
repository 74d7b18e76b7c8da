//! strongSwan's `pki`, an EST client with an HTTP and a TLS of its own: enrolls by password, renews by certificate, waits for approval.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Line, run};
use crate::{device::Device, gateway::Gateway, report::Report};

/// A device's name and how its key is made.
const KEYS: [(&str, &str); 4] = [
    ("swan-p256.example.com", "ec -pkeyopt ec_paramgen_curve:P-256"),
    ("swan-p384.example.com", "ec -pkeyopt ec_paramgen_curve:P-384"),
    ("swan-rsa2048.example.com", "rsa:2048"),
    ("swan-rsa3072.example.com", "rsa:3072"),
];

/// One gateway is asked for certificates that policy alone grants…
const LINES: [Line; 5] = [
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
        title: "strongSwan pki --est by password",
        needs: &["pki"],
        script: r#"
server=https://localhost${EST#https://127.0.0.1}
pki --est --url "${server%%/.well-known*}" --in csr.der --cacert "$ROOT" --userpass "$NAME:$PASSWORD" --outform pem > cert.pem
openssl verify -x509_strict -CAfile "$ROOT" -untrusted ../authority/chain.pem cert.pem
openssl x509 -in cert.pem -noout -checkhost "$NAME" | grep 'does match'
"#,
    },
    Line {
        title: "strongSwan pki --est renews with the same key",
        needs: &["pki"],
        script: r#"
server=https://localhost${EST#https://127.0.0.1}
pki --est --url "${server%%/.well-known*}" --in csr.der --cacert "$ROOT" --cert cert.pem --key key.pem --outform pem > same.pem
openssl verify -x509_strict -CAfile "$ROOT" -untrusted ../authority/chain.pem same.pem
for what in subject pubkey "ext subjectAltName"; do
  [ "$(openssl x509 -in cert.pem -noout -$what)" = "$(openssl x509 -in same.pem -noout -$what)" ]
done
[ "$(openssl x509 -in cert.pem -noout -serial)" != "$(openssl x509 -in same.pem -noout -serial)" ]
"#,
    },
    Line {
        title: "strongSwan pki --est renews with a new key",
        needs: &["pki"],
        script: r#"
server=https://localhost${EST#https://127.0.0.1}
openssl req -newkey $KEY -nodes -keyout new.pem -outform DER -out new.der -subj "/CN=$NAME" -addext "subjectAltName=DNS:$NAME"
pki --est --url "${server%%/.well-known*}" --in new.der --cacert "$ROOT" --cert same.pem --key key.pem --outform pem > renewed.pem
openssl verify -x509_strict -CAfile "$ROOT" -untrusted ../authority/chain.pem renewed.pem
[ "$(openssl x509 -in renewed.pem -noout -pubkey)" = "$(openssl pkey -in new.pem -pubout)" ]
[ "$(openssl x509 -in same.pem -noout -subject)" = "$(openssl x509 -in renewed.pem -noout -subject)" ]
"#,
    },
    Line {
        title: "strongSwan pki --est with a revoked certificate is refused",
        needs: &["pki"],
        script: r#"
server=https://localhost${EST#https://127.0.0.1}
serial=$(openssl x509 -in same.pem -noout -serial | cut -d= -f2)
"$CERTGATE" --data-dir "$DATA" cert revoke "$serial" --reason superseded
! pki --est --url "${server%%/.well-known*}" --in csr.der --cacert "$ROOT" --cert same.pem --key key.pem --outform pem > refused.pem
! grep CERTIFICATE refused.pem
"#,
    },
];

/// …another for certificates that a person has to approve.
const APPROVAL: [Line; 2] = [
    Line {
        title: "strongSwan pki --est waits and is approved",
        needs: &["pki"],
        script: r#"
server=https://localhost${EST#https://127.0.0.1}
timeout 60 pki --est --url "${server%%/.well-known*}" --in csr.der --cacert "$ROOT" --userpass "$NAME:$PASSWORD" \
  --interval 1 --maxpolltime 40 --outform pem > cert.pem 2> pki.log &
request="csr:$(sha256sum csr.der | cut -d' ' -f1)"
until "$CERTGATE" --data-dir "$DATA" enrollment show "$request" > shown.txt 2>&1; do sleep 0.2; done
grep '^state *pending' shown.txt
"$CERTGATE" --data-dir "$DATA" enrollment approve "$request"
wait $! || { cat pki.log >&2; exit 1; }
openssl x509 -in cert.pem -noout -checkhost "$NAME" | grep 'does match'
"$CERTGATE" --data-dir "$DATA" --output json cert list --profile default > all.json
[ "$(grep -c "\"CN=$NAME\"" all.json)" = 1 ]
"#,
    },
    Line {
        title: "strongSwan pki --est waits and is denied",
        needs: &["pki"],
        script: r#"
server=https://localhost${EST#https://127.0.0.1}
openssl req -newkey $KEY -nodes -keyout other.pem -outform DER -out other.der -subj "/CN=$NAME"
timeout 60 pki --est --url "${server%%/.well-known*}" --in other.der --cacert "$ROOT" --userpass "$NAME:$PASSWORD" \
  --interval 1 --maxpolltime 40 --outform pem > denied.pem 2> pki.log &
request="csr:$(sha256sum other.der | cut -d' ' -f1)"
until "$CERTGATE" --data-dir "$DATA" enrollment show "$request" > shown.txt 2>&1; do sleep 0.2; done
"$CERTGATE" --data-dir "$DATA" enrollment deny "$request" --reason 'not one of ours'
! wait $!
grep 'HTTP 403' pki.log
! grep CERTIFICATE denied.pem
"#,
    },
];

/// The embedded configuration, but that a person approves, and that clients are told to come back soon.
const MANUAL: &str = "\
[[profile]]
name = \"default\"
authority = \"default\"
approval = \"manual\"

[[endpoint]]
protocol = \"est\"
name = \"default\"
profile = \"default\"
retry_after = \"1s\"
";

/// The certificates of the authority, then enrollments and renewals.
pub(super) fn all(gateway: &Gateway, work: &Path, report: &mut Report) -> Result<()> {
    for (name, key) in KEYS {
        let mut device = Device::new(gateway, work, name)?;
        device.request(key)?;
        for line in &LINES {
            run(line, &device, gateway.data_dir(), report);
        }
    }
    let folder = work.join("manual");
    std::fs::create_dir(&folder)?;
    let config = folder.join("certgate.toml");
    std::fs::write(&config, MANUAL).context("write certgate.toml")?;
    let gateway = Gateway::start_configured(&folder.join("data"), &[], Some(&config))?;
    for (name, key) in KEYS.into_iter().step_by(2) {
        let mut device = Device::new(&gateway, &folder, name)?;
        device.request(key)?;
        for line in &APPROVAL {
            run(line, &device, gateway.data_dir(), report);
        }
    }
    gateway.stop()
}
