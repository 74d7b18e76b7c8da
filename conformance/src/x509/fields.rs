//! The fields of a TBSCertificate (RFC 5280 §4.1).

use std::collections::BTreeSet;

use super::gather::collect;
use crate::{
    asn1::{Element, tag},
    certificate::{Certificate, Time, extension},
    session::Session,
    specimens::Origin,
    verdict::{Verdict, require},
};

/// Bits of a serial number that must differ by chance between any two certificates.
const RANDOM_BITS: u32 = 64;

pub(super) fn version_and_serial(session: &mut Session<'_>) -> Verdict {
    let collection = collect(session)?;
    for specimen in &collection.specimens {
        let outcome = one_version_and_serial(&specimen.certificate);
        require(outcome.is_ok(), || format!("{}: {}", specimen.label, outcome.err().unwrap_or_default()))?;
    }
    // RFC 5280 §4.1.2.2: "It MUST be unique for each certificate issued by a given CA".
    let mut seen = BTreeSet::new();
    for specimen in &collection.specimens {
        let pair = (specimen.certificate.issuer.encode(), specimen.certificate.serial.clone());
        require(seen.insert(pair), || format!("{}: its serial number is another's too", specimen.label))?;
    }
    let serials: Vec<&[u8]> = collection.enrolled().map(|specimen| specimen.certificate.serial.as_slice()).collect();
    let outcome = randomness(&serials);
    require(outcome.is_ok(), || outcome.err().unwrap_or_default())?;
    Ok(format!(
        "{}; serial numbers of {} octets",
        collection.summary(),
        serials.iter().map(|serial| serial.len()).max().unwrap_or(0)
    ))
}

fn one_version_and_serial(certificate: &Certificate) -> Result<(), String> {
    // RFC 5280 §4.1.2.1: "When extensions are used, as expected in this profile, version MUST be 3 (value is 2)."
    if certificate.version.as_deref() != Some(&[2]) {
        return Err("the version is not v3".into());
    }
    // RFC 5280 §4.1.2.2: "The serial number MUST be a positive integer assigned by the CA to each certificate."
    let is_negative = certificate.serial.first().is_some_and(|first| *first >= 0x80);
    if is_negative || certificate.serial.iter().all(|octet| *octet == 0) {
        return Err("the serial number is not positive".into());
    }
    // RFC 5280 §4.1.2.2: "Conforming CAs MUST NOT use serialNumber values longer than 20 octets."
    if certificate.serial.len() > 20 { Err(format!("a serial number of {} octets", certificate.serial.len())) } else { Ok(()) }
}

/// No two serial numbers may agree but in what a clock or counter explains: of random bits, half differ. A sample cannot prove
/// 64 random bits, but it shows a serial too short to hold them, and bits that never move.
fn randomness(serials: &[&[u8]]) -> Result<(), String> {
    if let Some(short) = serials.iter().find(|serial| serial.len() * 8 < RANDOM_BITS as usize) {
        return Err(format!("a serial number of {} octets cannot hold {RANDOM_BITS} random bits", short.len()));
    }
    let Some((first, others)) = serials.split_first() else { return Ok(()) };
    if others.len() < 2 {
        return Ok(());
    }
    // A bit that is the same in all n serials by chance: 2^(1-n). With 5 serials 94 % of the random bits move.
    let mut moved = [0_u8; 20];
    for other in others {
        for (at, bits) in moved.iter_mut().enumerate() {
            *bits |= last(first, at) ^ last(other, at);
        }
    }
    let moving: u32 = moved.iter().map(|bits| bits.count_ones()).sum();
    let chance = 1.0 - 0.5_f64.powi(i32::try_from(others.len()).unwrap_or(i32::MAX));
    // Four standard deviations below what 64 random bits give.
    let floor = f64::from(RANDOM_BITS) * chance - 4.0 * (f64::from(RANDOM_BITS) * chance * (1.0 - chance)).sqrt();
    if f64::from(moving) < floor {
        Err(format!("only {moving} bits differ among {} serial numbers", serials.len()))
    } else {
        Ok(())
    }
}

/// The octet `at` places from the end.
fn last(octets: &[u8], at: usize) -> u8 {
    octets.iter().rev().nth(at).copied().unwrap_or(0)
}

pub(super) fn algorithms(certificate: &Certificate, _: Option<&Certificate>) -> Result<(), String> {
    // RFC 5280 §4.1.1.2: "This field MUST contain the same algorithm identifier as the signature field in the sequence tbsCertificate".
    if certificate.algorithm.encode() != certificate.tbs_algorithm {
        return Err("signatureAlgorithm and signature differ".into());
    }
    let [oid, parameters @ ..] = certificate.algorithm.elements() else { return Err("an empty AlgorithmIdentifier".into()) };
    let oid = oid.oid().ok_or("an AlgorithmIdentifier without OBJECT IDENTIFIER")?.to_string();
    match (oid.as_str(), parameters) {
        // RFC 4055 §5: "the parameters MUST be NULL".
        ("1.2.840.113549.1.1.11" | "1.2.840.113549.1.1.12" | "1.2.840.113549.1.1.13", [null]) if null.tag == tag::NULL => {
            Ok(())
        }
        ("1.2.840.113549.1.1.11" | "1.2.840.113549.1.1.12" | "1.2.840.113549.1.1.13", _) => {
            Err("RSA parameters are not NULL".into())
        }
        ("1.2.840.113549.1.1.10", [_]) => Ok(()),
        // RFC 5758 §3.2 and RFC 8410 §3: "the encoding MUST omit the parameters field"; "the parameters MUST be absent".
        (oid, []) if oid.starts_with("1.2.840.10045.4.3.") || oid.starts_with("1.3.101.") => Ok(()),
        (oid, _) => Err(format!("signature algorithm {oid} with {} parameters", parameters.len())),
    }
}

