//! The extensions of lists and of their entries (RFC 5280 §5.2, §5.3).

use super::{
    gather::{Found, each_of, lists, lists_with_entries},
    list::{Entry, extension},
    scope::REMOVE_FROM_CRL,
    session::Session,
};
use crate::{
    asn1::{Element, tag},
    certificate::Certificate,
    hook::Hook,
    parts::Parts,
    pointers::{CRL_DISTRIBUTION_POINTS, distribution_points, full_names},
    verdict::{Stop, Verdict, require},
};

/// Reasons and their codes (RFC 5280 §5.3.1); `unspecified` is to be left out.
const REASONS: [(&str, Option<u8>); 4] =
    [("unspecified", None), ("keyCompromise", Some(1)), ("superseded", Some(4)), ("cessationOfOperation", Some(5))];
/// How long before its revocation a certificate became invalid, in seconds.
const EARLIER: i64 = 60 * 60;

pub(super) fn key_identifier(found: &Found) -> Result<(), String> {
    let Some(written) = found.list.extension(extension::AUTHORITY_KEY_IDENTIFIER) else {
        return Err("no authority key identifier".into());
    };
    // RFC 5280 §4.2.1.1: "Conforming CAs MUST mark this extension as non-critical."
    if written.critical {
        return Err("the authority key identifier is critical".into());
    }
    // RFC 5280 §5.2.1: "Conforming CRL issuers MUST use the key identifier method, and MUST include this extension in all CRLs issued."
    match (found.list.authority_key_identifier(), found.issuer.subject_key_identifier()) {
        (None, _) => Err("no keyIdentifier in the authority key identifier".into()),
        (Some(wanted), Some(known)) if wanted != known => Err("the authority key identifier is not the CA's".into()),
        _ => Ok(()),
    }
}

pub(super) fn reasons(session: &mut Session<'_>) -> Verdict {
    session.need(&[Hook::Revoke])?;
    let mut told = Vec::new();
    for (reason, wanted) in REASONS {
        let subject = session.subject()?;
        session.revoke(&subject.certificate, reason)?;
        let snapshot = subject.scope.wait_for(session, &subject.certificate)?;
        let entry = snapshot.entry(&subject.certificate.serial)?;
        let found = entry.and_then(Entry::reason);
        // RFC 5280 §5.3.1: "the reason code CRL entry extension SHOULD be absent instead of using the unspecified (0) reasonCode value."
        require(found == wanted, || format!("revoked for {reason}: reasonCode {found:?}, not {wanted:?}"))?;
        told.push(reason);
    }
    let all =
        each_of(&lists(session)?, |found| found.list.entries().iter().try_for_each(|entry| reason(entry, found.is_delta)))?;
    Ok(format!("{}; {all}", told.join(", ")))
}

fn reason(entry: &Entry, is_in_delta: bool) -> Result<(), String> {
    let Some(extension) = entry.extension(extension::REASON_CODE) else { return Ok(()) };
    // RFC 5280 §5.3.1: "The reasonCode is a non-critical CRL entry extension".
    if extension.critical {
        return Err("a critical reasonCode".into());
    }
    match entry.reason() {
        Some(0) => Err("reasonCode unspecified (0) written out".into()),
        // RFC 5280 §5.3.1: "The removeFromCRL (8) reasonCode value may only appear in delta CRLs".
        Some(REMOVE_FROM_CRL) if is_in_delta => Ok(()),
        Some(REMOVE_FROM_CRL) => Err("removeFromCRL (8) in a complete list".into()),
        Some(1..=6 | 9 | 10) => Ok(()),
        other => Err(format!("reasonCode {other:?}")),
    }
}

pub(super) fn invalidity_dates(session: &mut Session<'_>) -> Verdict {
    let mut parts = Parts::default();
    let asked = invalid_since(session);
    parts.add("with --invalidity-date", asked)?;
    let all = lists_with_entries(session)?;
    parts.add("all lists", each_of(&all, |found| found.list.entries().iter().try_for_each(invalidity_date)))?;
    parts.verdict()
}

/// Revokes as of an hour ago, where the hook can say so.
fn invalid_since(session: &mut Session<'_>) -> Verdict {
    session.need(&[Hook::Revoke])?;
    let subject = session.subject()?;
    let since = jiff::Timestamp::from_second(session.est.now() - EARLIER).map_err(Stop::fail)?;
    let serial = subject.certificate.serial_hex();
    let more = ["--invalidity-date".to_owned(), since.to_string()];
    let values = [("serial", serial.as_str()), ("reason", "keyCompromise")];
    if let Err(Stop::Fail(reason)) = session.est.run_hook(Hook::Revoke, &values, &more) {
        return Err(Stop::Skip(reason));
    }
    let snapshot = subject.scope.wait_for(session, &subject.certificate)?;
    let entry = snapshot.entry(&subject.certificate.serial)?;
    let entry = entry.ok_or_else(|| Stop::fail("no entry"))?;
    invalidity_date(entry).map_err(Stop::Fail)?;
    let found = entry.extension(extension::INVALIDITY_DATE).ok_or_else(|| Stop::fail("no invalidityDate"))?.element()?;
    let wanted = since.strftime("%Y%m%d%H%M%SZ").to_string();
    require(found.octets() == wanted.as_bytes(), || {
        format!("invalidityDate {}, not {wanted}", String::from_utf8_lossy(found.octets()))
    })?;
    Ok(wanted)
}

