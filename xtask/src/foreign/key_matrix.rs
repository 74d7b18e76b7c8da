//! Every kind of CA key, by either signer, with every kind of device key: enrolled by EST, and judged by openssl, gnutls, RustCrypto and
//! pkilint. The keys of the CAs are then written anew by openssl in every form that is read, and the same CAs go on with them.

use std::{ffi::OsStr, path::Path};

use anyhow::{Context, Result};

use super::{Line, run_with};
use crate::{cargo, device::Device, gateway::Gateway, process, report::Report};

/// A CA: its name, its kind of key and who signs. There is a root and an issuing CA of each.
const AUTHORITIES: [(&str, &str, &str); 11] = [
    ("p256", "p256", "aws-lc"),
    ("p384", "p384", "aws-lc"),
    ("p521", "p521", "aws-lc"),
    ("rsa2048", "rsa2048", "aws-lc"),
    ("rsa3072", "rsa3072", "aws-lc"),
    ("rsa4096", "rsa4096", "aws-lc"),
    ("ed25519", "ed25519", "aws-lc"),
    ("rust-p256", "p256", "rustcrypto"),
    ("rust-p384", "p384", "rustcrypto"),
    ("rust-rsa2048", "rsa2048", "rustcrypto"),
    ("rust-ed25519", "ed25519", "rustcrypto"),
];

/// A device's name, and how OpenSSL makes its key: once, for all CAs.
const DEVICES: [(&str, &str); 7] = [
    ("p256.matrix.example.com", "ec -pkeyopt ec_paramgen_curve:P-256"),
    ("p384.matrix.example.com", "ec -pkeyopt ec_paramgen_curve:P-384"),
    ("p521.matrix.example.com", "ec -pkeyopt ec_paramgen_curve:P-521"),
    ("rsa2048.matrix.example.com", "rsa:2048"),
    ("rsa3072.matrix.example.com", "rsa:3072"),
    ("rsa4096.matrix.example.com", "rsa:4096"),
    ("ed25519.matrix.example.com", "ed25519"),
];

/// In a device's folder: the certificate of the CA called `CA`.
const ENROLL: &str = r#"
curl --silent --show-error --fail-with-body --cacert "$ROOT" --netrc-file "$CA.netrc" --header 'Content-Type: application/pkcs10' \
  --data-binary @csr.b64 --output "$CA.b64" "$EST/$CA/simpleenroll" || { cat "$CA.b64" >&2; exit 1; }
openssl base64 -d -A -in "$CA.b64" | openssl pkcs7 -inform DER -print_certs -out "$CA.printed"
openssl x509 -in "$CA.printed" -out "$CA.pem"
openssl x509 -in "$CA.pem" -outform DER -out "$CA.der"
"#;

/// In a CA's folder: `root.pem` and `issuing.pem`, and that EST hands out the chain.
const CHAIN: &str = r#"
cp "$DATA/ca/root-$CA.pem" root.pem
cp "$DATA/ca/$CA.pem" issuing.pem
curl --silent --show-error --fail --cacert "$ROOT" "$EST/$CA/cacerts" | openssl base64 -d -A | openssl pkcs7 -inform DER -print_certs \
  -out cacerts.pem
openssl verify -x509_strict -CAfile root.pem -untrusted cacerts.pem root.pem issuing.pem
cat root.pem issuing.pem > pool.pem
for name in root issuing; do openssl x509 -in $name.pem -outform DER -out $name.der; done
"#;

