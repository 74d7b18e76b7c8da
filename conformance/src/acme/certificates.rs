//! Certificates and the chains they come in (RFC 8555 §7.4.2, §9.1).

use std::collections::BTreeSet;

use super::{
    objects::{excerpt, links, require_status},
    place::{self, Place},
    session::Session,
    steps::Account,
};
use crate::{
    asn1::{Element, tag},
    certificate::Certificate,
    chain,
    csr::attribute,
    http::Response,
    key::Key,
    pem,
    verdict::{Stop, Verdict, require},
};

/// The certificates of an answer, in their order; there is one at least.
pub(super) fn read_chain(response: &Response) -> Result<Vec<Certificate>, Stop> {
    require_status(response, "the certificate", 200)?;
    let media_type = response.media_type();
    require(media_type.as_deref() == Some("application/pem-certificate-chain"), || format!("content of type {media_type:?}"))?;
    let ders = pem::decode(&response.content).map_err(|fault| Stop::Fail(format!("{fault}: {}", excerpt(response))))?;
    let certificates: Vec<Certificate> = ders.iter().map(|der| Certificate::parse(der)).collect::<Result<_, _>>()?;
    require(!certificates.is_empty(), || "no certificate".into())?;
    Ok(certificates)
}

/// A certificate of these names, fetched.
fn issued(session: &mut Session<'_>, account: &Account, names: &[String], key: &Key) -> Result<(Place, Response), Stop> {
    let (_, place) = session.valid_order(account, names, key)?;
    let response = session.post(account.signer(), &place, b"")?;
    Ok((place, response))
}

pub(super) fn come_in_chains(session: &mut Session<'_>) -> Verdict {
    let account = session.account()?;
    let names = session.new_names(1)?;
    let key = session.device_key()?;
    let (place, response) = issued(session, &account, &names, &key)?;
    let certificates = read_chain(&response)?;
    let found = judge_chain(session, &certificates)?;
    let again = session.post(account.signer(), &place, b"")?;
    // RFC 8555 §7.4.2: "A certificate resource represents a single, immutable certificate."
    require(again.content == response.content, || "the certificate is another each time".into())?;
    let alternates = links(&response, "alternate");
    for url in &alternates {
        let response = session.post(account.signer(), &place::CERTIFICATE.at(url), b"")?;
        let alternate = read_chain(&response).map_err(|stop| stop.about("an alternate"))?;
        judge_chain(session, &alternate).map_err(|stop| stop.about("an alternate"))?;
        let same = alternate.first().map(|leaf| &leaf.der) == certificates.first().map(|leaf| &leaf.der);
        require(same, || "an alternate starts with another certificate".into())?;
    }
    Ok(format!("{found}, {} alternates", alternates.len()))
}

/// RFC 8555 §9.1: "the first certificate MUST be an end-entity certificate. Each following certificate SHOULD directly certify the one
/// preceding it. … a certificate that represents a trust anchor MAY be omitted".
fn judge_chain(session: &Session<'_>, certificates: &[Certificate]) -> Verdict {
    let leaf = certificates.first().ok_or_else(|| Stop::fail("no certificate"))?;
    require(!leaf.is_authority(), || "the first certificate is an authority's".into())?;
    let unordered = |fault| Stop::Fail(format!("the chain: {fault}"));
    chain::check_steps(certificates, session.now()).map_err(unordered)?;
    let anchors = anchors(session)?;
    let last = certificates.last().unwrap_or(leaf);
    let pool: Vec<Certificate> = certificates.iter().chain(&anchors).cloned().collect();
    if last.is_self_issued() || anchors.iter().any(|anchor| anchor.subject == last.issuer) {
        chain::validate(leaf, &pool, session.now()).map_err(unordered)?;
        return Ok(format!("{} certificates, up to a root", certificates.len()));
    }
    Ok(format!("{} certificates, under an issuer that the target does not name", certificates.len()))
}

/// The target's trust anchors; none when there is no such file.
fn anchors(session: &Session<'_>) -> Result<Vec<Certificate>, Stop> {
    let Ok(text) = std::fs::read(session.ca_file) else { return Ok(Vec::new()) };
    let ders = pem::decode(&text).map_err(|fault| Stop::Fail(format!("{}: {fault}", session.ca_file.display())))?;
    Ok(ders.iter().map(|der| Certificate::parse(der)).collect::<Result<_, _>>()?)
}

pub(super) fn have_the_ordered_names(session: &mut Session<'_>) -> Verdict {
    let account = session.account()?;
    for count in [1, 3] {
        let names = session.new_names(count)?;
        let key = session.device_key()?;
        let (_, response) = issued(session, &account, &names, &key)?;
        let leaf = read_chain(&response)?.remove(0);
        require_names(&leaf, &names)?;
        require(leaf.spki == key.spki()?, || "the certificate has another key than the CSR".into())?;
    }
    Ok("exactly those that were ordered, one and three".into())
}

/// RFC 8555 §7.4: "it MUST NOT issue a certificate with contents other than those requested."
fn require_names(leaf: &Certificate, names: &[String]) -> Result<(), Stop> {
    let found = leaf.alternative_names();
    let is_dns = |name: &Element| name.tag == tag::context_primitive(2);
    require(found.iter().all(is_dns), || "a subjectAltName of another kind than dNSName".into())?;
    let found = leaf.dns_names();
    let same = found.len() == names.len() && found.iter().collect::<BTreeSet<_>>() == names.iter().collect::<BTreeSet<_>>();
    require(same, || format!("the certificate is for {found:?}, the order was of {names:?}"))?;
    let common = leaf.subject_values(attribute::COMMON_NAME);
    require(common.iter().all(|name| names.contains(name)), || format!("CN {common:?}, the order was of {names:?}"))
}
