//! Certificates that have expired (RFC 6960 §4.4.4, RFC 5019 §2.2.3).

use super::{
    reply::Reply,
    request::{Ask, CertId, SHA1, extension},
    session::Session,
};
use crate::{
    asn1::tag,
    verdict::{Stop, Verdict, require},
};

/// A certificate of `short_url` lasts no longer, in seconds.
const LONGEST: i64 = 60;

pub(super) fn is_told_or_not(session: &mut Session<'_>) -> Verdict {
    let target = session.est.target();
    let Some(url) = target.short_url.as_deref() else {
        return Err(Stop::Skip("the target's [est] table has no short_url".into()));
    };
    let endpoint = session.est.endpoint_at(url)?;
    let certificate = session.enroll_at(&endpoint)?;
    let end = certificate.not_after.unix().ok_or_else(|| Stop::fail("notAfter is no moment"))?;
    let left = end + 1 - session.now();
    require(left <= LONGEST, || {
        format!("in the target: a certificate of short_url lasts {left} s more, not {LONGEST} at most")
    })?;
    session.wait(u64::try_from(left).unwrap_or(0) + 1);

    let expired = CertId::new(SHA1, &session.responder().issuer, &certificate.serial);
    let good = session.good_id()?;
    let ask = Ask::about(&expired);
    let outcome = session.outcome(&ask)?;
    for id in [&expired, &good] {
        let reply = session.offer(&Ask::about(id).encode())?;
        check_cutoff(&reply)?;
    }
    // RFC 5019 §2.2.3: "Requests from clients for certificates whose record has been removed will result in an OCSPResponseStatus of
    // "unauthorized"."
    let is_error = matches!(outcome, super::outcome::Outcome::Error(number) if number != super::reply::status::UNAUTHORIZED);
    require(!is_error, || format!("expired: {outcome}"))?;
    Ok(format!("expired: {outcome}"))
}

/// RFC 6960 §4.4.4: "this value SHALL be provided as an OCSP singleExtensions extension identified by id-pkix-ocsp-archive-cutoff and of
/// syntax GeneralizedTime."
fn check_cutoff(reply: &Reply) -> Result<(), Stop> {
    let Reply::Basic(basic) = reply else { return Ok(()) };
    require(basic.extension(extension::ARCHIVE_CUTOFF).is_none(), || "archiveCutoff is in responseExtensions".into())?;
    let cutoffs = basic.singles.iter().flat_map(|single| &single.extensions);
    for cutoff in cutoffs.filter(|one| one.oid == extension::ARCHIVE_CUTOFF) {
        cutoff.element()?.expect_tag(tag::GENERALIZED_TIME, "archiveCutoff")?;
    }
    Ok(())
}
