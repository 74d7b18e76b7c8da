//! The fields of a list and who signed it (RFC 5280 §5.1).

use std::collections::BTreeSet;

use super::{
    gather::{Found, each_of, lists, lists_with_entries},
    session::Session,
};
use crate::{
    asn1::tag,
    certificate::Time,
    signature,
    verdict::{Verdict, require},
};

/// Bit of `keyUsage` that says a key signs CRLs (RFC 5280 §4.2.1.3).
const CRL_SIGN: usize = 6;

pub(super) fn algorithms(found: &Found) -> Result<(), String> {
    // RFC 5280 §5.1.1.2: "This field MUST contain the same algorithm identifier as the signature field in the sequence tbsCertList".
    if found.list.algorithm.encode() == found.list.tbs_algorithm {
        Ok(())
    } else {
        Err("signatureAlgorithm and signature differ".into())
    }
}

pub(super) fn version(found: &Found) -> Result<(), String> {
    // RFC 5280 §5.1.2.1: "this field MUST be present and MUST specify version 2 (the integer value is 1)."
    match found.list.version.as_deref() {
        Some([1]) => Ok(()),
        Some(other) => Err(format!("version {other:02x?}, not 1")),
        None => Err("no version".into()),
    }
}

pub(super) fn issuer(found: &Found) -> Result<(), String> {
    // RFC 5280 §5.1.2.3: "The issuer field MUST contain a non-empty X.500 distinguished name (DN)."
    if found.list.issuer.elements().is_empty() {
        return Err("the issuer is empty".into());
    }
    // RFC 5280 §4.1.2.6: the subject field of a CRL issuer "MUST be populated with a non-empty distinguished name matching the contents of
    // the issuer field … in all CRLs issued by the subject CRL issuer".
    if found.list.issuer == found.issuer.subject {
        Ok(())
    } else {
        Err("the issuer is not the CA's subject, octet for octet".into())
    }
}

pub(super) fn times(found: &Found) -> Result<(), String> {
    one_time("thisUpdate", &found.list.this_update)?;
    found.list.next_update.as_ref().map_or(Ok(()), |time| one_time("nextUpdate", time))
}

/// RFC 5280 §5.1.2.4: "CRL issuers conforming to this profile MUST encode thisUpdate as UTCTime for dates through the year 2049. CRL issuers
/// conforming to this profile MUST encode thisUpdate as GeneralizedTime for dates in the year 2050 or later." So are §5.1.2.5's and
/// §5.1.2.6's. The reader has seen to seconds and Z.
fn one_time(what: &str, time: &Time) -> Result<(), String> {
    let (Some(year), Some(_)) = (time.year(), time.unix()) else { return Err(format!("{what} {} is no moment", time.text)) };
    let wanted = if year < 2050 { tag::UTC_TIME } else { tag::GENERALIZED_TIME };
    if time.tag == wanted { Ok(()) } else { Err(format!("{what} {} in the wrong type for its year", time.text)) }
}

pub(super) fn no_entries_are_absent(session: &mut Session<'_>) -> Verdict {
    let all = lists(session)?;
    let told = each_of(&all, |found| {
        // RFC 5280 §5.1.2.6: "When there are no revoked certificates, the revoked certificates list MUST be absent."
        match found.list.revoked.as_deref() {
            Some([]) => Err("revokedCertificates is there, and empty".into()),
            _ => Ok(()),
        }
    })?;
    let bare = all.iter().filter(|found| found.list.revoked.is_none()).count();
    Ok(if bare == 0 { format!("{told}; not tried: no list is without entries") } else { told })
}

pub(super) fn entries(session: &mut Session<'_>) -> Verdict {
    let all = lists_with_entries(session)?;
    each_of(&all, |found| {
        let mut seen = BTreeSet::new();
        for entry in found.list.entries() {
            // RFC 5280 §5.1.2.6: "Certificates revoked by the CA are uniquely identified by the certificate serial number."
            if !seen.insert(entry.serial.as_slice()) {
                return Err(format!("serial number {} twice", crate::certificate::hex(&entry.serial)));
            }
            one_time("revocationDate", &entry.date)?;
        }
        Ok(())
    })
}

pub(super) fn signer(session: &mut Session<'_>) -> Verdict {
    let all = lists(session)?;
    for Found { name, list, issuer, .. } in &all {
        // RFC 5280 §6.3.3 (f): "If a key usage extension is present in the CRL issuer's certificate, verify that the cRLSign bit is set."
        // §4.2.1.3 makes it be present where a key verifies signatures on CRLs.
        require(issuer.key_usage(CRL_SIGN) == Some(true), || format!("{name}: the issuer's keyUsage lacks cRLSign"))?;
        signature::verify(&issuer.spki, &list.algorithm, &list.tbs, &list.signature)
            .map_err(|error| crate::verdict::Stop::Fail(format!("{name}: {error}")))?;
    }
    each_of(&all, |_| Ok(()))
}
