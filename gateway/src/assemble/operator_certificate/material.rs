//! PEM in files and variables, and what is there instead of it.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::config::{Environment, Place};
use crate::data_dir::read_private_octets;

/// How a PEM block begins.
const BEGIN: &str = "-----BEGIN ";
/// How base64 of `-----BEGIN` begins.
const BEGIN_IN_BASE64: &[u8] = b"LS0tLS1CRUdJTi";
/// What a key says of itself that OpenSSL has encrypted in its old way.
const ENCRYPTED: &[u8] = b"Proc-Type: 4,ENCRYPTED";
/// What is wrong where something follows a BEGIN on its line.
const ONE_LINE: &str = "has lost its line ends: BEGIN, END and what is between them are lines of their own (a shell keeps those of a \
                        variable in quotes; \\n in place of a line end is none)";
/// Octets of a text beyond which nobody's chain goes.
const MOST: u64 = 1 << 20;

/// The certificates there, in order; `key` is the configuration's word for the place.
pub(super) fn certificates(
    place: &Place,
    environment: &Environment,
    key: &str,
) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let text = read(place, environment, key, |path| Ok(Zeroizing::new(std::fs::read(path)?)))?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| damaged(place, &text, &error))?;
    if !found.is_empty() {
        return Ok(found);
    }
    let der = "openssl x509 -inform DER -in FILE -out FILE.pem";
    match labels(&text).as_slice() {
        [] => bail!("{place} {}", no_pem(&text, "CERTIFICATE", der)),
        [.., label] if label.ends_with("PRIVATE KEY") => bail!(
            "{place} holds a private key where a certificate is wanted: are cert and key of [tls] swapped? {key} is the certificate"
        ),
        [.., label] => bail!("{place} holds a {label} and no CERTIFICATE: {key} of [tls] is what the CA has issued, PEM"),
    }
}

/// The private key there.
pub(super) fn private_key(place: &Place, environment: &Environment) -> anyhow::Result<Zeroizing<PrivateKeyDer<'static>>> {
    let text = read(place, environment, "key", read_private_octets)?;
    match PrivateKeyDer::pem_slice_iter(&text).next() {
        Some(Ok(key)) => return Ok(Zeroizing::new(key)),
        Some(Err(error)) => return Err(damaged(place, &text, &error)),
        None => {}
    }
    let der = "openssl pkey -inform DER -in FILE -out FILE.pem";
    match labels(&text).as_slice() {
        [] => bail!("{place} {}", no_pem(&text, "PRIVATE KEY", der)),
        [.., label] if label == "ENCRYPTED PRIVATE KEY" => Err(encrypted(place)),
        [.., label] if label == "CERTIFICATE" => bail!(
            "{place} holds a certificate where the private key is wanted: are cert and key of [tls] swapped? key is the private key"
        ),
        [.., label] => bail!("{place} holds a {label} and no PRIVATE KEY: key of [tls] is the certificate's private key, PEM"),
    }
}

/// The text of a place that has one.
fn read(
    place: &Place,
    environment: &Environment,
    key: &str,
    open: impl Fn(&Path) -> anyhow::Result<Zeroizing<Vec<u8>>>,
) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let text = match place {
        Place::File(path) => {
            let found =
                std::fs::metadata(path).with_context(|| format!("{key} of [tls] names {place}, which cannot be read"))?;
            if found.is_dir() {
                bail!("{key} of [tls] names {place}, which is a directory: it is the file itself");
            }
            if found.len() > MOST {
                bail!("{place} has more than {MOST} octets: that is no PEM of a certificate or a key");
            }
            open(path).with_context(|| format!("{key} of [tls] names {place}, which cannot be used"))?
        }
        Place::Variable(name) => {
            let value = environment.read(name);
            value.with_context(|| format!("{place} is not set: {key} of [tls] is read from it, as PEM"))?
        }
    };
    if text.iter().all(u8::is_ascii_whitespace) {
        bail!("{place} is empty: {key} of [tls] is read from there, as PEM");
    }
    if begins(&text).any(|(_, is_followed)| is_followed) {
        bail!("the PEM in {place} {ONE_LINE}");
    }
    Ok(text)
}

fn encrypted(place: &Place) -> anyhow::Error {
    let advice = "`openssl pkey -in FILE -out FILE.pem` writes it in the clear, for a file with mode 600";
    anyhow!("the key in {place} is encrypted, and there is nobody to ask for its passphrase at a start: {advice}")
}

fn damaged(place: &Place, text: &[u8], error: &pem::Error) -> anyhow::Error {
    // The form of before PKCS#8: headers within the block (RFC 1421 §4.6.1.1).
    if text.windows(ENCRYPTED.len()).any(|window| window == ENCRYPTED) {
        return encrypted(place);
    }
    let how = match error {
        pem::Error::MissingSectionEnd { .. } => "a block has no END line: was it cut off?",
        pem::Error::IllegalSectionStart { .. } => "a BEGIN line is not written as it must be",
        pem::Error::Base64Decode(_) => "what is between BEGIN and END is no base64",
        _ => "it cannot be decoded",
    };
    anyhow!("the PEM in {place} is damaged: {how}")
}

/// Labels of the PEM blocks that begin in a text.
fn labels(text: &[u8]) -> Vec<String> {
    begins(text).map(|(label, _)| label).collect()
}

/// Each label, and whether something follows it on its line.
fn begins(text: &[u8]) -> impl Iterator<Item = (String, bool)> {
    let lines = text.split(|octet| *octet == b'\n').map(String::from_utf8_lossy);
    lines.filter_map(|line| {
        let (label, rest) = line.trim_start().strip_prefix(BEGIN)?.split_once("-----")?;
        Some((label.to_owned(), !rest.trim().is_empty()))
    })
}

/// What a text is that has no PEM block.
fn no_pem(text: &[u8], label: &str, of_der: &str) -> String {
    if text.first() == Some(&0x30) {
        return format!("is DER, and PEM is wanted: `{of_der}` makes it");
    }
    if text.starts_with(BEGIN_IN_BASE64) {
        return "is base64 of PEM, as a Kubernetes manifest has it: decode it once, or hand over the secret by secretKeyRef"
            .to_owned();
    }
    format!("is not PEM: it has no line {BEGIN}{label}-----")
}