/// What is asked about the certificates of one CA, in its folder.
const JUDGES: [Line; 6] = [
    Line {
        title: "openssl verify -x509_strict",
        needs: &["openssl"],
        script: r#"
for cert in ../*.matrix.example.com/"$CA".pem; do
  openssl verify -x509_strict -CAfile root.pem -untrusted issuing.pem "$cert"
  openssl pkey -in "${cert%/*}/key.pem" -pubout -out key.pub
  openssl x509 -in "$cert" -noout -pubkey | cmp - key.pub
done
"#,
    },
    Line {
        title: "gnutls certtool",
        needs: &["certtool"],
        script: r#"
for cert in ../*.matrix.example.com/"$CA".pem; do
  cat "$cert" issuing.pem > path.pem
  certtool --verify --verify-profile medium --load-ca-certificate root.pem --infile path.pem
done
"#,
    },
    Line {
        title: "RustCrypto",
        needs: &[],
        script: r#""$CONFORMANCE" verify --pool pool.pem ../*.matrix.example.com/"$CA".pem issuing.pem root.pem"#,
    },
    Line {
        title: "pkilint",
        needs: &["lint_pkix_cert"],
        script: r#"
for cert in ../*.matrix.example.com/"$CA".der issuing.der root.der; do "$LINT" lint -s WARNING "$cert"; done
"#,
    },
    Line {
        title: "openssl crl, openssl ocsp",
        needs: &["openssl"],
        script: r#"
for _ in $(seq 30); do curl --silent --fail "$HTTP/crl/$CA.crl" --output list.der && break; sleep 0.5; done
openssl crl -inform DER -in list.der -CAfile issuing.pem -noout 2>&1 | grep 'verify OK'
for cert in ../*.matrix.example.com/"$CA".pem; do
  openssl ocsp -issuer issuing.pem -cert "$cert" -url "$HTTP/ocsp/$CA" -CAfile root.pem -no_nonce > ocsp.txt 2>&1
  grep 'Response verify OK' ocsp.txt && grep ': good' ocsp.txt || { cat ocsp.txt; exit 1; }
done
"#,
    },
    Line {
        title: "openssl: what GetCACert of SCEP hands out",
        needs: &["openssl"],
        script: r#"
curl --silent --show-error --fail "$HTTP/scep/$CA?operation=GetCACert" --output ca.der
openssl pkcs7 -inform DER -in ca.der -print_certs -out ca.pem
openssl verify -x509_strict -CAfile root.pem -untrusted issuing.pem ca.pem
"#,
    },
];

/// Writes keys anew, in the forms that operators have. What certgate has encrypted, openssl opens.
const FORMS: &str = r#"
cd "$DATA/ca"
pass="-passin file:../../passphrase"
openssl ec -in p384.key -out new 2> /dev/null
grep -q 'BEGIN EC PRIVATE KEY' new && mv new p384.key
{ openssl ecparam -name secp521r1; openssl ec -in p521.key 2> /dev/null; } > new
grep -q 'BEGIN EC PARAMETERS' new && mv new p521.key
openssl rsa -traditional -in rsa2048.key -out new 2> /dev/null
grep -q 'BEGIN RSA PRIVATE KEY' new && mv new rsa2048.key
grep -q 'BEGIN ENCRYPTED PRIVATE KEY' rsa3072.key rust-p384.key ed25519.key
openssl pkey $pass -in rsa3072.key | openssl pkcs8 -topk8 -v2 aes-256-cbc -scrypt -passout file:../../passphrase -out new
mv new rsa3072.key
openssl pkey $pass -in rust-p384.key | openssl pkcs8 -topk8 -v2 aes-128-cbc -v2prf hmacWithSHA512 -passout file:../../passphrase -out new
mv new rust-p384.key
chmod 600 *.key
"#;

/// CAs whose keys have a passphrase.
const ENCRYPTED: [&str; 3] = ["rsa3072", "ed25519", "rust-p384"];

/// Everything, against a gateway of its own that is started twice.
pub(crate) fn all(report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let work = folder.path();
    let (config, data_dir) = (work.join("certgate.toml"), work.join("data"));
    let passphrase = work.join("passphrase");
    process::script(work, "umask 077; openssl rand -hex 16 > passphrase", &[])?;
    std::fs::write(&config, configuration(&passphrase)).context("write certgate.toml")?;
    let gateway = Gateway::start_configured(&data_dir, &[], Some(&config))?;
    let devices = make_devices(&gateway, work, report)?;
    for (name, ..) in AUTHORITIES {
        judge(name, &gateway, (work, &devices), report)?;
    }
    report.must("key matrix: SIGTERM ends the gateway", || gateway.stop());
    report.must("key matrix: keys of CAs, written anew by openssl, go on signing", || {
        process::script(work, FORMS, &[("DATA", data_dir.as_os_str())])?;
        let gateway = Gateway::start_configured(&data_dir, &[], Some(&config))?;
        let device = Device::new(&gateway, work, "again.matrix.example.org")?;
        let device = with_key(device)?;
        for (name, ..) in AUTHORITIES {
            enroll(&device, name, &gateway).with_context(|| format!("CA {name}"))?;
            let verify =
                r#"openssl verify -x509_strict -CAfile "../ca-$CA/root.pem" -untrusted "../ca-$CA/issuing.pem" "$CA.pem""#;
            device.script(verify, &[("CA", name.as_ref())]).with_context(|| format!("CA {name}"))?;
        }
        gateway.stop()
    });
    Ok(())
}

fn with_key(mut device: Device) -> Result<Device> {
    device.request("ec -pkeyopt ec_paramgen_curve:P-256")?;
    Ok(device)
}

/// Two authorities, a profile and an endpoint of EST and of SCEP for each.
fn configuration(passphrase: &Path) -> String {
    let one = |(name, key, signer): (&str, &str, &str)| {
        let secret = format!("passphrase = \"file:{}\"\n", passphrase.display());
        let secret = if ENCRYPTED.contains(&name) { secret.as_str() } else { "" };
        let key = format!("key = \"{key}\"\nsigner = \"{signer}\"\n{secret}");
        let endpoint =
            |protocol: &str| format!("[[endpoint]]\nprotocol = \"{protocol}\"\nname = \"{name}\"\nprofile = \"{name}\"\n");
        format!("[[authority]]\nname = \"root-{name}\"\nsubject = \"CN=Root {name}\"\n{key}")
            + &format!("[[authority]]\nname = \"{name}\"\nissuer = \"root-{name}\"\nsubject = \"CN=Issuing {name}\"\n")
            + &format!("validity = \"1825d\"\n{key}[[profile]]\nname = \"{name}\"\nauthority = \"{name}\"\n")
            + &endpoint("est")
            + &endpoint("scep")
    };
    let default = "[[endpoint]]\nprotocol = \"est\"\nname = \"default\"\nprofile = \"p256\"\n".to_owned();
    default + &AUTHORITIES.into_iter().map(one).collect::<String>()
}

/// Enrolls a device at the endpoint of one CA, where it has a credential of its own.
fn enroll(device: &Device, ca: &str, gateway: &Gateway) -> Result<()> {
    let (name, password) = (device.name(), gateway.add_user_at(device.name(), ca)?);
    let netrc = device.folder().join(format!("{ca}.netrc"));
    std::fs::write(netrc, format!("machine 127.0.0.1 login {name} password {password}\n")).context("write netrc")?;
    device.script(ENROLL, &[("CA", ca.as_ref())]).map(drop)
}

fn make_devices(gateway: &Gateway, work: &Path, report: &mut Report) -> Result<Vec<Device>> {
    let mut devices = Vec::new();
    for (name, key) in DEVICES {
        let mut device = Device::new(gateway, work, name)?;
        if report.must(&format!("key matrix: openssl makes a key: {name}"), || device.request(key)) {
            devices.push(device);
        }
    }
    Ok(devices)
}

/// Enrolls every device with one CA and asks the judges.
fn judge(ca: &str, gateway: &Gateway, (work, devices): (&Path, &[Device]), report: &mut Report) -> Result<()> {
    let folder = Device::new(gateway, work, &format!("ca-{ca}"))?;
    let (http, conformance) = (gateway.http_url()?, cargo::tool("certgate-conformance")?);
    let data = gateway.data_dir();
    let more: [(&str, &OsStr); 4] =
        [("CA", ca.as_ref()), ("HTTP", http.as_ref()), ("CONFORMANCE", conformance.as_ref()), ("DATA", data.as_ref())];
    report.must(&format!("key matrix: EST hands out the chain: {ca}"), || folder.script(CHAIN, &more).map(drop));
    for device in devices {
        let title = format!("key matrix: openssl and curl enroll with {ca}: {}", device.name());
        report.must(&title, || enroll(device, ca, gateway));
    }
    for judge in &JUDGES {
        run_with(judge, &folder, (data, &more), report);
    }
    Ok(())
}
