//! A CA that OpenSSL has kept for years is taken over with what it has done: its certificates, and its last CRL.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{
    cargo,
    gateway::{Gateway, free_port},
    process,
    report::Report,
};

/// What is declared of it: it has issued what nobody has kept.
const CONFIG: &str = "\
[[authority]]
name = \"default\"
external = true
subject = \"CN=Example Device CA,O=Example\"
ocsp = { unissued = \"good\" }
";

/// The CA as `openssl ca` keeps it. Its CRLs have come to number 4096. The file of one certificate that is revoked is lost, and that of
/// one that is good was never found.
const OLD_CA: &str = r#"
umask 077
mkdir newcerts lost
: > index.txt
echo 1000 > crlnumber
echo 0A > serial
cat > ca.cnf <<'END'
[ca]
default_ca = old
[old]
database = index.txt
new_certs_dir = newcerts
certificate = ca.pem
private_key = ca.key
serial = serial
crlnumber = crlnumber
default_md = sha256
default_days = 30
default_crl_days = 30
policy = names
x509_extensions = device
copy_extensions = copy
crl_extensions = crl
[names]
commonName = supplied
[device]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[crl]
authorityKeyIdentifier = keyid
[delta]
authorityKeyIdentifier = keyid
2.5.29.27 = critical,DER:02:02:0f:00
END
root() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -out $1.pem -days 3650 \
  -subj "/O=Example/CN=Example Device CA" -addext "keyUsage=critical,keyCertSign,cRLSign" 2> /dev/null; }
root ca
old() { openssl ca -batch -config ca.cnf "$@" 2> openssl.txt || { cat openssl.txt; exit 1; }; }
for name in good revoked held lost forgotten; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -outform DER -out $name.der \
    -subj "/CN=$name.old.example" -addext "subjectAltName=DNS:$name.old.example" 2> /dev/null
  old -in $name.der -inform DER -out $name.pem
done
old -revoke revoked.pem -crl_compromise 20260102030405Z
old -revoke held.pem -crl_reason certificateHold
old -revoke lost.pem -crl_reason superseded
old -gencrl -out crl.pem
openssl crl -in crl.pem -noout -crlnumber | grep -i 'crlNumber=\(0x\)\?1000$'
mv newcerts/0D.pem newcerts/0E.pem lost/
# What is not its own, and CRLs that are not its last one.
root other
openssl x509 -req -in good.der -inform DER -CA other.pem -CAkey other.key -days 30 -copy_extensions copyall -out foreign.pem 2> /dev/null
old -gencrl -cert other.pem -keyfile other.key -out forged.pem
old -gencrl -crlexts delta -out delta.pem
echo 0FFF > crlnumber
old -revoke forgotten.pem
old -gencrl -out older.pem
"#;

/// What is refused has changed nothing; what is whole is taken, and can be given again.
const IMPORT: &str = r#"
import() { "$CERTGATE" --data-dir "$DATA" --config "$CONFIG" --output json ca import default "$@"; }
refused() { if import "$@" > said.json 2> refused.json; then cat said.json; exit 1; fi; cat refused.json; }
taken() { for one in "$@"; do grep -x " *\"${one%:*}\": ${one#*:},\?" taken.json || { cat taken.json; exit 1; }; done; }
refused --issued newcerts | grep 'has no key yet'
whole="--key ca.key ca.pem --issued newcerts --crl crl.pem --profile default"
refused $whole --issued foreign.pem | grep "foreign.pem: certificate [0-9a-f]* is not signed by this authority's key"
refused $whole --issued ca.cnf | grep 'ca.cnf: there is no certificate in it'
refused $whole --crl forged.pem | grep "forged.pem: it is not signed by this authority's key"
refused $whole --crl delta.pem | grep 'delta.pem: it is a delta'
refused --key ca.key ca.pem --issued newcerts --profile none | grep 'has no profile none: it has default'
test ! -e "$DATA/ca/default.key"
import $whole --issued ca.pem > taken.json
taken certificates:3 known_before:0 revoked:2 held:1 already_so:0 only_in_crl:1 crl_number:4096
openssl crl -in crl.pem -outform DER -out crl.der
openssl x509 -in good.pem -outform DER -out good.cer
import --issued newcerts/0B.pem --issued good.cer --crl crl.der > taken.json
taken certificates:0 known_before:2 revoked:0 held:0 already_so:3 only_in_crl:1 crl_number:4096
refused --crl older.pem | grep 'it is older than the one that was imported last: its number is 4095, that of the other 4096'
"#;

/// Relying parties are told what the CA has said, and what was declared of the rest. `LOST` is how it ends for the one whose file was lost.
const JUDGE: &str = r#"
ask() { openssl ocsp -issuer ca.pem -CAfile ca.pem -url "$HTTP/ocsp/default" -cert $1.pem > said.txt 2>&1; grep "$1.pem: $2" said.txt; }
ask good good
ask forgotten good
for one in revoked:keyCompromise held:certificateHold lost:superseded; do
  ask ${one%:*} revoked
  grep "Reason: ${one#*:}" said.txt
