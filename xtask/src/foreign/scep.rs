//! strongSwan's `pki`, a client of SCEP with CMS and HTTP of its own, and what openssl makes of the answers.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Line, clean_der, run};
use crate::{device::Device, gateway::Gateway, report::Report};

/// Shell: `U` is the endpoint; `challenge` prints a new one; `scep FILE ARGUMENT…` enrolls into a file; `relay` puts a relay in front of the
/// endpoint, as `VIA`, that keeps each answer as `answer-N.der`.
macro_rules! prelude {
    () => {
        r#"
U=http://$(tr -d ' \n' < "$DATA/run.json" | sed 's/.*"http":\["\([^"]*\)".*/\1/')/scep/default
challenge() { "$CERTGATE" --data-dir "$DATA" --output json scep challenge new "$@" | sed -n 's/.*"challenge": *"\([^"]*\)".*/\1/p'; }
scep() {
  out=$1; shift
  timeout 60 pki --scep "$@" --in key.pem --dn "C=DE, CN=$NAME" --san "$NAME" --cacert-enc ra-ra.pem --cacert-sig ra-ra.pem \
    --cacert ra.pem --cacert ra-1.pem --interval 1 --maxpolltime 40 --outform pem > "$out" 2> pki.log
}
relay() {
  cat > relay.py <<'PY'
import http.server, sys, urllib.request
class Relay(http.server.BaseHTTPRequestHandler):
    count = 0
    def relay(self, body):
        request = urllib.request.Request(sys.argv[1] + self.path[2:], data=body, headers={"Content-Type": "application/x-pki-message"})
        with urllib.request.urlopen(request) as answer:
            said, kind = answer.read(), answer.headers["Content-Type"]
        if kind == "application/x-pki-message":
            Relay.count += 1
            open(f"answer-{Relay.count}.der", "wb").write(said)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
    def do_GET(self): self.relay(None)
    def do_POST(self): self.relay(self.rfile.read(int(self.headers["Content-Length"])))
    def log_message(self, *rest): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Relay)
open("port", "w").write(str(server.server_port))
server.serve_forever()
PY
  python3 relay.py "$U" & trap "kill $!" EXIT
  until [ -s port ]; do sleep 0.1; done
  VIA=http://127.0.0.1:$(cat port)/x
}
"#
    };
}

/// One gateway is asked for certificates that policy alone grants…
const LINES: [Line; 4] = [
    Line {
        title: "strongSwan pki --scepca",
        needs: &["pki"],
        script: concat!(
            prelude!(),
            r#"
pki --scepca --url "$U" --caout ra.pem --outform pem --force
openssl verify -x509_strict -CAfile "$ROOT" -untrusted ra-1.pem ra-ra.pem
openssl x509 -in ra.pem -outform DER > served.der
openssl x509 -in "$ROOT" -outform DER | cmp - served.der
"#
        ),
    },
    Line {
        title: "strongSwan pki --scep by a challenge, once",
        needs: &["pki"],
        script: concat!(
            prelude!(),
            r#"
secret=$(challenge)
scep cert.pem --url "$U" --password "$secret"
openssl verify -x509_strict -CAfile "$ROOT" -untrusted ra-1.pem cert.pem
openssl x509 -in cert.pem -noout -checkhost "$NAME" | grep 'does match'
[ "$(openssl x509 -in cert.pem -noout -pubkey)" = "$(openssl pkey -in key.pem -pubout)" ]
# The same again is the same certificate, and no other.
scep again.pem --url "$U" --password "$secret"
cmp cert.pem again.pem
openssl genrsa -out other.pem 2048 2> /dev/null
mv key.pem mine.pem; mv other.pem key.pem
! scep other-cert.pem --url "$U" --password "$secret"
mv mine.pem key.pem
grep -i 'badRequest' pki.log
"#
        ),
    },
    Line {
        title: "strongSwan pki --scep with wrong challenges is refused",
        needs: &["pki"],
        script: concat!(
            prelude!(),
            r#"
for secret in 00000000000000000000000000000000 "$(challenge --subject CN=another)"; do
  ! scep refused.pem --url "$U" --password "$secret"
  grep -i 'badRequest' pki.log
  ! grep CERTIFICATE refused.pem
done
"#
        ),
    },
    Line {
        title: "openssl cms verifies, decrypts and reads CertReps",
        needs: &["pki", "python3", "dumpasn1"],
        script: concat!(
            clean_der!(),
            prelude!(),
            r#"
relay
openssl genrsa -out key.pem 2048 2> /dev/null
! scep refused.pem --url "$VIA" --password 00
scep cert.pem --url "$VIA" --password "$(challenge)"
cat "$ROOT" ra-1.pem > trusted.pem
openssl cms -verify -binary -in answer-1.der -inform DER -content /dev/null -CAfile trusted.pem -purpose any -out nothing
[ ! -s nothing ]
openssl cms -verify -binary -in answer-2.der -inform DER -CAfile trusted.pem -purpose any -out envelope.der
openssl cms -decrypt -binary -in envelope.der -inform DER -inkey key.pem -out certificates.der
openssl pkcs7 -inform DER -in certificates.der -print_certs | openssl x509 -out enclosed.pem
openssl x509 -in cert.pem -outform DER > cert.der
openssl x509 -in enclosed.pem -outform DER | cmp - cert.der
for message in answer-1.der answer-2.der envelope.der certificates.der; do clean $message; done
"#
        ),
    },
];