fn invalidity_date(entry: &Entry) -> Result<(), String> {
    let Some(extension) = entry.extension(extension::INVALIDITY_DATE) else { return Ok(()) };
    // RFC 5280 §5.3.2: "The invalidity date is a non-critical CRL entry extension".
    if extension.critical {
        return Err("a critical invalidityDate".into());
    }
    // RFC 5280 §5.3.2: "InvalidityDate ::= GeneralizedTime", as in §4.1.2.5.2: the reader has seen to seconds, Z and no fraction.
    let value = extension.element().map_err(|fault| fault.0)?;
    if value.tag == tag::GENERALIZED_TIME { Ok(()) } else { Err("an invalidityDate that is no GeneralizedTime".into()) }
}

/// Fields of an IssuingDistributionPoint of which one at most may be TRUE: onlyContainsUserCerts, onlyContainsCACerts and
/// onlyContainsAttributeCerts (RFC 5280 §5.2.5).
const ONLY_CONTAINS: [u8; 3] = [1, 2, 5];

pub(super) fn issuing_distribution_point(found: &Found) -> Result<(), String> {
    let Some(extension) = found.list.extension(extension::ISSUING_DISTRIBUTION_POINT) else { return Ok(()) };
    // RFC 5280 §5.2.5: "The issuing distribution point is a critical CRL extension".
    if !extension.critical {
        return Err("the issuing distribution point is not critical".into());
    }
    let value = extension.element().map_err(|fault| fault.0)?;
    // RFC 5280 §5.2.5: "Conforming CRLs issuers MUST NOT issue CRLs where the DER encoding of the issuing distribution point extension is an
    // empty sequence."
    if value.tag != tag::SEQUENCE || value.elements().is_empty() {
        return Err("the issuing distribution point is an empty SEQUENCE".into());
    }
    let fields = value.elements();
    // X.690 §11.5: a component equal to its default value, here FALSE, is not encoded.
    let writes_false =
        |field: &&Element| field.tag & 0xe0 == 0x80 && field.tag != tag::context_primitive(3) && field.octets() != [0xff];
    if fields.iter().any(|field| writes_false(&field)) {
        return Err("the issuing distribution point writes FALSE out".into());
    }
    // RFC 5280 §5.2.5: "at most one of onlyContainsUserCerts, onlyContainsCACerts, and onlyContainsAttributeCerts may be set to TRUE."
    let only = fields.iter().filter(|field| ONLY_CONTAINS.contains(&(field.tag & 0x1f))).count();
    if only > 1 { Err(format!("{only} of onlyContains… are TRUE")) } else { Ok(()) }
}

pub(super) fn points_agree(session: &mut Session<'_>) -> Verdict {
    let mut parts = Parts::default();
    let first = session.subject()?;
    let list = first.scope.look(session)?.complete;
    parts.add(
        "complete",
        match list.distribution_point() {
            Some(issuing) => agree(&issuing, &first.certificate),
            None => Err(Stop::Skip("its list has no issuing distribution point".into())),
        },
    )?;
    let shard = shard_agrees(session);
    parts.add("shard", shard)?;
    parts.verdict()
}

fn shard_agrees(session: &mut Session<'_>) -> Verdict {
    let subject = session.sharded_subject()?;
    let snapshot = subject.scope.look(session)?;
    // RFC 5280 §6.3.3: without the extension the list would be taken for one of all the issuer's certificates.
    let issuing = snapshot.complete.distribution_point();
    let issuing = issuing.ok_or_else(|| Stop::fail("the list of a shard has no issuing distribution point with a name"))?;
    let told = agree(&issuing, &subject.certificate)?;
    if session.need(&[Hook::Revoke]).is_err() {
        return Ok(told);
    }
    session.revoke(&subject.certificate, "superseded")?;
    subject.scope.wait_for(session, &subject.certificate)?;
    Ok(format!("{told}, and lists its certificates"))
}

/// RFC 5280 §5.2.5: "If the distributionPoint field is present, then it MUST include at least one of names from the corresponding
/// distributionPoint field of the cRLDistributionPoints extension of every certificate that is within the scope of this CRL. The identical
/// encoding MUST be used in the distributionPoint fields of the certificate and the CRL." An issuer that has changed its URLs names the
/// old ones too.
fn agree(issuing: &Element, certificate: &Certificate) -> Verdict {
    let extension = certificate.extension(CRL_DISTRIBUTION_POINTS);
    let extension = extension.ok_or_else(|| Stop::fail("the certificate has no cRLDistributionPoints"))?;
    let names: Vec<Element> = distribution_points(extension)?.into_iter().filter_map(|point| point.name).collect();
    if names.contains(issuing) {
        return Ok("the same octets".into());
    }
    let is_within = |name: &Element| full_names(name).iter().all(|one| full_names(issuing).contains(one));
    let found = names.iter().any(|name| !full_names(name).is_empty() && is_within(name));
    require(found, || "the list's distributionPoint is not the certificate's".into())?;
    Ok("the same octets, among other names".into())
}
