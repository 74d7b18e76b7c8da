//! Where a certificate says that its status is told (RFC 5280 §4.2.1.13, §4.2.2.1), and that it is told nowhere (RFC 9608).

use super::gather::collect;
use crate::{
    certificate::Certificate,
    channel::Dial,
    http::Request,
    pointers::{
        AUTHORITY_INFORMATION_ACCESS, CA_ISSUERS, CRL_DISTRIBUTION_POINTS, FRESHEST_CRL, NO_REV_AVAIL, OCSP, accesses,
        distribution_points,
    },
    session::Session,
    specimens::Origin,
    target::Url,
    verdict::{Stop, Verdict, require},
};

/// RFC 2585 §4.1.
const PKIX_CERT: &str = "application/pkix-cert";

pub(super) fn is_told(session: &mut Session<'_>) -> Verdict {
    let collection = collect(session)?;
    let mut urls: Vec<Url> = Vec::new();
    for specimen in &collection.specimens {
        let certificate = &specimen.certificate;
        let outcome = form(certificate).and_then(|()| match specimen.origin {
            Origin::Enrolled => presence(certificate),
            // A root has nobody above it, and the server's own certificate may be another CA's.
            Origin::Authorities | Origin::Server => Ok(()),
        });
        require(outcome.is_ok(), || format!("{}: {}", specimen.label, outcome.err().unwrap_or_default()))?;
        if specimen.origin == Origin::Enrolled {
            urls.extend(accesses(certificate, CA_ISSUERS)?.into_iter().filter(|url| !urls.contains(url)).collect::<Vec<_>>());
        }
    }
    let authorities: Vec<&Certificate> = collection.authorities().map(|specimen| &specimen.certificate).collect();
    for url in &urls {
        issuer_at(session, url, &authorities).map_err(|stop| stop.about(&url.to_string()))?;
    }
    Ok(format!("{}; {} URLs of issuers", collection.summary(), urls.len()))
}

/// What these extensions look like, where they are.
pub(super) fn form(certificate: &Certificate) -> Result<(), String> {
    // RFC 5280 §4.2.1.13: "The extension SHOULD be non-critical"; §4.2.1.15 and §4.2.2.1: "MUST be marked as non-critical"; RFC 9608 §2 has
    // conforming CAs do the same.
    for (oid, what) in [
        (CRL_DISTRIBUTION_POINTS, "cRLDistributionPoints"),
        (FRESHEST_CRL, "freshestCRL"),
        (AUTHORITY_INFORMATION_ACCESS, "authorityInfoAccess"),
        (NO_REV_AVAIL, "noRevAvail"),
    ] {
        if certificate.extension(oid).is_some_and(|extension| extension.critical) {
            return Err(format!("{what} is critical"));
        }
    }
    for oid in [CRL_DISTRIBUTION_POINTS, FRESHEST_CRL] {
        let Some(extension) = certificate.extension(oid) else { continue };
        // RFC 5280 §4.2.1.13: "a DistributionPoint MUST NOT consist of only the reasons field; either distributionPoint or cRLIssuer MUST be
        // present."
        let points = distribution_points(extension).map_err(|fault| fault.0)?;
        if points.iter().any(|point| point.name.is_none() && !point.has_issuer) {
            return Err("a DistributionPoint without distributionPoint and cRLIssuer".into());
        }
    }
    Ok(())
}

/// That they are there, or that the certificate says why not.
pub(super) fn presence(certificate: &Certificate) -> Result<(), String> {
    let has_list = certificate.extension(CRL_DISTRIBUTION_POINTS).is_some();
    let has_responder = !accesses(certificate, OCSP).map_err(|fault| fault.0)?.is_empty();
    if certificate.extension(NO_REV_AVAIL).is_some() {
        // RFC 9608 §3: a certificate with noRevAvail has neither CRL distribution points nor freshest CRL, and no id-ad-ocsp.
        let is_told = has_list || has_responder || certificate.extension(FRESHEST_CRL).is_some();
        return if is_told { Err("noRevAvail beside cRLDistributionPoints, freshestCRL or ocsp".into()) } else { Ok(()) };
    }
    let has_issuer = !accesses(certificate, CA_ISSUERS).map_err(|fault| fault.0)?.is_empty();
    match (has_list, has_responder, has_issuer) {
        (true, true, true) => Ok(()),
        (false, ..) => Err("neither cRLDistributionPoints nor noRevAvail".into()),
        (_, false, _) => Err("no ocsp in authorityInfoAccess".into()),
        (_, _, false) => Err("no caIssuers in authorityInfoAccess".into()),
    }
}

/// RFC 5280 §4.2.2.1: "the URI MUST point to either a single DER encoded certificate as specified in [RFC2585] or a collection of
/// certificates"; here it is one.
fn issuer_at(session: &mut Session<'_>, url: &Url, authorities: &[&Certificate]) -> Result<(), Stop> {
    let request = Request::new("GET", &url.path).called("ca-issuers");
    let response = session.exchange(&request.dialled(Dial { origin: Some(url.clone()), ..Dial::default() }))?;
    require(response.status == 200, || format!("{}, not 200", response.status))?;
    let media_type = response.media_type();
    require(media_type.as_deref() == Some(PKIX_CERT), || format!("content type {media_type:?}, not {PKIX_CERT}"))?;
    let issuer = Certificate::parse(&response.content)?;
    require(authorities.iter().any(|one| one.der == issuer.der), || "a certificate that is not in cacerts".into())
}
