//! How to enroll a first device: lines that work as pasted, with curl and openssl.

use std::path::Path;

use super::RunFile;
use crate::assemble::FirstDevice;
use crate::data_dir::DataDir;

/// What the first start prints. Commands are indented by four spaces; everything else is for reading.
pub(super) fn text(data_dir: &DataDir, run_file: &RunFile, device: &FirstDevice) -> String {
    let Some(address) = run_file.https() else {
        return "Nothing is served over TLS, so there is nothing to enroll with.\n".into();
    };
    let quoted = |name: &str| quote(&data_dir.join(name));
    let anchor = quote(run_file.trust_anchor());
    let url = match device.endpoint.as_str() {
        "default" => format!("https://{address}/.well-known/est"),
        label => format!("https://{address}/.well-known/est/{label}"),
    };
    format!(
        "\
certgate made {made}its TLS certificate and one EST credential in {directory}

trust anchor   {anchor}
SHA-256        {fingerprint}

Enroll a first device: it makes its key, asks for a certificate by EST, and verifies what it got.

    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout first-device.key \
-subj /CN=first-device -outform DER -out first-device.csr
    openssl base64 -A -in first-device.csr | curl -fsS --cacert {anchor} --netrc-file {netrc} \
-H 'Content-Type: application/pkcs10' --data-binary @- {url}/simpleenroll \
| openssl base64 -d -A | openssl pkcs7 -inform DER -print_certs | openssl x509 -out first-device.pem
    openssl verify -x509_strict -CAfile {anchor}{untrusted} first-device.pem

The password is in first-device.netrc there. More devices: certgate est user add NAME

",
        made = if run_file.has_outside_root() { "" } else { "a root, an issuing CA, " },
        directory = data_dir.path().display(),
        fingerprint = run_file.fingerprint(),
        netrc = quoted("first-device.netrc"),
        untrusted = device.chain.as_deref().map(|chain| format!(" -untrusted {}", quoted(chain))).unwrap_or_default(),
    )
}

/// As one word for a shell.
fn quote(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte));
    if is_plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word() {
        assert_eq!(quote(Path::new("/srv/certgate-data/a.pem")), "/srv/certgate-data/a.pem");
        assert_eq!(quote(Path::new("/srv/it's here")), r"'/srv/it'\''s here'");
    }
}