pub(super) fn issuers(session: &mut Session<'_>) -> Verdict {
    let collection = collect(session)?;
    for specimen in &collection.specimens {
        let issuer = collection.issuer_of(&specimen.certificate);
        // RFC 7030 §3.6.2: the server's own certificate may be another CA's, which cacerts need not hold.
        let may_be_foreign = specimen.origin == Origin::Server;
        require(issuer.is_some() || may_be_foreign, || {
            format!("{}: no CA certificate in cacerts has its issuer's name or key identifier", specimen.label)
        })?;
        let outcome = issuer_name(&specimen.certificate, issuer);
        require(outcome.is_ok(), || format!("{}: {}", specimen.label, outcome.err().unwrap_or_default()))?;
    }
    Ok(collection.summary())
}

pub(super) fn issuer_name(certificate: &Certificate, issuer: Option<&Certificate>) -> Result<(), String> {
    // RFC 5280 §4.1.2.4: "The issuer field MUST contain a non-empty distinguished name (DN)."
    if certificate.issuer.elements().is_empty() {
        return Err("the issuer is empty".into());
    }
    // RFC 5280 §4.1.2.6: the subject field of a CA "MUST be populated with a non-empty distinguished name matching the contents of the
    // issuer field … in all certificates issued by the subject CA".
    match issuer {
        Some(issuer) if issuer.subject != certificate.issuer => {
            Err("the issuer is not the issuing CA's subject, octet for octet".into())
        }
        _ => Ok(()),
    }
}

pub(super) fn validity(certificate: &Certificate, issuer: Option<&Certificate>) -> Result<(), String> {
    one_time("notBefore", &certificate.not_before)?;
    one_time("notAfter", &certificate.not_after)?;
    if certificate.not_before.unix() >= certificate.not_after.unix() {
        return Err("notAfter is not after notBefore".into());
    }
    let ends_later = issuer.is_some_and(|issuer| certificate.not_after.unix() > issuer.not_after.unix());
    if ends_later { Err("valid for longer than its issuer".into()) } else { Ok(()) }
}

/// RFC 5280 §4.1.2.5: "CAs conforming to this profile MUST always encode certificate validity dates through the year 2049 as UTCTime;
/// certificate validity dates in 2050 or later MUST be encoded as GeneralizedTime."
fn one_time(what: &str, time: &Time) -> Result<(), String> {
    let (Some(year), Some(_)) = (time.year(), time.unix()) else { return Err(format!("{what} {} is no moment", time.text)) };
    let wanted = if year < 2050 { tag::UTC_TIME } else { tag::GENERALIZED_TIME };
    if time.tag == wanted { Ok(()) } else { Err(format!("{what} {} in the wrong type for its year", time.text)) }
}

pub(super) fn empty_subject(certificate: &Certificate, _: Option<&Certificate>) -> Result<(), String> {
    if !certificate.subject.elements().is_empty() {
        return Ok(());
    }
    // RFC 5280 §4.1.2.6: "If the subject is a CA …, then the subject field MUST be populated with a non-empty distinguished name".
    if certificate.is_authority() {
        return Err("a CA without a subject".into());
    }
    // RFC 5280 §4.2.1.6: "If the subject field contains an empty sequence, then the issuing CA MUST include a subjectAltName extension
    // that is marked as critical."
    match certificate.extension(extension::SUBJECT_ALT_NAME) {
        Some(names) if names.critical => Ok(()),
        Some(_) => Err("an empty subject and a subjectAltName that is not critical".into()),
        None => Err("an empty subject and no subjectAltName".into()),
    }
}

pub(super) fn uniqueness(certificate: &Certificate, _: Option<&Certificate>) -> Result<(), String> {
    // RFC 5280 §4.1.2.8: "CAs conforming to this profile MUST NOT generate certificates with unique identifiers."
    if certificate.has_unique_identifier {
        return Err("a unique identifier".into());
    }
    // RFC 5280 §4.2: "A certificate MUST NOT include more than one instance of a particular extension."
    let mut seen = BTreeSet::new();
    match certificate.extensions.iter().find(|extension| !seen.insert(extension.oid)) {
        Some(again) => Err(format!("extension {} twice", again.oid)),
        None => certificate
            .extensions
            .iter()
            .try_for_each(|extension| extension.element().map(|_: Element| ()).map_err(|fault| fault.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_that_count_are_found_out() {
        let counted: Vec<Vec<u8>> = (0..5_u8).map(|number| [vec![7; 15], vec![number]].concat()).collect();
        let counted: Vec<&[u8]> = counted.iter().map(Vec::as_slice).collect();
        assert!(randomness(&counted).is_err());
        assert!(randomness(&[&[1, 2, 3, 4]]).is_err());
    }

    #[test]
    fn random_serials_are_taken() {
        for _ in 0..50 {
            let serials: Vec<Vec<u8>> =
                (0..5).map(|_| crate::key::Key::p256().sign(b"x").expect("signed")[40..56].to_vec()).collect();
            let serials: Vec<&[u8]> = serials.iter().map(Vec::as_slice).collect();
            randomness(&serials).expect("random enough");
        }
    }
}
