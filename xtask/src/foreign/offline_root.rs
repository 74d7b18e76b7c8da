//! The root's key is taken away after setup, and everything goes on; the root's next CRL is signed elsewhere and brought; the key comes back.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::{
    cargo,
    device::Device,
    gateway::{Gateway, free_port},
    process,
    report::Report,
    tree,
};

/// What is refused leaves the key; then it goes. `$SAFE` is where the key is from then on.
const TAKE_AWAY: &str = r#"
umask 077
echo 'correct horse' > "$SAFE/words"
ca() { "$CERTGATE" --data-dir "$DATA" --config "$CONFIG" ca "$@"; }
refused() { if ca "$@" 2> refused.txt; then exit 1; fi; cat refused.txt; }
refused export-root "$SAFE/root.pem" --remove | grep 'by a passphrase, or is there in the clear'
refused export-root "$DATA/root.pem" --unencrypted --remove | grep 'is in the data directory'
refused export-root "$SAFE/root.pem" --unencrypted --authority default | grep 'default is issued by root'
refused restore-root "$SAFE/words" | grep 'no root has its key offline'
mv "$DATA/ca/plant.pem" plant.pem
refused export-root "$SAFE/root.pem" --passphrase "file:$SAFE/words" --remove | grep 'authority plant below it has no certificate yet'
mv plant.pem "$DATA/ca/plant.pem"
test ! -e "$SAFE/root.pem"
openssl pkey -in "$DATA/ca/root.key" -outform DER -out "$SAFE/root.der"
ca --output json export-root "$SAFE/root.pem" --passphrase "file:$SAFE/words" --remove > exported.json
grep '"removed": true' exported.json
test ! -e "$DATA/ca/root.key"
test "$(stat -c %a "$SAFE/root.pem")" = 600
refused export-root "$SAFE/again.pem" --unencrypted --authority root --remove | grep 'is offline since'
# It is the key, encrypted as OpenSSL reads it.
openssl pkey -in "$SAFE/root.pem" -passin "file:$SAFE/words" -pubout -out copy.pub
openssl x509 -in "$DATA/ca/root.pem" -noout -pubkey | cmp - copy.pub
"#;

/// Chain, CRLs and OCSP, as relying parties go by them; the CRL of the root lasts for the year.
const JUDGE: &str = r#"
curl -fsS "$HTTP/crl/root.crl" | openssl crl -inform DER -out root.crl.pem
curl -fsS "$HTTP/crl/default.crl" | openssl crl -inform DER -out default.crl.pem
cat root.crl.pem default.crl.pem > crls.pem
openssl verify -x509_strict -crl_check_all -CAfile "$DATA/ca/root.pem" -untrusted "$DATA/ca/default.pem" -CRLfile crls.pem cert.pem
openssl verify -x509_strict -crl_check -attime $(($(date +%s) + 31104000)) -CAfile "$DATA/ca/root.pem" -CRLfile root.crl.pem "$DATA/ca/default.pem"
next=$(openssl crl -in root.crl.pem -noout -nextupdate | cut -d= -f2)
test "$(date -d "$next" +%s)" -gt $(($(date +%s) + 31104000))
openssl ocsp -issuer "$DATA/ca/root.pem" -cert "$DATA/ca/default.pem" -url "$HTTP/ocsp/root" -CAfile "$DATA/ca/root.pem" | grep 'default.pem: good'
openssl ocsp -issuer "$DATA/ca/root.pem" -cert "$DATA/ca/plant.pem" -url "$HTTP/ocsp/root" -CAfile "$DATA/ca/root.pem" | grep 'plant.pem: good'
openssl x509 -in "$DATA/ocsp/root.pem" -noout -checkend 31104000
"$CERTGATE" --data-dir "$DATA" ca show root | grep '^backend *offline$'
if "$CERTGATE" --data-dir "$DATA" crl build root 2> refused.txt; then exit 1; fi
grep 'the key of root is offline since' refused.txt
"$CERTGATE" --data-dir "$DATA" crl build > built.txt
if grep '^root' built.txt; then exit 1; fi
"#;

