//! What others say of the certificates: the linters that are installed (openssl, certtool, botan, dumpasn1, pkilint).

use std::{path::Path, time::Duration};

use super::gather::collect;
use crate::{
    certificate::Certificate,
    dump::{self, Scratch},
    pkilint,
    session::Session,
    specimens::Collection,
    transport::command,
    verdict::{Stop, Verdict, require},
};

/// How long a linter may take.
const LIMIT: Duration = Duration::from_secs(60);

/// More CAs than any chain here has.
const HIGHEST: usize = 8;

/// The files that a linter reads, in a directory of their own.
struct Files<'f> {
    directory: &'f Path,
}

impl Files<'_> {
    fn path(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }
}

/// A linter: its command line over one chain, and what to make of its output.
struct Linter {
    name: &'static str,
    argv: fn(&Files<'_>) -> Vec<String>,
    judge: fn(success: bool, output: &str) -> Result<(), String>,
}

const LINTERS: [Linter; 6] = [
    Linter {
        name: "openssl verify -x509_strict",
        argv: |files| {
            let start = ["openssl", "verify", "-x509_strict", "-CAfile"].map(String::from);
            let rest = [files.path("root.pem"), "-untrusted".into(), files.path("chain.pem"), files.path("leaf.pem")];
            start.into_iter().chain(rest).collect()
        },
        judge: judge_by_status,
    },
    Linter {
        name: "certtool --verify-chain",
        argv: |files| vec!["certtool".into(), "--verify-chain".into(), "--infile".into(), files.path("chain.pem")],
        judge: judge_by_status,
    },
    Linter {
        name: "certtool -i",
        argv: |files| vec!["certtool".into(), "-i".into(), "--inder".into(), "--infile".into(), files.path("leaf.der")],
        judge: judge_by_status,
    },
    Linter {
        name: "botan cert_info",
        argv: |files| vec!["botan".into(), "cert_info".into(), files.path("leaf.pem")],
        judge: judge_by_status,
    },
    Linter {
        name: "dumpasn1 -a",
        argv: |files| vec!["dumpasn1".into(), "-a".into(), files.path("plain.der")],
        judge: |_, output| dump::judge(output),
    },
    Linter {
        name: "lint_pkix_cert",
        argv: |files| {
            let start = ["lint_pkix_cert", "lint", "-s", "WARNING"].map(String::from);
            start.into_iter().chain([files.path("leaf.der")]).collect()
        },
        judge: pkilint::judge,
    },
];

fn judge_by_status(success: bool, output: &str) -> Result<(), String> {
    if success { Ok(()) } else { Err(in_one_line(output)) }
}

fn in_one_line(output: &str) -> String {
    output.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn find_nothing(session: &mut Session<'_>) -> Verdict {
    let collection = collect(session)?;
    let directory = Scratch::new()?;
    let mut ran: Vec<&str> = Vec::new();
    let mut seen: Vec<Vec<u8>> = Vec::new();
    for specimen in collection.enrolled() {
        let path = path_of(&collection, &specimen.certificate)
            .ok_or_else(|| Stop::Fail(format!("{}: no way to a root in cacerts", specimen.label)))?;
        // The leaf, its issuing CA and the root: each CA once.
        for (height, certificate) in path.iter().enumerate() {
            if seen.contains(&certificate.der) {
                continue;
            }
            seen.push(certificate.der.clone());
            let label = if height == 0 { specimen.label.clone() } else { format!("CA certificate {height} above") };
            let above = path.get(height..).unwrap_or_default();
            lint(directory.path(), above, &mut ran).map_err(|stop| stop.about(&label))?;
        }
    }
    if ran.is_empty() {
        return Err(Stop::Skip("none of openssl, certtool, botan, dumpasn1 and lint_pkix_cert is installed".into()));
    }
    Ok(format!("{} certificates; {}", seen.len(), ran.join(", ")))
}

/// From a certificate to its root, by names alone: whether it verifies is for the linters to say.
fn path_of<'c>(collection: &'c Collection, leaf: &'c Certificate) -> Option<Vec<&'c Certificate>> {
    let mut path = vec![leaf];
    while let Some(last) = path.last().filter(|last| !last.is_self_issued()) {
        let issuer = collection.issuer_of(last)?;
        if path.len() > HIGHEST {
            return None;
        }
        path.push(issuer);
    }
    Some(path)
}

/// Runs every linter there is over the first certificate of a chain.
fn lint(directory: &Path, chain: &[&Certificate], ran: &mut Vec<&'static str>) -> Result<(), Stop> {
    let files = Files { directory };
    let (Some(leaf), Some(root)) = (chain.first(), chain.last()) else { return Ok(()) };
    let pem: String = chain.iter().map(|one| encode_pem(one)).collect();
    let contents = [
        ("leaf.der", leaf.der.clone()),
        ("plain.der", dump::plain(&leaf.der)),
        ("leaf.pem", encode_pem(leaf).into_bytes()),
        ("chain.pem", pem.into_bytes()),
        ("root.pem", encode_pem(root).into_bytes()),
    ];
    for (name, content) in contents {
        std::fs::write(directory.join(name), content).map_err(|error| Stop::Fail(format!("in the suite: {name}: {error}")))?;
    }
    for linter in &LINTERS {
        let Some((output, status, complaint)) = command::finish(&(linter.argv)(&files), LIMIT)? else { continue };
        if !ran.contains(&linter.name) {
            ran.push(linter.name);
        }
        let verdict = (linter.judge)(status.success(), &format!("{output}{complaint}"));
        require(verdict.is_ok(), || format!("{}: {}", linter.name, verdict.err().unwrap_or_default()))?;
    }
    Ok(())
}

fn encode_pem(certificate: &Certificate) -> String {
    der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, &certificate.der).unwrap_or_default()
}
