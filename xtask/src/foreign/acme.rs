//! Clients of ACME, each with JSON, JOSE and TLS of its own, and what openssl and the linters make of the certificates.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use super::{Line, clean_der, run};
use crate::{
    cargo,
    device::Device,
    gateway::{Gateway, free_port, validating_here},
    report::Report,
};

/// Shell: `D` is the directory, `P` the port of http-01. Each client trusts the gateway in its own way.
macro_rules! prelude {
    () => {
        r#"
D=${EST%/.well-known/est}/acme/default/directory
P=$(cat ../port)
export SSL_CERT_FILE="$ROOT" LEGO_CA_CERTIFICATES="$ROOT" REQUESTS_CA_BUNDLE="$ROOT"
issued() {
  openssl x509 -in "$1" -out cert.pem
  openssl x509 -in cert.pem -outform DER -out cert.der
  cp "$1" chain.pem
}
"#
    };
}

/// A client enrolls, and leaves `chain.pem`, `cert.pem` and `cert.der`.
const CLIENTS: [Line; 3] = [
    Line {
        title: "acme-tiny",
        needs: &["acme-tiny", "python3"],
        script: concat!(
            prelude!(),
            r#"
mkdir -p www/.well-known/acme-challenge
python3 -m http.server "$P" --bind 127.0.0.1 --directory www > http.log 2>&1 & trap "kill $!" EXIT
openssl genrsa -out account.pem 2048 2> /dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out csr.pem -subj "/CN=$NAME" \
  -addext "subjectAltName=DNS:$NAME,DNS:www.$NAME"
for time in first again; do
  timeout 60 acme-tiny --account-key account.pem --csr csr.pem --acme-dir www/.well-known/acme-challenge --disable-check \
    --directory-url "$D" > $time.pem
done
issued first.pem
openssl x509 -in cert.pem -noout -checkhost "www.$NAME" | grep 'does match'
"#
        ),
    },
    Line {
        title: "lego, http-01",
        needs: &["lego"],
        script: concat!(
            prelude!(),
            r#"
lego() { timeout 60 lego --server "$D" --accept-tos --email "operator@$NAME" --path lego --http --http.port "127.0.0.1:$P" "$@"; }
lego --domains "$NAME" --domains "www.$NAME" run
lego --domains "$NAME" --domains "www.$NAME" renew --days 1000 --no-random-sleep
lego --domains "rsa.$NAME" --key-type rsa2048 run
openssl verify -x509_strict -CAfile "$ROOT" -untrusted "lego/certificates/rsa.$NAME.crt" "lego/certificates/rsa.$NAME.crt"
issued "lego/certificates/$NAME.crt"
openssl x509 -in cert.pem -noout -checkhost "www.$NAME" | grep 'does match'
"#
        ),
    },
    Line {
        title: "certbot, http-01",
        needs: &["certbot"],
        script: concat!(
            prelude!(),
            r#"
certbot() { timeout 100 certbot --config-dir c --work-dir w --logs-dir l --server "$D" -n "$@" || { tail -20 l/letsencrypt.log >&2; exit 1; }; }
certbot certonly --standalone --http-01-port "$P" --http-01-address 127.0.0.1 --agree-tos -m "operator@$NAME" -d "$NAME" -d "www.$NAME"
certbot renew --force-renewal --no-random-sleep-on-renew --cert-name "$NAME"
issued "c/live/$NAME/fullchain.pem"
openssl x509 -in cert.pem -noout -checkhost "www.$NAME" | grep 'does match'
"#
        ),
    },
];

/// What is asked about each certificate.
const JUDGES: [Line; 5] = [
    Line {
        title: "ACME: openssl verify -x509_strict",
        needs: &["openssl"],
        script: r#"
openssl verify -x509_strict -CAfile "$ROOT" -untrusted chain.pem cert.pem
openssl x509 -in cert.pem -noout -checkhost "$NAME" | grep 'does match'
"#,
    },
    Line { title: "ACME: dumpasn1 -a", needs: &["dumpasn1"], script: concat!(clean_der!(), "clean cert.der") },
    Line { title: "ACME: pkilint", needs: &["lint_pkix_cert"], script: r#""$LINT" lint -s WARNING cert.der"# },
    Line {
        title: "ACME: gnutls certtool",
        needs: &["certtool"],
        script: r#"
cat cert.pem ../authority/issuing.pem > path.pem
certtool --verify --verify-profile medium --load-ca-certificate "$ROOT" --infile path.pem
"#,
    },
    Line {
        title: "ACME: botan cert_verify",
        needs: &["botan"],
        script: r#"
botan cert_verify cert.pem ../authority/issuing.pem "$ROOT" > botan.txt
grep 'passes validation' botan.txt || { cat botan.txt; exit 1; }
"#,
    },
];

/// The clients' devices, one each.
const NAMES: [&str; 3] = ["tiny.acme.example.com", "lego.acme.example.com", "certbot.acme.example.com"];

/// A gateway that validates on a free port and asks a DNS server that knows every name as this machine.
pub(super) fn all(work: &Path, report: &mut Report) -> Result<()> {
    let folder = work.join("acme");
    std::fs::create_dir(&folder)?;
    let (port, dns) = (free_port()?, Dns::start()?);
    std::fs::write(folder.join("port"), port.to_string())?;
    let config = folder.join("certgate.toml");
    std::fs::write(&config, configuration(port, dns.port)).context("write certgate.toml")?;
    let gateway = Gateway::start_configured(&folder.join("data"), &[], Some(&config))?;
    super::authority::fetch(&gateway, &folder)?;
    for (name, client) in NAMES.iter().zip(&CLIENTS) {
        let device = Device::new(&gateway, &folder, name)?;
        run(client, &device, gateway.data_dir(), report);
        if device.folder().join("cert.der").exists() {
            for judge in &JUDGES {
                run(judge, &device, gateway.data_dir(), report);
            }
        }
    }
    gateway.stop()
}

/// What a gateway needs to validate against this machine.
fn configuration(http01_port: u16, dns_port: u16) -> String {
    let endpoint =
        |protocol: &str| format!("\n[[endpoint]]\nprotocol = \"{protocol}\"\nname = \"default\"\nprofile = \"default\"\n");
    let validation = validating_here(http01_port, dns_port);
    format!("{validation}\n[[profile]]\nname = \"default\"\nauthority = \"default\"\n{}{}", endpoint("est"), endpoint("acme"))
}

/// The conformance suite's DNS server as a process. Dropping it ends it.
struct Dns {
    child: Child,
    port: u16,
}

impl Dns {
    fn start() -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(cargo::tool("certgate-conformance")?);
        command.args(["dns", "--port", &port.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().context("start the DNS server")?;
        let stdout = child.stdout.take().context("no stdout")?;
        let dns = Self { child, port };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        ensure!(line.contains("answers DNS"), "the DNS server does not start");
        Ok(dns)
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