/// …another for certificates that a person has to approve.
const APPROVAL: [Line; 2] = [
    Line {
        title: "strongSwan pki --scep waits and is approved",
        needs: &["pki"],
        script: concat!(
            prelude!(),
            r#"
pki --scepca --url "$U" --caout ra.pem --outform pem --force
scep cert.pem --url "$U" --password "$(challenge)" &
until "$CERTGATE" --data-dir "$DATA" --output json enrollment list --state pending | grep "CN=$NAME" > shown.txt; do sleep 0.2; done
id=$("$CERTGATE" --data-dir "$DATA" --output json enrollment list --state pending | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' | head -1)
"$CERTGATE" --data-dir "$DATA" enrollment approve "$id"
wait $! || { cat pki.log >&2; exit 1; }
openssl x509 -in cert.pem -noout -checkhost "$NAME" | grep 'does match'
serial=$(openssl x509 -in cert.pem -noout -serial | cut -d= -f2)
"$CERTGATE" --data-dir "$DATA" cert show "$serial" | grep -E '^protocol *scep'
"#
        ),
    },
    Line {
        title: "strongSwan pki --scep waits and is denied",
        needs: &["pki"],
        script: concat!(
            prelude!(),
            r#"
openssl genrsa -out key.pem 2048 2> /dev/null
scep denied.pem --url "$U" --password "$(challenge)" &
until "$CERTGATE" --data-dir "$DATA" --output json enrollment list --state pending | grep "CN=$NAME" > shown.txt; do sleep 0.2; done
id=$("$CERTGATE" --data-dir "$DATA" --output json enrollment list --state pending | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' | head -1)
"$CERTGATE" --data-dir "$DATA" enrollment deny "$id" --reason 'not one of ours'
! wait $!
! grep CERTIFICATE denied.pem
"#
        ),
    },
];

/// What a device has before the gateway is killed…
const BEFORE: Line = Line {
    title: "strongSwan pki --scep enrolls before kill -9",
    needs: &["pki"],
    script: concat!(
        prelude!(),
        r#"
pki --scepca --url "$U" --caout ra.pem --outform pem --force
challenge > secret
scep cert.pem --url "$U" --password "$(cat secret)"
"#
    ),
};

/// …and what it gets when it asks again.
const AFTER: Line = Line {
    title: "strongSwan pki --scep asks again after kill -9",
    needs: &["pki"],
    script: concat!(
        prelude!(),
        r#"
scep again.pem --url "$U" --password "$(cat secret)"
cmp cert.pem again.pem
"$CERTGATE" --data-dir "$DATA" --output json cert list --profile default > all.json
[ "$(grep -c "CN=$NAME" all.json)" = 1 ]
"#
    ),
};

/// The embedded configuration, but that a person approves.
const MANUAL: &str = "\
[[profile]]
name = \"default\"
authority = \"default\"
approval = \"manual\"
";

/// The RA, then enrollments.
pub(super) fn all(gateway: &Gateway, work: &Path, report: &mut Report) -> Result<()> {
    let mut device = Device::new(gateway, work, "swan-scep.example.com")?;
    device.request("rsa:2048")?;
    for line in &LINES {
        run(line, &device, gateway.data_dir(), report);
    }
    let data = work.join("killed-scep");
    let gateway = Gateway::start(&data, &[])?;
    let mut device = Device::new(&gateway, work, "swan-again.example.com")?;
    device.request("rsa:2048")?;
    run(&BEFORE, &device, &data, report);
    gateway.kill()?;
    let gateway = Gateway::start(&data, &[])?;
    run(&AFTER, &device, &data, report);
    gateway.stop()?;
    let folder = work.join("manual-scep");
    std::fs::create_dir(&folder)?;
    let config = folder.join("certgate.toml");
    std::fs::write(&config, MANUAL).context("write certgate.toml")?;
    let gateway = Gateway::start_configured(&folder.join("data"), &[], Some(&config))?;
    let mut device = Device::new(&gateway, &folder, "swan-waits.example.com")?;
    device.request("rsa:2048")?;
    for line in &APPROVAL {
        run(line, &device, gateway.data_dir(), report);
    }
    gateway.stop()
}
