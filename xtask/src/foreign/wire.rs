//! What curl and OpenSSL can do on the way: protocol versions, `Expect`, one connection for several requests.

use std::path::Path;

use anyhow::Result;

use super::{Line, run};
use crate::{device::Device, gateway::Gateway, report::Report};

/// What is tried, in the folder of a device that has a CSR.
const LINES: [Line; 9] = [
    Line {
        title: "curl waits for 100 Continue",
        needs: &["curl"],
        script: r#"
curl --silent --show-error --fail --verbose --http1.1 --cacert "$ROOT" --netrc-file netrc --header 'Expect: 100-continue' \
  --expect100-timeout 30 --header 'Content-Type: application/pkcs10' --data-binary @csr.b64 --output answer.b64 \
  "$EST/simpleenroll" 2> trace.txt || { cat trace.txt >&2; exit 1; }
grep '100 Continue' trace.txt || { cat trace.txt >&2; exit 1; }
"#,
    },
    Line {
        title: "curl sends two requests over one connection",
        needs: &["curl"],
        script: r#"
curl --silent --show-error --fail --cacert "$ROOT" --output one.b64 --write-out '%{num_connects} ' "$EST/cacerts" \
  --next --silent --show-error --fail --cacert "$ROOT" --netrc-file netrc --header 'Content-Type: application/pkcs10' \
  --data-binary @csr.b64 --output two.b64 --write-out '%{num_connects}' "$EST/simpleenroll" > connects.txt
test "$(cat connects.txt)" = '1 0' || { cat connects.txt >&2; exit 1; }
"#,
    },
    Line {
        title: "curl enrolls and renews over HTTP/2 and HTTP/1.1",
        needs: &["curl"],
        script: r#"
for version in http2 http1.1; do
  curl --$version --silent --show-error --fail --cacert "$ROOT" --netrc-file netrc --header 'Content-Type: application/pkcs10' \
    --data-binary @csr.b64 --output answer.b64 --write-out '%{http_version}\n' "$EST/simpleenroll" > enrolled.txt
  openssl base64 -d -A -in answer.b64 | openssl pkcs7 -inform DER -print_certs -out cert.pem
  curl --$version --silent --show-error --fail --cacert "$ROOT" --cert cert.pem --key key.pem --header 'Content-Type: application/pkcs10' \
    --data-binary @csr.b64 --output renewed.b64 --write-out '%{http_version}\n' "$EST/simplereenroll" > renewed.txt
  cmp enrolled.txt renewed.txt
  grep "^${version#http}" renewed.txt
done
"#,
    },
    Line {
        title: "openssl signs a CSR with RSASSA-PSS",
        needs: &["curl"],
        script: r#"
for salt in digest max; do
  openssl req -newkey rsa:2048 -nodes -keyout pss.pem -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:$salt -sha256 \
    -outform DER -out pss.der -subj "/CN=$NAME"
  openssl base64 -A -in pss.der -out pss.b64
  curl --silent --show-error --fail-with-body --cacert "$ROOT" --netrc-file netrc --header 'Content-Type: application/pkcs10' \
    --data-binary @pss.b64 --output pss.txt "$EST/simpleenroll" || { cat pss.txt >&2; exit 1; }
done
"#,
    },
    Line {
        title: "gnutls certtool makes a CSR",
        needs: &["certtool", "curl"],
        script: r#"
printf 'cn = "%s"\ndns_name = "%s"\n' "$NAME" "$NAME" > template.cfg
certtool --generate-privkey --key-type ecdsa --curve secp256r1 --outfile gnutls.pem
certtool --generate-request --load-privkey gnutls.pem --template template.cfg --outder --outfile gnutls.der
openssl base64 -A -in gnutls.der -out gnutls.b64
curl --silent --show-error --fail-with-body --cacert "$ROOT" --netrc-file netrc --header 'Content-Type: application/pkcs10' \
  --data-binary @gnutls.b64 --output gnutls.txt "$EST/simpleenroll" || { cat gnutls.txt >&2; exit 1; }
"#,
    },
    Line {
        title: "curl shows a stranger's certificate and still enrolls by password",
        needs: &["curl"],
        script: r#"
openssl req -x509 -newkey rsa:2048 -nodes -keyout stranger.key -out stranger.pem -subj /CN=stranger -days 1
curl --tls-max 1.2 --silent --show-error --fail --cacert "$ROOT" --cert stranger.pem --key stranger.key --netrc-file netrc \
  --header 'Content-Type: application/pkcs10' --data-binary @csr.b64 --output answer.b64 "$EST/simpleenroll"
"#,
    },
    Line {
        title: "curl is told who it is by name and by address",
        needs: &["curl"],
        script: r#"
for host in localhost 127.0.0.1; do
  path=${EST#https://127.0.0.1}
  curl --silent --show-error --fail --ipv4 --cacert "$ROOT" --output cacerts.b64 "https://$host$path/cacerts"
done
"#,
    },
    Line {
        title: "openssl s_client gets TLS 1.2 and 1.3",
        needs: &["openssl"],
        script: r#"
host=${EST#https://}
for version in tls1_2 tls1_3; do
  openssl s_client -$version -connect "${host%%/*}" -CAfile "$ROOT" -verify_return_error < /dev/null > $version.txt
done
"#,
    },
    Line {
        title: "openssl s_client gets no TLS 1.1",
        needs: &["openssl"],
        script: r#"
host=${EST#https://}
if openssl s_client -tls1_1 -cipher ALL:@SECLEVEL=0 -connect "${host%%/*}" < /dev/null > tls1_1.txt 2>&1; then exit 1; fi
grep 'alert handshake failure\|alert protocol version' tls1_1.txt || { cat tls1_1.txt; exit 1; }
"#,
    },
];

/// Each line for one RSA device, whose CSR is over 1 KiB: curl then asks by itself before it sends.
pub(super) fn all(gateway: &Gateway, work: &Path, report: &mut Report) -> Result<()> {
    let mut device = Device::new(gateway, work, "wire.example.com")?;
    device.request("rsa:3072")?;
    for line in &LINES {
        run(line, &device, gateway.data_dir(), report);
    }
    for versions in ["--tls-max 1.2", "--tlsv1.3"] {
        report.must(&format!("curl {versions} enrolls: {}", device.name()), || device.enroll(versions));
    }
    Ok(())
}