done
curl -fsS "$HTTP/crl/default.crl" -o list.der
openssl crl -inform DER -in list.der -CAfile ca.pem -noout 2>&1 | grep 'verify OK'
number=$(openssl crl -inform DER -in list.der -noout -crlnumber | sed 's/.*=\(0x\)\?//')
test $((0x$number)) -gt 4096
openssl crl -inform DER -in list.der -noout -text > list.txt
grep -c 'Serial Number:' list.txt | grep -x 3
for serial in 0B 0C 0D; do grep "Serial Number: $serial$" list.txt; done
grep -A 1 'Invalidity Date' list.txt | grep 'Jan  2 03:04:05 2026'
openssl crl -inform DER -in list.der -out list.pem
openssl verify -x509_strict -crl_check -CAfile ca.pem -CRLfile list.pem good.pem
for name in revoked held lost; do ! openssl verify -crl_check -CAfile ca.pem -CRLfile list.pem $name.pem > said.txt 2>&1; grep 'certificate revoked' said.txt; done
"#;

/// A device goes on with the certificate that it has; one whose certificate is on hold does not.
const RENEW: &str = r#"
renew() {
  openssl base64 -A -in $1.der -out csr.b64
  curl --silent --cacert ca.pem --cert $1.pem --key $1.key --header 'Content-Type: application/pkcs10' --data-binary @csr.b64 \
    --output answer.b64 --write-out '%{http_code}' "$EST/simplereenroll"
}
test "$(renew good)" = 200
openssl base64 -d -A -in answer.b64 | openssl pkcs7 -inform DER -print_certs -out renewed.pem
openssl verify -x509_strict -CAfile ca.pem renewed.pem
openssl x509 -in renewed.pem -noout -subject -ext subjectAltName > names.txt
grep 'CN *= *good.old.example' names.txt
grep 'DNS:good.old.example' names.txt
if cmp good.pem renewed.pem; then exit 1; fi
for name in held revoked lost forgotten; do test "$(renew $name)" = 403; done
"#;

/// The operator sees what is known of the certificate whose file was lost.
const UNSEEN: &str = r#"
cert() { "$CERTGATE" --data-dir "$DATA" cert "$@"; }
for command in show release revoke; do
  if cert $command 0D 2> refused.txt; then exit 1; fi
  grep 'known from an imported CRL of authority default only: revoked since .* (superseded)' refused.txt
done
cert show 0B | grep 'keyCompromise'
cert --output json list --requester imported | grep -c '"protocol": "imported"' | grep -x 3
"#;

/// Both files were found.
const FOUND: &str = r#"
"$CERTGATE" --data-dir "$DATA" --config "$CONFIG" --output json ca import default --issued lost > taken.json
for one in certificates:2 known_before:0 revoked:0 held:0 only_in_crl:0; do grep -x " *\"${one%:*}\": ${one#*:},\?" taken.json; done
"#;

/// The one that was on hold is released here.
const RELEASE: &str = r#"
cert() { "$CERTGATE" --data-dir "$DATA" --output json cert "$@"; }
cert show 0D | grep '"status": "revoked"'
cert release 0C | grep '"status": "valid"'
openssl ocsp -issuer ca.pem -CAfile ca.pem -url "$HTTP/ocsp/default" -cert held.pem 2>&1 | grep 'held.pem: good'
cert hold 0C | grep '"status": "held"'
"$CERTGATE" --data-dir "$DATA" audit verify
"#;

/// Everything, in a folder of its own.
pub(super) fn all(work: &Path, report: &mut Report) -> Result<()> {
    let takeover = Takeover::prepare(&work.join("takeover"))?;
    report.must("a CA of OpenSSL is taken over with its certificates and its CRL", || {
        takeover.run(OLD_CA, None)?;
        takeover.run(IMPORT, None)
    });
    report.must("relying parties and devices do not notice that it was taken over", || {
        let gateway = takeover.start()?;
        takeover.run(JUDGE, Some(&gateway))?;
        takeover.run(RENEW, Some(&gateway))?;
        takeover.run(UNSEEN, Some(&gateway))?;
        gateway.stop()
    });
    report.must("certificates that are found later are taken, too", || {
        takeover.run(FOUND, None)?;
        let gateway = takeover.start()?;
        takeover.run(JUDGE, Some(&gateway))?;
        takeover.run(RELEASE, Some(&gateway))?;
        gateway.stop()
    });
    Ok(())
}

/// The folder of the CA, and the gateway that takes it over.
struct Takeover {
    folder: PathBuf,
    config: PathBuf,
    data_dir: PathBuf,
    /// The same for every start: certificates have them.
    ports: [u16; 3],
}

impl Takeover {
    fn prepare(folder: &Path) -> Result<Self> {
        std::fs::create_dir(folder)?;
        let config = folder.join("certgate.toml");
        std::fs::write(&config, CONFIG)?;
        let ports = [free_port()?, free_port()?, free_port()?];
        Ok(Self { folder: folder.to_owned(), config, data_dir: folder.join("data"), ports })
    }

    fn start(&self) -> Result<Gateway> {
        Gateway::start_on(self.ports, &self.data_dir, &[], Some(&self.config))
    }

    fn run(&self, script: &str, gateway: Option<&Gateway>) -> Result<()> {
        let certgate = cargo::release_binary("certgate")?;
        let http = gateway.map_or_else(|| Ok(String::new()), Gateway::http_url)?;
        let est = gateway.map_or_else(|| Ok(String::new()), Gateway::est_url)?;
        let environment = [
            ("CERTGATE", certgate.as_os_str()),
            ("DATA", self.data_dir.as_os_str()),
            ("CONFIG", self.config.as_os_str()),
            ("HTTP", http.as_ref()),
            ("EST", est.as_ref()),
        ];
        process::script(&self.folder, script, &environment).map(drop)
    }
}
