//! The CRL of the same issuer, read as far as its entries (RFC 5280 §5.1), and held against what OCSP says.

use super::{reply::Status, session::Session, stock::SUPERSEDED};
use crate::{
    asn1::{Element, Fault, tag},
    certificate::{Certificate, Time, hex, read_extension},
    hook::Hook,
    http::Request,
    signature,
    verdict::{Stop, Verdict, require},
};

/// `reasonCode` (RFC 5280 §5.3.1).
const REASON_CODE: const_oid::ObjectIdentifier = const_oid::ObjectIdentifier::new_unwrap("2.5.29.21");
/// Seconds within which a new list is there.
const PATIENCE: i64 = 15;

/// One of `revokedCertificates`.
struct Entry {
    serial: Vec<u8>,
    date: Time,
    reason: Option<u8>,
}

/// The entries of a list that `issuer` has signed.
fn read(der: &[u8], issuer: &Certificate) -> Result<Vec<Entry>, Fault> {
    let whole = Element::parse(der)?;
    let [tbs, algorithm, bits] = whole.elements() else { return Err(Fault::new("a CertificateList is a SEQUENCE of three")) };
    signature::verify(&issuer.spki, algorithm, &tbs.encode(), bits.octets().get(1..).unwrap_or_default())
        .map_err(|error| Fault(format!("its signature: {error}")))?;
    // Behind version, signature, issuer, thisUpdate and nextUpdate; the extensions are in [0].
    let is_time = |element: &Element| matches!(element.tag, tag::UTC_TIME | tag::GENERALIZED_TIME);
    let behind = tbs.elements().iter().skip_while(|element| !is_time(element)).skip_while(|element| is_time(element));
    let list = behind.take(1).find(|element| element.tag == tag::SEQUENCE);
    list.map(Element::elements).unwrap_or_default().iter().map(read_entry).collect()
}

fn read_entry(element: &Element) -> Result<Entry, Fault> {
    let [serial, date, extensions @ ..] = element.elements() else { return Err(Fault::new("an entry without all its fields")) };
    let mut reason = None;
    for extension in extensions.iter().flat_map(Element::elements) {
        let extension = read_extension(extension)?;
        if extension.oid == REASON_CODE {
            reason = extension.element()?.octets().first().copied();
        }
    }
    Ok(Entry { serial: serial.expect_tag(tag::INTEGER, "userCertificate")?.octets().to_vec(), date: Time::read(date)?, reason })
}

fn fetch(session: &mut Session<'_>) -> Result<Vec<Entry>, Stop> {
    let url = session.crl_url()?;
    let response = session.send(&url, Request::new("GET", &url.path).called("crl"))?;
    require(response.status == 200, || format!("GET of the CRL: {}", response.status))?;
    let issuer = session.responder().issuer.clone();
    read(&response.content, &issuer).map_err(|fault| Stop::Fail(format!("the CRL: {fault}")))
}

pub(super) fn agrees(session: &mut Session<'_>) -> Verdict {
    session.crl_url()?;
    provide(session)?;
    let good = session.good(0)?;
    let changed = session.stock.changed.iter().map(|changed| changed.certificate.clone());
    let all: Vec<Certificate> = std::iter::once(good).chain(changed).collect();
    let begin = session.now();
    loop {
        let entries = fetch(session)?;
        let Err(stop) = compare(session, &all, &entries) else { break };
        if session.now() - begin >= PATIENCE {
            return Err(stop.about(&format!("{PATIENCE} s later")));
        }
        session.wait(1);
    }
    Ok(format!("of {} certificates CRL and OCSP say the same", all.len()))
}

/// A certificate that is revoked, one that is held and one that was, as far as there are hooks.
fn provide(session: &mut Session<'_>) -> Result<(), Stop> {
    session.revoked()?;
    let certificate = session.enroll()?;
    session.revoke(&certificate, SUPERSEDED)?;
    if session.require_hook(Hook::Hold).is_ok() {
        let certificate = session.enroll()?;
        session.hold(&certificate)?;
    }
    if session.require_hook(Hook::Release).is_ok() {
        let certificate = session.enroll()?;
        session.hold(&certificate)?;
        session.release(&certificate)?;
    }
    session.wait_for_delay();
    Ok(())
}

fn compare(session: &mut Session<'_>, all: &[Certificate], entries: &[Entry]) -> Result<(), Stop> {
    for certificate in all {
        let serial = hex(&certificate.serial);
        let single = session.status(certificate)?;
        let entry = entries.iter().find(|entry| entry.serial == certificate.serial);
        match (&single.status, entry) {
            (Status::Good, None) => {}
            (Status::Revoked { time, reason }, Some(entry)) => {
                require(time.unix() == entry.date.unix(), || {
                    format!("{serial}: revoked at {} by OCSP, at {} by CRL", time.text, entry.date.text)
                })?;
                // RFC 5280 §5.3.1: "the reason code CRL entry extension SHOULD be absent instead of using the unspecified (0) reasonCode".
                require(reason.unwrap_or(0) == entry.reason.unwrap_or(0), || {
                    format!("{serial}: revoked for {reason:?} by OCSP, for {:?} by CRL", entry.reason)
                })?;
            }
            (status, entry) => {
                let how = if entry.is_some() { "listed" } else { "not listed" };
                return Err(Stop::Fail(format!("{serial}: {status} by OCSP, {how} in the CRL")));
            }
        }
    }
    Ok(())
}
