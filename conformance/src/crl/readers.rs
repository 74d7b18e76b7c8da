//! What others make of the lists: the programs that are installed (openssl, certtool, botan, dumpasn1, pkilint).

use std::{path::Path, time::Duration};

use super::{
    gather::{Found, lists_with_entries},
    list::RevocationList,
    session::{KINDS, Session},
};
use crate::{
    certificate::Certificate,
    dump::{self, Scratch},
    hook::Hook,
    parts::Parts,
    pem, pkilint,
    transport::command,
    verdict::{Stop, Verdict, require},
};

/// How long a program may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A program: its command line over the files of one list, and what to make of its output.
struct Reader {
    name: &'static str,
    argv: &'static [&'static str],
    judge: fn(success: bool, output: &str) -> bool,
    /// Whether it makes nothing of deltas.
    complete_only: bool,
}

const READERS: [Reader; 6] = [
    Reader {
        name: "openssl crl",
        argv: &["openssl", "crl", "-inform", "DER", "-in", "list.der", "-noout", "-CAfile", "issuer.pem"],
        judge: |success, output| success && output.contains("verify OK"),
        complete_only: false,
    },
    Reader {
        name: "certtool --crl-info",
        argv: &["certtool", "--crl-info", "--inder", "--infile", "list.der"],
        judge: |success, _| success,
        complete_only: false,
    },
    Reader {
        name: "certtool --verify-crl",
        argv: &["certtool", "--verify-crl", "--load-ca-certificate", "issuer.pem", "--infile", "list.pem"],
        judge: |success, output| success && output.contains("Verified") && !output.contains("Not verified"),
        complete_only: true,
    },
    Reader {
        name: "botan asn1print",
        argv: &["botan", "asn1print", "list.der"],
        judge: |success, _| success,
        complete_only: false,
    },
    Reader {
        name: "dumpasn1 -a",
        argv: &["dumpasn1", "-a", "list.der"],
        judge: |_, output| dump::judge(output).is_ok(),
        complete_only: false,
    },
    Reader {
        name: "lint_crl",
        argv: &["lint_crl", "lint", "-t", "CRL", "-p", "PKIX", "-s", "WARNING", "list.der"],
        judge: |success, output| pkilint::judge(success, output).is_ok(),
        complete_only: false,
    },
];

pub(super) fn take_the_lists(session: &mut Session<'_>) -> Verdict {
    let directory = Scratch::new()?;
    let mut parts = Parts::default();
    let all = lists_with_entries(session)?;
    for reader in &READERS {
        let verdict = all.iter().filter(|found| !(found.is_delta && reader.complete_only)).try_fold(0, |count, found| {
            write_files(directory.path(), &found.list, &found.issuer)?;
            read_by(directory.path(), reader, found).map(|()| count + 1)
        });
        parts.add(reader.name, verdict.map(|count: usize| format!("{count} lists")))?;
    }
    for (kind, enroll) in KINDS {
        let verdict = enroll(session).and_then(|subject| {
            session.need(&[Hook::Revoke])?;
            let certificate = &subject.certificate;
            let before = subject.scope.look(session)?.complete;
            verify(directory.path(), &before, &subject.scope.issuer, certificate, true)?;
            session.revoke(certificate, "superseded")?;
            let after = subject.scope.wait_for(session, certificate)?.complete;
            if after.entry(&certificate.serial).is_none() {
                return Ok("good; the revocation is in a delta".into());
            }
            verify(directory.path(), &after, &subject.scope.issuer, certificate, false)?;
            Ok("good, then revoked".into())
        });
        parts.add(&format!("openssl verify -crl_check, {kind}"), verdict)?;
    }
    parts.verdict()
}

fn write_files(directory: &Path, list: &RevocationList, issuer: &Certificate) -> Result<(), Stop> {
    let armoured = der::pem::encode_string("X509 CRL", der::pem::LineEnding::LF, &list.der).map_err(Stop::fail)?;
    let contents = [
        ("list.der", list.der.clone()),
        ("list.pem", armoured.into_bytes()),
        ("issuer.pem", pem::encode(&issuer.der).into_bytes()),
    ];
    contents.into_iter().try_for_each(|(name, content)| write(directory, name, &content))
}

fn write(directory: &Path, name: &str, content: &[u8]) -> Result<(), Stop> {
    std::fs::write(directory.join(name), content).map_err(|error| Stop::Fail(format!("in the suite: {name}: {error}")))
}

/// Runs a command whose words with a dot name files; [`Stop::Skip`] when it is not installed.
fn run(directory: &Path, argv: &[&str]) -> Result<(bool, String), Stop> {
    let in_place = |word: &&str| {
        if word.contains('.') { directory.join(word).display().to_string() } else { (*word).to_owned() }
    };
    let argv: Vec<String> = argv.iter().map(in_place).collect();
    let finished = command::finish(&argv, LIMIT)?;
    let (output, status, complaint) = finished.ok_or_else(|| Stop::Skip("it is not installed".into()))?;
    Ok((status.success(), format!("{output}{complaint}")))
}

fn read_by(directory: &Path, reader: &Reader, found: &Found) -> Result<(), Stop> {
    let (success, output) = run(directory, reader.argv)?;
    require((reader.judge)(success, &output), || format!("{}: {}", found.name, ending(&output)))
}

/// What openssl says of a certificate by a list: good, or revoked.
fn verify(
    directory: &Path,
    list: &RevocationList,
    issuer: &Certificate,
    certificate: &Certificate,
    wants_good: bool,
) -> Result<(), Stop> {
    write_files(directory, list, issuer)?;
    write(directory, "leaf.pem", pem::encode(&certificate.der).as_bytes())?;
    let argv =
        ["openssl", "verify", "-partial_chain", "-CAfile", "issuer.pem", "-crl_check", "-CRLfile", "list.pem", "leaf.pem"];
    let (success, output) = run(directory, &argv)?;
    let is_right = if wants_good { success } else { !success && output.contains("certificate revoked") };
    require(is_right, || format!("wanted {}: {}", if wants_good { "good" } else { "revoked" }, ending(&output)))
}

/// How many words of an output are told.
const WORDS: usize = 40;

/// The end of an output, where the verdict stands.
fn ending(output: &str) -> String {
    let words: Vec<&str> = output.split_whitespace().collect();
    words.get(words.len().saturating_sub(WORDS)..).unwrap_or_default().join(" ")
}
