//! What others say of the answers: the linters that are installed (pkilint, dumpasn1).

use std::time::Duration;

use super::{
    form,
    reply::Reply,
    request::{SHA1, key_bits},
    session::Session,
};
use crate::{
    certificate::Certificate,
    dump::{self, Scratch},
    transport::command,
    verdict::{Stop, Verdict, require},
};

/// How long a linter may take.
const LIMIT: Duration = Duration::from_secs(60);

/// What `dumpasn1` takes for faults and is none here: `good` and `unknown` are `IMPLICIT NULL` (RFC 6960 §4.2.1), of no octets; and what
/// was never issued is revoked on January 1, 1970 (§2.2).
fn is_excused(object: &str, complaint: &str) -> bool {
    let words: Vec<&str> = object.split_whitespace().collect();
    match words.as_slice() {
        [.., "0:", "[0]" | "[2]"] => complaint.starts_with("Object has zero length"),
        [.., "GeneralizedTime", "01/01/1970", "00:00:00", "GMT"] => complaint.starts_with("Time value is either more than"),
        _ => false,
    }
}

pub(super) fn find_nothing(session: &mut Session<'_>) -> Verdict {
    let answers = form::specimens(session)?;
    let issuer = &session.responder().issuer;
    let mut ran = Vec::new();
    for (what, der) in &answers {
        if dump::finds_nothing_but(&plain(der, issuer)?, is_excused).map_err(|stop| stop.about(what))? {
            ran.push("dumpasn1");
        }
        if lints(der).map_err(|stop| stop.about(what))? {
            ran.push("lint_ocsp_response");
        }
    }
    ran.sort_unstable();
    ran.dedup();
    if ran.is_empty() {
        return Err(Stop::Skip("neither dumpasn1 nor lint_ocsp_response is installed".into()));
    }
    Ok(format!("{} answers; {}", answers.len(), ran.join(", ")))
}

/// An answer whose hashes are plain octets: `dumpasn1` takes a hash for an encoding whenever its second octet happens to be the right
/// length.
fn plain(der: &[u8], issuer: &Certificate) -> Result<Vec<u8>, Stop> {
    let mut hashes = vec![SHA1.digest(&issuer.subject.encode()), SHA1.digest(key_bits(&issuer.spki))];
    if let Reply::Basic(basic) = Reply::read(der)? {
        hashes.extend(basic.certificates.iter().map(|certificate| SHA1.digest(key_bits(&certificate.spki))));
    }
    let mut plain = der.to_vec();
    for hash in &hashes {
        let places: Vec<usize> =
            plain.windows(hash.len()).enumerate().filter(|(_, found)| found == hash).map(|(at, _)| at).collect();
        for at in places {
            if let Some(octets) = plain.get_mut(at..at + hash.len()) {
                octets.fill(b'U');
            }
        }
    }
    Ok(plain)
}

/// Whether pkilint finds nothing; false when it is not installed.
fn lints(der: &[u8]) -> Result<bool, Stop> {
    let directory = Scratch::new()?;
    let path = directory.path().join("answer.der");
    std::fs::write(&path, der).map_err(|error| Stop::Fail(format!("in the suite: {}: {error}", path.display())))?;
    let start = ["lint_ocsp_response", "lint", "-s", "WARNING", "--document-format", "DER"].map(String::from);
    let argv: Vec<String> = start.into_iter().chain([path.display().to_string()]).collect();
    let Some((output, status, complaint)) = command::finish(&argv, LIMIT)? else { return Ok(false) };
    let words = || format!("{output}{complaint}").split_whitespace().collect::<Vec<_>>().join(" ");
    require(status.success(), || format!("lint_ocsp_response: {}", words()))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_protocol_wants_is_excused() {
        assert!(is_excused("  7   0:     [0]", "Object has zero length."));
        assert!(!is_excused("  7   0:     SEQUENCE {}", "Object has zero length."));
        assert!(!is_excused("  7   0:     [0]", "Something else."));
        let old = "Time value is either more than twenty years in the past or more than half a century in the future.";
        assert!(is_excused(" 33  15:       GeneralizedTime 01/01/1970 00:00:00 GMT", old));
        assert!(!is_excused(" 33  15:       GeneralizedTime 01/01/1980 00:00:00 GMT", old));
    }
}
