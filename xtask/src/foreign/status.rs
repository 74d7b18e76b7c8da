//! Relying parties: what openssl, gnutls, botan and pkilint hear and say of a good certificate, a revoked one, one on hold, one that was
//! released, one that was never issued, and one of another CA.

use std::path::Path;

use anyhow::Result;

use super::{Line, run};
use crate::{device::Device, gateway::Gateway, report::Report};

/// Makes the certificates: five of one device, of which `cert.pem` stays good.
const PREPARE: &str = r#"
for name in good revoked held released later; do
  curl --silent --show-error --fail-with-body --cacert "$ROOT" --netrc-file netrc --header 'Content-Type: application/pkcs10' \
    --data-binary @csr.b64 --output answer.b64 "$EST/simpleenroll"
  openssl base64 -d -A -in answer.b64 | openssl pkcs7 -inform DER -print_certs -out $name.pem
done
serial() { openssl x509 -in $1.pem -noout -serial | sed 's/.*=//'; }
cert() { "$CERTGATE" --data-dir "$DATA" --output json cert "$@" > /dev/null; }
cert revoke "$(serial revoked)" --reason keyCompromise --invalidity-date 2026-01-02T03:04:05Z
cert hold "$(serial held)"
cert hold "$(serial released)"
cert release "$(serial released)"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout foreign.key -out foreign.pem -subj /CN=Foreign 2> /dev/null
"#;

/// Shell: `HTTP` is the plain listener, `O` the responder, `C` the CRL; `issuing.pem` and `chain.pem` are the CA's.
macro_rules! prelude {
    () => {
        r#"
HTTP=http://$(tr -d ' \n' < "$DATA/run.json" | sed 's/.*"http":\["\([^"]*\)".*/\1/')
O=$HTTP/ocsp/default
C=$HTTP/crl/default.crl
cp "$DATA/ca/default.pem" issuing.pem
cp "$DATA/ca/default.chain.pem" chain.pem
ask() { openssl ocsp -issuer issuing.pem -CAfile "$ROOT" -url "$O" "$@" 2>&1; }
serial() { openssl x509 -in $1.pem -noout -serial | sed 's/.*=//'; }
# Until the list has the certificate.
listed() {
  for _ in $(seq 30); do
    curl --silent --fail "$C" --output list.der
    openssl crl -inform DER -in list.der -noout -text > list.txt
    if grep -q "$(serial "$1")" list.txt; then return; fi
    sleep 0.5
  done
  cat list.txt; exit 1
}
"#
    };
}

