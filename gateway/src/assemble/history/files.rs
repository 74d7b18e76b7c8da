//! Files of certificates and CRLs: DER, or PEM with as many as there are, one at a time.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use certgate_crl::MAX_CRL;
use certgate_pki::limits::MAX_CERTIFICATE;
use certgate_pki::pem::{self, Blocks};

/// What is in a file.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    label: &'static str,
    /// As one says it.
    name: &'static str,
    /// Most octets of one.
    most: usize,
}

/// Certificates.
pub(super) const CERTIFICATES: Kind = Kind { label: pem::CERTIFICATE, name: "certificate", most: MAX_CERTIFICATE };
/// CRLs.
pub(super) const CRLS: Kind = Kind { label: pem::X509_CRL, name: "CRL", most: MAX_CRL };

/// Files, and those in folders, one level deep: in the order that is given, of a folder in that of their names.
///
/// # Errors
/// When a folder cannot be read, or has no file.
pub(super) fn in_folders(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let name = || path.display().to_string();
        let entries = std::fs::read_dir(path).with_context(name)?.collect::<Result<Vec<_>, _>>().with_context(name)?;
        let mut found: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(|path| !path.is_dir()).collect();
        if found.is_empty() {
            bail!("there is no file in the folder {}", path.display());
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

/// What there is in a file, DER; at least one.
pub(super) struct Objects {
    reader: BufReader<File>,
    kind: Kind,
    state: State,
    found: usize,
}

enum State {
    /// The next line is to be read.
    Pem(Blocks),
    /// The file is one object.
    Der,
    /// Nothing more comes.
    Over,
}

impl Objects {
    /// Of a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn open(path: &Path, kind: Kind) -> anyhow::Result<Self> {
        let mut reader = BufReader::with_capacity(16 * 1024, File::open(path)?);
        // A SEQUENCE whose length has a form of its own: what is read here is longer than 127 octets.
        let is_der = matches!(reader.fill_buf()?, [0x30, length, ..] if length & 0x80 != 0);
        let state = if is_der { State::Der } else { State::Pem(Blocks::new(kind.label, kind.most)) };
        Ok(Self { reader, kind, state, found: 0 })
    }

    fn read(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Over => Ok(None),
            State::Der => {
                let mut der = Vec::new();
                self.reader.by_ref().take(self.kind.most as u64 + 1).read_to_end(&mut der)?;
                if der.len() > self.kind.most {
                    bail!("it is larger than any {} that is read here", self.kind.name);
                }
                Ok(Some(der))
            }
            State::Pem(blocks) => self.next_block(blocks),
        }
    }

    fn next_block(&mut self, mut blocks: Blocks) -> anyhow::Result<Option<Vec<u8>>> {
        // The base64 of one may stand in a single line.
        let most = (self.kind.most as u64).saturating_mul(2);
        let mut line = Vec::new();
        loop {
            line.clear();
            if self.reader.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
                blocks.finish()?;
                if self.found == 0 {
                    bail!("there is no {} in it, neither as PEM nor as DER", self.kind.name);
                }
                return Ok(None);
            }
            if let Some(der) = blocks.line(&String::from_utf8_lossy(&line))? {
                self.state = State::Pem(blocks);
                self.found += 1;
                return Ok(Some(der));
            }
        }
    }
}

impl Iterator for Objects {
    type Item = anyhow::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