/// An issuing CA is revoked: at once by OCSP, then by a CRL that is signed where the key is. `$SAFE` has no gateway and no data directory.
const REVOKE: &str = r#"
cli() { "$CERTGATE" --data-dir "$DATA" "$@"; }
refused() { if cli "$@" 2> refused.txt; then exit 1; fi; cat refused.txt; }
serial=$(openssl x509 -in "$DATA/ca/plant.pem" -noout -serial | cut -d= -f2 | tr A-F a-f)
cli cert revoke "$serial" --reason cACompromise > revoked.txt
grep "certgate crl sign --revoke $serial:cACompromise" revoked.txt
openssl ocsp -issuer "$DATA/ca/root.pem" -cert "$DATA/ca/plant.pem" -url "$HTTP/ocsp/root" -CAfile "$DATA/ca/root.pem" | grep 'plant.pem: revoked'
curl -fsS "$HTTP/crl/root.crl" -o "$SAFE/root.crl"
(cd "$SAFE"
sign() { "$CERTGATE" crl sign --key root.pem --passphrase file:words --previous root.crl "$@"; }
sign lacking.crl
sign --revoke "$serial:cACompromise" next.pem
if sign next.pem 2> refused.txt; then exit 1; fi
grep 'is there already' refused.txt
test ! -e certgate-data
openssl crl -in next.pem -CAfile "$DATA/ca/root.pem" -noout 2>&1 | grep 'verify OK')
refused crl import "$SAFE/lacking.crl" | grep "revoke them in it: $serial"
cli --output json crl import "$SAFE/next.pem" > imported.json
grep '"entries": 1' imported.json
refused crl import "$SAFE/root.crl" | grep 'was published before'
refused crl import default.crl.pem | grep 'the key of default is here'
number() { openssl crl "$@" -noout -crlnumber | cut -d= -f2; }
curl -fsS "$HTTP/crl/root.crl" | openssl crl -inform DER -out now.pem
test $(($(number -in now.pem))) -eq $(($(number -inform DER -in "$SAFE/root.crl") + 1))
openssl crl -in now.pem -noout -text | grep -i "Serial Number: $serial"
openssl verify -crl_check -CAfile "$DATA/ca/root.pem" -CRLfile now.pem "$DATA/ca/default.pem"
if openssl verify -crl_check -CAfile "$DATA/ca/root.pem" -CRLfile now.pem "$DATA/ca/plant.pem" 2> verdict.txt; then exit 1; fi
grep 'certificate revoked' verdict.txt
# And one that OpenSSL makes: its number goes on, its entries are those that there are.
cd "$SAFE"
printf '[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid:always\n' > ca.cnf
printf '%02X\n' $(($(number -in next.pem) + 5)) > number
printf 'R\t461231235959Z\t261101000000Z,CACompromise\t%s\tunknown\t/CN=plant\n' "$(echo "$serial" | tr a-f A-F)" > index.txt
openssl ca -config ca.cnf -gencrl -crldays 300 -keyfile root.pem -passin file:words -cert "$DATA/ca/root.pem" -out openssl.pem
cli crl import openssl.pem --authority root
curl -fsS "$HTTP/crl/root.crl" | openssl crl -inform DER -CAfile "$DATA/ca/root.pem" -noout 2>&1 | grep 'verify OK'
"#;

/// The key is back: lists are made again as before, with numbers that go on and everything that was revoked.
const BACK: &str = r#"
curl -fsS "$HTTP/crl/root.crl" | openssl crl -inform DER -out back.pem
"$CERTGATE" --data-dir "$DATA" ca show root | grep '^backend *local$'
"$CERTGATE" --data-dir "$DATA" crl build root
curl -fsS "$HTTP/crl/root.crl" | openssl crl -inform DER -out built.pem
next=$(openssl crl -in built.pem -noout -nextupdate | cut -d= -f2)
test "$(date -d "$next" +%s)" -lt $(($(date +%s) + 864000))
serial=$(openssl x509 -in "$DATA/ca/plant.pem" -noout -serial | cut -d= -f2)
openssl crl -in built.pem -noout -text | grep -i "Serial Number: $serial"
"#;

/// A second issuing CA beside the one that devices enroll at.
const CONFIG: &str = r#"
[[authority]]
name = "root"
subject = "CN=Offline Root"

[[authority]]
name = "default"
issuer = "root"
subject = "CN=Offline Issuing CA"
validity = "1825d"

[[authority]]
name = "plant"
issuer = "root"
subject = "CN=Offline Plant CA"
validity = "1825d"
"#;