/// What is asked.
const LINES: [Line; 6] = [
    Line {
        title: "openssl ocsp: good, revoked, held, released, unknown, foreign; SHA-1, SHA-256, SHA-384, with a nonce and without",
        needs: &["openssl"],
        script: concat!(
            prelude!(),
            r#"
for digest in -sha1 -sha256 -sha384; do
  for nonce in -nonce -no_nonce; do
    ask $nonce $digest -cert good.pem $digest -cert revoked.pem $digest -cert held.pem $digest -cert released.pem $digest -serial 0x1234 > said.txt
    grep 'Response verify OK' said.txt
    grep 'good.pem: good' said.txt
    grep 'released.pem: good' said.txt
    grep '0x1234: unknown' said.txt
    grep -A 3 'revoked.pem: revoked' said.txt | grep 'Reason: keyCompromise'
    grep -A 3 'held.pem: revoked' said.txt | grep 'Reason: certificateHold'
  done
done
# A single one comes from what is kept, and says the same.
for name in good:good released:good revoked:revoked held:revoked; do
  ask -no_nonce -cert "${name%:*}.pem" | grep "${name%:*}.pem: ${name#*:}"
done
ask -issuer foreign.pem -cert foreign.pem | grep -i 'unauthorized'
# The issuing CA's own certificate is the root's business.
openssl ocsp -issuer "$ROOT" -CAfile "$ROOT" -url "$HTTP/ocsp/root" -cert issuing.pem 2>&1 | grep 'issuing.pem: good'
"#
        ),
    },
    Line {
        title: "openssl ocsp: requests in the path of a GET, signed requests",
        needs: &["openssl", "curl"],
        script: concat!(
            prelude!(),
            r#"
openssl ocsp -issuer issuing.pem -cert good.pem -no_nonce -reqout request.der
text=$(openssl base64 -A -in request.der)
escaped=$(printf %s "$text" | sed 's/+/%2B/g; s/\//%2F/g; s/=/%3D/g')
for path in "$text" "$escaped" "/$escaped" "$(printf %s "$text" | tr '+/' '-_' | tr -d =)"; do
  curl --silent --show-error --fail --path-as-is --dump-header head.txt --output response.der "$O/$path"
  openssl ocsp -respin response.der -issuer issuing.pem -CAfile "$ROOT" -cert good.pem -no_nonce 2>&1 | grep 'good.pem: good'
  grep -i '^content-type: application/ocsp-response' head.txt
done
tag=$(sed -n 's/^etag: *\(.*\)\r$/\1/ip' head.txt)
test "$(curl --silent --output again.der --write-out '%{http_code}' --header "If-None-Match: $tag" "$O/$escaped")" = 304
openssl ocsp -issuer issuing.pem -cert good.pem -signer good.pem -signkey key.pem -url "$O" -CAfile "$ROOT" 2>&1 | grep 'good.pem: good'
"#
        ),
    },
    Line {
        title: "gnutls ocsptool",
        needs: &["ocsptool", "openssl"],
        script: concat!(
            prelude!(),
            r#"
for name in good:good released:good revoked:revoked held:revoked; do
  ocsptool --ask="$O" --load-cert "${name%:*}.pem" --load-issuer issuing.pem --load-trust chain.pem --outfile asked.der > said.txt 2>&1 || true
  grep 'Verifying OCSP Response: Success' said.txt
  openssl x509 -in "${name%:*}.pem" -noout -serial
  ocsptool --response-info --load-response asked.der | grep -i "Certificate Status: ${name#*:}"
done
"#
        ),
    },
    Line {
        title: "openssl crl, openssl verify -crl_check, certtool --verify-crl, botan",
        needs: &["openssl", "certtool", "botan", "curl"],
        script: concat!(
            prelude!(),
            r#"
listed held
openssl crl -inform DER -in list.der -out list.pem
openssl crl -in list.pem -noout -CAfile issuing.pem 2>&1 | grep 'verify OK'
certtool --verify-crl --load-ca-certificate issuing.pem --infile list.pem
check() { openssl verify -x509_strict -CAfile "$ROOT" -untrusted issuing.pem -crl_check -CRLfile list.pem "$1.pem" 2>&1; }
check good | grep ': OK'
check released | grep ': OK'
for name in revoked held; do ! check $name > said.txt; grep 'certificate revoked' said.txt; done
# Of the whole chain, too: the root has a list of its own.
curl --silent --fail "$HTTP/crl/root.crl" | openssl crl -inform DER >> list.pem
openssl verify -CAfile "$ROOT" -untrusted issuing.pem -crl_check_all -CRLfile list.pem good.pem | grep ': OK'
sed -n '/Revoked Certificates/,$p' list.txt | grep -A 9 "$(serial revoked)" | grep -A 1 'Invalidity Date' | grep 'Jan  2 03:04:05 2026'
botan asn1print list.der > /dev/null
# It finds the responder in the certificate.
for name in good released; do botan ocsp_check $name.pem issuing.pem | grep OK; done
for name in revoked held; do botan ocsp_check $name.pem issuing.pem | grep "Certificate is revoked"; done
"#
        ),
    },
    Line {
        title: "pkilint: lint_ocsp_response, lint_crl",
        needs: &["lint_pkix_cert", "openssl", "curl"],
        script: concat!(
            prelude!(),
            r#"
folder=$(dirname "$LINT")
for name in good revoked held; do
  ask -no_nonce -cert $name.pem -respout $name.ocsp > said.txt
  "$folder/lint_ocsp_response" lint -s INFO $name.ocsp
done
ask -cert good.pem -cert revoked.pem -serial 0x1234 -respout several.ocsp > said.txt
"$folder/lint_ocsp_response" lint -s INFO several.ocsp
listed held
"$folder/lint_crl" lint -t CRL -p PKIX -s WARNING list.der
"#
        ),
    },
    Line {
        title: "a revocation is heard at once, and listed soon",
        needs: &["openssl", "curl"],
        script: concat!(
            prelude!(),
            r#"
ask -no_nonce -cert later.pem | grep 'later.pem: good'
"$CERTGATE" --data-dir "$DATA" --output json cert revoke "$(serial later)" --reason superseded > revoked.json
ask -no_nonce -cert later.pem > said.txt
grep -A 3 'later.pem: revoked' said.txt | grep 'Reason: superseded'
listed later
"$CERTGATE" --data-dir "$DATA" --output json crl show default > shown.json
"$CERTGATE" --data-dir "$DATA" --output json crl build default > built.json
number() { sed -n 's/.*"number": *\([0-9]*\).*/\1/p' "$1" | head -n 1; }
test "$(number built.json)" -gt "$(number shown.json)"
"#
        ),
    },
];

/// One device, and what others hear of its certificates.
pub(super) fn all(gateway: &Gateway, work: &Path, report: &mut Report) -> Result<()> {
    let mut device = Device::new(gateway, work, "status.example.com")?;
    device.request("ec -pkeyopt ec_paramgen_curve:P-256")?;
    let certgate = crate::cargo::release_binary("certgate")?;
    let more = [("DATA", gateway.data_dir().as_os_str()), ("CERTGATE", certgate.as_os_str())];
    if report.must("certificates to be asked about", || device.script(PREPARE, &more).map(drop)) {
        for line in &LINES {
            run(line, &device, gateway.data_dir(), report);
        }
    }
    Ok(())
}
