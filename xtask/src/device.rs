//! A device that enrolls with nothing but OpenSSL and curl, in a folder of its own.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{gateway::Gateway, process};

/// Makes a key and a CSR: `key.pem`, `csr.der`, and `csr.b64` as EST carries it.
const REQUEST: &str = r#"
openssl req -newkey $KEY -nodes -keyout key.pem -outform DER -out csr.der -subj "/CN=$NAME" -addext "subjectAltName=DNS:$NAME"
openssl base64 -A -in csr.der -out csr.b64
"#;

/// Sends it and takes the answer apart: `answer.der` is the CMS, `cert.pem` and `cert.der` what is in it.
const ENROLL: &str = r#"
curl --silent --show-error --fail-with-body --cacert "$ROOT" --netrc-file netrc $CURL \
  --header 'Content-Type: application/pkcs10' --data-binary @csr.b64 --output answer.b64 "$EST/simpleenroll" \
  || { cat answer.b64 >&2; exit 1; }
openssl base64 -d -A -in answer.b64 -out answer.der
openssl pkcs7 -inform DER -in answer.der -print_certs -out cert.pem
openssl x509 -in cert.pem -outform DER -out cert.der
"#;

/// A device that the gateway knows as a user.
pub(crate) struct Device {
    folder: PathBuf,
    name: String,
    password: String,
    root: PathBuf,
    est: String,
    key: String,
}

impl Device {
    /// Adds the user `name` and makes its folder below `work`, with the credentials in `netrc`.
    pub(crate) fn new(gateway: &Gateway, work: &Path, name: &str) -> Result<Self> {
        let folder = work.join(name);
        std::fs::create_dir(&folder).with_context(|| format!("make {}", folder.display()))?;
        let password = gateway.add_user(name)?;
        std::fs::write(folder.join("netrc"), format!("machine 127.0.0.1 login {name} password {password}\n"))?;
        let root = gateway.run().ca_pem.clone();
        Ok(Self { folder, name: name.to_owned(), password, root, est: gateway.est_url()?, key: String::new() })
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its name, as CN, dNSName and login.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Makes its key and CSR. `key` is what OpenSSL's `-newkey` takes, options included.
    pub(crate) fn request(&mut self, key: &str) -> Result<()> {
        key.clone_into(&mut self.key);
        self.script(REQUEST, &[]).map(drop)
    }

    /// Enrolls with the CSR that it has; `curl` is options more.
    pub(crate) fn enroll(&self, curl: &str) -> Result<()> {
        self.script(ENROLL, &[("CURL", curl.as_ref())]).map(drop)
    }

    /// Runs a script in its folder. `NAME`, `PASSWORD`, `ROOT`, `EST` and `KEY` are set besides `more`.
    pub(crate) fn script(&self, text: &str, more: &[(&str, &OsStr)]) -> Result<String> {
        let mut environment: Vec<(&str, &OsStr)> = vec![
            ("NAME", self.name.as_ref()),
            ("PASSWORD", self.password.as_ref()),
            ("ROOT", self.root.as_os_str()),
            ("EST", self.est.as_ref()),
            ("KEY", self.key.as_ref()),
        ];
        environment.extend_from_slice(more);
        process::script(&self.folder, text, &environment)
    }
}