/// Everything, in a folder of its own.
pub(super) fn all(work: &Path, report: &mut Report) -> Result<()> {
    let place = Place::prepare(&work.join("offline-root"))?;
    report.must("the key of the root is taken away", || {
        place.start()?.stop()?;
        place.run(TAKE_AWAY, "")?;
        place.has_no_root_key()
    });
    let mut gateway = None;
    report.must("without the root's key a device enrolls, and CRLs and OCSP are good for a year", || {
        let gateway = gateway.insert(place.start()?);
        let mut device = Device::new(gateway, &place.work, "without.root.example")?;
        device.request("ec -pkeyopt ec_paramgen_curve:P-256")?;
        device.enroll("")?;
        place.run_in(device.folder(), JUDGE, &gateway.http_url()?)
    });
    let Some(gateway) = gateway else { return Ok(()) };
    report.must("the root's next CRL is signed elsewhere, and brought", || {
        let device = place.work.join("without.root.example");
        place.run_in(&device, REVOKE, &gateway.http_url()?)?;
        place.has_no_root_key()
    });
    report.must("the root's key comes back", || {
        gateway.stop()?;
        let words = place.safe.join("words");
        let back = "\"$CERTGATE\" --data-dir \"$DATA\" --config \"$CONFIG\" ca restore-root \"$SAFE/root.pem\" --passphrase \"file:$SAFE/words\"";
        ensure!(words.exists(), "nobody knows the passphrase");
        place.run(back, "")?;
        let gateway = place.start()?;
        place.run(BACK, &gateway.http_url()?)?;
        gateway.stop()
    });
    Ok(())
}

/// The gateway, and the safe that the root's key goes into.
struct Place {
    work: PathBuf,
    safe: PathBuf,
    config: PathBuf,
    /// The same for every start: certificates have them.
    ports: [u16; 3],
}

impl Place {
    fn prepare(work: &Path) -> Result<Self> {
        let safe = work.join("safe");
        std::fs::create_dir_all(&safe)?;
        let config = work.join("certgate.toml");
        std::fs::write(&config, CONFIG)?;
        Ok(Self { work: work.to_owned(), safe, config, ports: [free_port()?, free_port()?, free_port()?] })
    }

    fn data_dir(&self) -> PathBuf {
        self.work.join("data")
    }

    fn start(&self) -> Result<Gateway> {
        Gateway::start_on(self.ports, &self.data_dir(), &[], Some(&self.config))
    }

    fn run(&self, script: &str, http: &str) -> Result<()> {
        self.run_in(&self.work, script, http)
    }

    fn run_in(&self, folder: &Path, script: &str, http: &str) -> Result<()> {
        let (certgate, data_dir) = (cargo::release_binary("certgate")?, self.data_dir());
        let environment: [(&str, &OsStr); 5] = [
            ("CERTGATE", certgate.as_os_str()),
            ("DATA", data_dir.as_os_str()),
            ("CONFIG", self.config.as_os_str()),
            ("SAFE", self.safe.as_os_str()),
            ("HTTP", http.as_ref()),
        ];
        process::script(folder, script, &environment).map(drop)
    }

    /// Neither in the clear, nor as its copy is encrypted, nor in any file of a private key.
    fn has_no_root_key(&self) -> Result<()> {
        let der = std::fs::read(self.safe.join("root.der"))?;
        // The private number of a P-256 key: 32 octets after the header of its OCTET STRING.
        let at = der.windows(2).position(|octets| octets == [0x04, 0x20]).context("no private number in the key")?;
        let secret = der.get(at + 2..at + 34).context("the key is short")?;
        let copy = tree::read(&self.safe.join("root.pem"))?;
        let line = copy.lines().nth(1).context("the copy is no PEM")?;
        let files = tree::files(&self.data_dir(), "")?;
        ensure!(files.len() > 10, "the data directory has {} files", files.len());
        // The socket is no file.
        for file in files.iter().filter(|file| file.is_file()) {
            let octets = std::fs::read(file)?;
            let has = |part: &[u8]| octets.windows(part.len()).any(|window| window == part);
            ensure!(!has(secret) && !has(line.as_bytes()), "{} has the root's key", file.display());
            let text = String::from_utf8_lossy(&octets);
            if text.contains("PRIVATE KEY") {
                let inner = self.work.join("inner.der");
                let read = process::attempt(
                    process::limited(20, "openssl").args(["pkey", "-outform", "DER", "-in"]).arg(file).arg("-out").arg(&inner),
                )?;
                ensure!(read.status.success(), "{} is a key that OpenSSL cannot read", file.display());
                let inner = std::fs::read(&inner)?;
                ensure!(!inner.windows(secret.len()).any(|window| window == secret), "{} is the root's key", file.display());
            }
        }
        Ok(())
    }
}
