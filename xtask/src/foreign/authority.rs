//! The authority's own certificates: root, issuing CA and TLS server, and the CMS that hands them out.

use std::path::Path;

use anyhow::Result;

use super::{Line, clean_der, run};
use crate::{device::Device, gateway::Gateway, report::Report};

/// Over the wire where it can be had so: what a client sees is what is judged.
const FETCH: &str = r#"
cp "$ROOT" root.pem
cp "$DATA/ca/default.pem" issuing.pem
curl --silent --show-error --fail --cacert root.pem --output cacerts.b64 "$EST/cacerts"
openssl base64 -d -A -in cacerts.b64 -out cacerts.der
openssl pkcs7 -inform DER -in cacerts.der -print_certs -out chain.pem
host=${EST#https://}
openssl s_client -connect "${host%%/*}" -CAfile root.pem -verify_return_error < /dev/null > tls.txt
openssl x509 -in tls.txt -out tls.pem
for name in root issuing tls; do openssl x509 -in $name.pem -outform DER -out $name.der; done
"#;

/// What is asked about them, in the folder where they are.
const JUDGES: [Line; 7] = [
    Line {
        title: "openssl verify -x509_strict",
        needs: &["openssl"],
        script: r"
openssl verify -x509_strict -CAfile root.pem -untrusted chain.pem root.pem issuing.pem
for name in '-verify_hostname localhost' '-verify_ip 127.0.0.1' '-verify_ip ::1'; do
  openssl verify -x509_strict -purpose sslserver $name -CAfile root.pem -untrusted tls.txt -untrusted chain.pem tls.pem
done
",
    },
    Line {
        title: "openssl cms, openssl pkcs7",
        needs: &["openssl"],
        script: r"
openssl cms -cmsout -print -noout -inform DER -in cacerts.der > cms.txt
openssl pkcs7 -inform DER -in cacerts.der -print_certs -text -noout > pkcs7.txt
",
    },
    Line {
        title: "dumpasn1 -a",
        needs: &["dumpasn1"],
        script: concat!(clean_der!(), "for file in root.der issuing.der tls.der cacerts.der; do clean $file; done"),
    },
    Line {
        title: "pkilint",
        needs: &["lint_pkix_cert"],
        script: r#"for name in root issuing; do "$LINT" lint -s WARNING $name.der; done"#,
    },
    // The linter wants names of two labels; `localhost` has one, and is a name that must be there.
    Line {
        title: "pkilint, TLS server",
        needs: &["lint_pkix_cert"],
        script: r#"
"$LINT" lint -s WARNING tls.der > findings.txt 2> problems.txt || true
cat problems.txt >&2
test ! -s problems.txt
if grep -E '\((WARNING|ERROR|FATAL)\)' findings.txt | grep -v 'Invalid domain name syntax: "[^".]*"'; then exit 1; fi
"#,
    },
    Line {
        title: "gnutls certtool",
        needs: &["certtool"],
        script: r"
certtool --verify --load-ca-certificate root.pem --infile issuing.pem
certtool --p7-info --inder --infile cacerts.der
",
    },
    Line {
        title: "private keys are the owner's alone",
        needs: &[],
        script: r#"
test "$(stat -c %a "$DATA")" = 700
loose=$(find "$DATA" \( -name '*.key' -o -name '*.netrc' \) ! -perm 600)
test -z "$loose" || { echo "$loose"; exit 1; }
"#,
    },
];

/// Leaves `authority/{root,issuing,tls}.pem` and `chain.pem` below `work`, for other judges too.
pub(super) fn all(gateway: &Gateway, work: &Path, report: &mut Report) -> Result<()> {
    let device = fetch(gateway, work)?;
    for judge in &JUDGES {
        run(judge, &device, gateway.data_dir(), report);
    }
    Ok(())
}

/// Only leaves them there.
pub(super) fn fetch(gateway: &Gateway, work: &Path) -> Result<Device> {
    let device = Device::new(gateway, work, "authority")?;
    device.script(FETCH, &[("DATA", gateway.data_dir().as_os_str())])?;
    Ok(device)
}
