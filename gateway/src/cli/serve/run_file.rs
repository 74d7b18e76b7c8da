//! `run.json`: where a gateway that runs can be found.

use std::path::PathBuf;

use anyhow::Context;
use base16ct::lower::encode_string;
use certgate_pki::{Certificate, DigestAlgorithm};
use serde::Serialize;

use crate::assemble::{Authorities, addresses};
use crate::config::ListenerKind;
use crate::data_dir::{DataDir, Secrecy, write_atomically};
use crate::listen::Bound;

/// The file and its contents.
pub(super) struct RunFile {
    path: PathBuf,
    contents: Contents,
    is_outside: bool,
}

#[derive(Serialize)]
struct Contents {
    pid: u32,
    version: &'static str,
    https: Vec<String>,
    http: Vec<String>,
    ops: Vec<String>,
    ca_pem: PathBuf,
    ca_sha256: String,
}

fn path(data_dir: &DataDir) -> PathBuf {
    data_dir.join("run.json")
}

/// Removes one that says nothing true any more.
pub(super) fn remove(data_dir: &DataDir) {
    match std::fs::remove_file(path(data_dir)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => tracing::warn!(%error, "run.json could not be removed"),
        _ => {}
    }
}

impl RunFile {
    /// For these listeners; the trust anchor is the root of the first authority.
    pub(super) fn new(data_dir: &DataDir, bound: &[Bound], authorities: &Authorities) -> anyhow::Result<Self> {
        let first = authorities.iter().next().context("no authority is configured")?;
        let root = first.chain().last().context("the authority has no certificate")?;
        let digest = certgate_crypto::provider().digest.digest(DigestAlgorithm::Sha256, Certificate::as_der(root));
        let is_outside = first.chain().len() > 1;
        let listening = |kind| addresses(bound, kind).iter().map(ToString::to_string).collect();
        let contents = Contents {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION"),
            https: listening(ListenerKind::Https),
            http: listening(ListenerKind::Http),
            ops: listening(ListenerKind::Ops),
            ca_pem: data_dir.join(&format!("ca/{}.{}", first.name(), if is_outside { "root.pem" } else { "pem" })),
            ca_sha256: encode_string(&digest),
        };
        Ok(Self { path: path(data_dir), contents, is_outside })
    }

    pub(super) fn write(&self) -> anyhow::Result<()> {
        let text = serde_json::to_string(&self.contents)? + "\n";
        write_atomically(&self.path, text.as_bytes(), Secrecy::Public)
    }

    /// The first HTTPS listener, to be written into a URL.
    pub(super) fn https(&self) -> Option<&str> {
        self.contents.https.first().map(String::as_str)
    }

    /// Where the trust anchor is.
    pub(super) fn trust_anchor(&self) -> &std::path::Path {
        &self.contents.ca_pem
    }

    /// Is the trust anchor a root that others have?
    pub(super) const fn has_outside_root(&self) -> bool {
        self.is_outside
    }

    /// SHA-256 of the trust anchor, lowercase hex.
    pub(super) fn fingerprint(&self) -> &str {
        &self.contents.ca_sha256
    }
}
