//! A root in a directory of its own, which OpenSSL makes and uses, signs the issuing CA of a gateway that never sees the root's key.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::{
    cargo,
    device::Device,
    gateway::{Gateway, free_port},
    install::pkilint,
    process,
    report::Report,
    tree,
};

/// The root and what it signs with. `$1` of `sign` is the request, `$2` for how many days.
const ROOT: &str = r#"
umask 077
openssl req -x509 -newkey rsa:3072 -nodes -keyout root.key -out root.pem -days 3650 -subj "/O=Example/CN=Example Root" \
  -addext "keyUsage=critical,keyCertSign,cRLSign" 2> /dev/null
"#;

/// The request is a CA's, and signed by its key; the root makes it one.
const SIGN: &str = r#"
"$CERTGATE" --data-dir "$DATA" --config "$CONFIG" ca csr default > default.csr
openssl req -in default.csr -noout -verify -text > csr.txt 2>&1
grep -q 'self-signature verify OK' csr.txt
grep -q 'CA:TRUE, pathlen:0' csr.txt
grep -q 'Certificate Sign, CRL Sign' csr.txt
cp default.csr "$OUTSIDE/"
cd "$OUTSIDE"
openssl x509 -req -in default.csr -CA root.pem -CAkey root.key -days "$DAYS" -copy_extensions copyall -out default.pem 2> /dev/null
"#;

/// What is refused leaves everything as it was; what is whole is taken, in whatever order.
const IMPORT: &str = r#"
refused() { if "$CERTGATE" --data-dir "$DATA" --config "$CONFIG" ca import default "$@" 2> refused.txt; then exit 1; fi; cat refused.txt; }
refused "$OUTSIDE/root.pem" | grep "none of these certificates is for the authority's key"
refused "$OUTSIDE/default.pem" | grep 'the chain is not whole: CN=Example Issuing CA,O=Example is signed by CN=Example Root,O=Example'
refused "$CONFIG" | grep 'no complete PEM block'
openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 10 -subj "/O=Example/CN=Example Root" 2> /dev/null
refused "$OUTSIDE/default.pem" other.pem | grep 'is not signed by the next one'
"$CERTGATE" --data-dir "$DATA" --config "$CONFIG" --output json ca import default other.pem "$OUTSIDE/root.pem" "$OUTSIDE/default.pem" > imported.json
"#;

/// A CA that exists already, with a key in the form that OpenSSL has written since ever, encrypted for the way.
const TAKE_OVER: &str = r#"
openssl ecparam -name secp384r1 -genkey -noout -out "$OUTSIDE/issuing.key"
openssl req -new -key "$OUTSIDE/issuing.key" -subj "/O=Example/CN=Example Issuing CA" -out issuing.csr \
  -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign"
cd "$OUTSIDE"
openssl x509 -req -in ../issuing.csr -CA root.pem -CAkey root.key -days "$DAYS" -copy_extensions copyall -out default.pem 2> /dev/null
import() { "$CERTGATE" --data-dir "$DATA" --config "$CONFIG" ca import default "$@"; }
if import default.pem root.pem 2> refused.txt; then exit 1; fi
grep 'has no key yet' refused.txt
openssl ecparam -name secp384r1 -genkey -noout -out other.key
if import --key other.key default.pem root.pem 2> refused.txt; then exit 1; fi
grep "none of these certificates is for the authority's key" refused.txt
test ! -e "$DATA/ca/default.key"
import --key issuing.key default.pem root.pem
test "$(stat -c %a "$DATA/ca/default.key")" = 600
import --key issuing.key default.pem root.pem
if import --key other.key default.pem root.pem 2> refused.txt; then exit 1; fi
grep 'is another key than that in' refused.txt
"#;

/// Everything that the device was given, verified from the outside root alone.
const JUDGE: &str = r#"
openssl verify -x509_strict -CAfile "$OUTSIDE/root.pem" -untrusted "$DATA/ca/default.pem" cert.pem
cat cert.pem "$DATA/ca/default.pem" > chain.pem
certtool --verify --load-ca-certificate "$OUTSIDE/root.pem" --infile chain.pem | grep 'Verified.'
curl -fsS "$HTTP/crl/default.crl" | openssl crl -inform DER -out crl.pem
openssl verify -x509_strict -crl_check -CAfile "$OUTSIDE/root.pem" -untrusted "$DATA/ca/default.pem" -CRLfile crl.pem cert.pem
openssl ocsp -issuer "$DATA/ca/default.pem" -cert cert.pem -url "$HTTP/ocsp/default" -CAfile "$OUTSIDE/root.pem" | grep 'cert.pem: good'
curl -fsS --cacert "$OUTSIDE/root.pem" "$EST/cacerts" | openssl base64 -d -A | openssl pkcs7 -inform DER -print_certs -noout | grep -c subject | grep -x 2
"$CERTGATE" --data-dir "$DATA" ca export default > exported.pem
openssl storeutl -noout -certs exported.pem | grep 'Total found: 2'
openssl x509 -in exported.pem -out own.pem
cmp own.pem "$DATA/ca/default.pem"
openssl x509 -in cert.pem -out plain.pem
if test -x "$LINT"; then "$LINT" lint -s WARNING plain.pem; fi
"#;

/// Everything, in a folder of its own.
pub(super) fn all(work: &Path, report: &mut Report) -> Result<()> {
    let ceremony = Ceremony::prepare(&work.join("ceremony"))?;
    let mut gateway = None;
    report.must("a root elsewhere signs the issuing CA", || {
        ceremony.refuses_to_start("it is signed outside of this gateway, and has no key yet")?;
        ceremony.run(SIGN, "1000")?;
        ceremony.refuses_to_start("it waits for its certificate")?;
        ceremony.run(IMPORT, "")?;
        gateway = Some(ceremony.start()?);
        Ok(())
    });
    let Some(gateway) = gateway else { return Ok(()) };
    let mut device = None;
    report.must("a device below it verifies from that root alone", || {
        let device = device.insert(Device::new(&gateway, &ceremony.work, "below.outside.example")?);
        device.request("ec -pkeyopt ec_paramgen_curve:P-256")?;
        device.enroll("")?;
        ceremony.judge(&gateway, device)
    });
    report.must("the gateway never has the root's key", || ceremony.has_no_root_key());
    report.must("the root signs it again before it ends", || {
        let device = device.as_ref().context("no device was enrolled")?;
        gateway.stop()?;
        let kept = tree::read(&ceremony.data_dir().join("ca/default.chain.pem"))?;
        ceremony.run(SIGN, "2000")?;
        ceremony.run(IMPORT, "")?;
        let chain = ceremony.data_dir().join("ca/default.chain.pem");
        let renewed = tree::read(&chain)?;
        ensure!(renewed != kept, "it has the certificate that it had");
        std::fs::write(&chain, kept)?;
        ceremony.refuses_to_start("is not what was imported last")?;
        std::fs::write(&chain, renewed)?;
        let gateway = ceremony.start()?;
        ceremony.judge(&gateway, device)?;
        device.enroll("")?;
        ceremony.judge(&gateway, device)?;
        gateway.stop()
    });
    let existing = Ceremony::prepare(&work.join("existing"))?;
    report.must("a CA that exists already is taken over with its key", || {
        existing.run(TAKE_OVER, "1000")?;
        let gateway = existing.start()?;
        let mut device = Device::new(&gateway, &existing.work, "taken.over.example")?;
        device.request("ec -pkeyopt ec_paramgen_curve:P-256")?;
        device.enroll("")?;
        existing.judge(&gateway, &device)?;
        gateway.stop()
    });
    Ok(())
}

/// The two places, and the operator who goes from one to the other.
struct Ceremony {
    work: PathBuf,
    outside: PathBuf,
    config: PathBuf,
    /// The same for every start: devices and certificates have them.
    ports: [u16; 3],
}

impl Ceremony {
    fn prepare(work: &Path) -> Result<Self> {
        let outside = work.join("outside");
        std::fs::create_dir_all(&outside)?;
        process::script(&outside, ROOT, &[])?;
        let config = tree::root().join("docs/samples/outside-root.toml");
        Ok(Self { work: work.to_owned(), outside, config, ports: [free_port()?, free_port()?, free_port()?] })
    }

    fn data_dir(&self) -> PathBuf {
        self.work.join("data")
    }

    fn start(&self) -> Result<Gateway> {
        Gateway::start_on(self.ports, &self.data_dir(), &[], Some(&self.config))
    }

    /// It ends at once, and says this.
    fn refuses_to_start(&self, why: &str) -> Result<()> {
        let mut command = process::limited(60, cargo::release_binary("certgate")?);
        command.arg("--data-dir").arg(self.data_dir()).arg("--config").arg(&self.config);
        let output = process::attempt(command.args([
            "serve",
            "--https",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
            "--ops",
            "127.0.0.1:0",
        ]))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success() && said.contains(why), "it said {said:?}, not {why:?}");
        Ok(())
    }

    fn run(&self, script: &str, days: &str) -> Result<()> {
        let (certgate, data_dir) = (cargo::release_binary("certgate")?, self.data_dir());
        let environment = [
            ("CERTGATE", certgate.as_os_str()),
            ("DATA", data_dir.as_os_str()),
            ("CONFIG", self.config.as_os_str()),
            ("OUTSIDE", self.outside.as_os_str()),
            ("DAYS", days.as_ref()),
        ];
        process::script(&self.work, script, &environment).map(drop)
    }

    fn judge(&self, gateway: &Gateway, device: &Device) -> Result<()> {
        let (certgate, linter, http) = (cargo::release_binary("certgate")?, pkilint()?, gateway.http_url()?);
        let (data_dir, est) = (self.data_dir(), gateway.est_url()?);
        let environment = [
            ("CERTGATE", certgate.as_os_str()),
            ("DATA", data_dir.as_os_str()),
            ("OUTSIDE", self.outside.as_os_str()),
            ("LINT", linter.as_os_str()),
            ("HTTP", http.as_ref()),
            ("EST", est.as_ref()),
        ];
        process::script(device.folder(), JUDGE, &environment).map(drop)
    }

    /// Neither as PEM nor as the octets of its private exponent.
    fn has_no_root_key(&self) -> Result<()> {
        let key = tree::read(&self.outside.join("root.key"))?;
        let line = key.lines().nth(1).context("the root's key is no PEM")?;
        let script = "openssl pkey -in root.key -traditional -outform DER -out root.der";
        process::script(&self.outside, script, &[])?;
        let der = std::fs::read(self.outside.join("root.der"))?;
        let secret = der.rchunks(64).nth(1).context("the root's key is short")?;
        let files = tree::files(&self.data_dir(), "")?;
        ensure!(files.len() > 5, "the data directory has {} files", files.len());
        // The socket is no file.
        for file in files.iter().filter(|file| file.is_file()) {
            let octets = std::fs::read(file)?;
            let has = |part: &[u8]| octets.windows(part.len()).any(|window| window == part);
            ensure!(!has(line.as_bytes()) && !has(secret), "{} has the root's key", file.display());
        }
        Ok(())
    }
}
