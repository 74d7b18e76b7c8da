//! Names at re-enrollment (RFC 7030 §4.2.2): "The request Subject field and SubjectAltName extension MUST be identical to the corresponding
//! fields in the certificate being renewed/rekeyed."

use super::{
    device::Device,
    renewal,
    steps::{issued, require_refusal},
};
use crate::{
    asn1::{Body, Element, tag},
    clause::Reading,
    csr::{Wish, attribute, encode_dns_names, encode_name},
    endpoint::Endpoint,
    parts::Parts,
    session::Session,
    verdict::{Stop, Verdict, require},
};

/// What makes a second name of a user's.
const SECOND: &str = "second-";

pub(super) fn keeps_the_names(session: &mut Session<'_>) -> Verdict {
    let endpoint = user_of_two_names(session)?;
    let device = Device::enroll(session, endpoint)?;
    let user = device.endpoint.user.clone();
    let second = format!("{SECOND}{user}");
    let mut parts = Parts::default();

    device.renew(session, &device.same_names(), &device.key).map_err(|stop| stop.about("the same names"))?;
    parts.add("the same names", Ok("200".into()))?;
    let renamed = encode_name(&[(attribute::COMMON_NAME, second.clone())]);
    refused(session, &mut parts, "another CN", &device, &device.same_names().with_subject(&renamed))?;
    let added = Wish::empty().with_subject(&device.certificate.subject).with_dns_names(&[&user, &second]);
    refused(session, &mut parts, "a SAN added", &device, &added)?;
    let verdict = refuses_one_of_two(session);
    parts.add("one SAN of two dropped", verdict)?;
    let retyped = device.same_names().with_subject(&retyped(&device.certificate.subject)?);
    refused(session, &mut parts, "CN in another string type", &device, &retyped)?;
    let verdict = without_names(session, &device);
    parts.add("no subjectAltName", verdict)?;
    parts.verdict()
}

fn refused(session: &mut Session<'_>, parts: &mut Parts, what: &str, device: &Device, wish: &Wish) -> Result<(), Stop> {
    let response = session.exchange(&device.request("simplereenroll", &wish.sign(&device.key)?))?;
    require_refusal(&response, what)?;
    parts.add(what, Ok(response.status.to_string()))
}

/// A user to whom no name here is forbidden, where one can be made: then names are refused for not being the certificate's, and for no
/// other reason. If not, the target's user.
fn user_of_two_names(session: &mut Session<'_>) -> Result<Endpoint, Stop> {
    if !session.makes_users() {
        return session.endpoint();
    }
    let url = session.target().url.parse().map_err(Stop::fail)?;
    session.new_user_at(url, &[SECOND])
}

fn refuses_one_of_two(session: &mut Session<'_>) -> Verdict {
    if !session.makes_users() {
        return Err(Stop::Skip("the target's user has one name only, and no hook add_user takes an {endpoint}".into()));
    }
    let endpoint = user_of_two_names(session)?;
    let user = endpoint.user.clone();
    let device = Device::enroll_for(session, endpoint, &[&user, &format!("{SECOND}{user}")])?;
    let dropped = Wish::empty().with_subject(&device.certificate.subject).with_dns_names(&[&user]);
    let response = session.exchange(&device.request("simplereenroll", &dropped.sign(&device.key)?))?;
    require_refusal(&response, "renewed")?;
    Ok(response.status.to_string())
}

/// The same subject, PrintableString and UTF8String exchanged: equal to who compares names (RFC 5280 §7.1), but not identical.
fn retyped(subject: &Element) -> Result<Element, Stop> {
    let mut changed = subject.clone();
    exchange_types(&mut changed);
    require(changed != *subject, || "in the suite: a subject without string to retype".into())?;
    Ok(changed)
}

fn exchange_types(element: &mut Element) {
    match (&mut element.body, element.tag) {
        (Body::Constructed(elements), _) => elements.iter_mut().for_each(exchange_types),
        (Body::Primitive(_), tag::UTF8_STRING) => element.tag = tag::PRINTABLE_STRING,
        (Body::Primitive(_), tag::PRINTABLE_STRING) => element.tag = tag::UTF8_STRING,
        (Body::Primitive(_), _) => {}
    }
}

/// Strict: no subjectAltName is not identical to one. Compatible: devices are known that leave it out; the old one is kept.
fn without_names(session: &mut Session<'_>, device: &Device) -> Verdict {
    require(device.alternative_names().is_some(), || "the certificate has no subjectAltName, though it was asked for".into())?;
    let wish = Wish::empty().with_subject(&device.certificate.subject);
    let response = session.exchange(&device.request("simplereenroll", &wish.sign(&device.key)?))?;
    match session.reading {
        Reading::Strict => require_refusal(&response, "left out")?,
        Reading::Compatible => renewal::require_successor(&device.certificate, &issued(&response, &device.key)?)?,
    }
    Ok(response.status.to_string())
}

pub(super) fn never_ignores_a_change(session: &mut Session<'_>) -> Verdict {
    // RFC 7030 §4.2.2: "The ChangeSubjectName attribute, as defined in [RFC6402], MAY be included in the CSR to request that these fields
    // be changed in the new certificate." RFC 6402 §2.8: "If present, the subject field is copied to the name field of the template."
    let endpoint = user_of_two_names(session)?;
    let device = Device::enroll(session, endpoint)?;
    device.renew(session, &device.same_names(), &device.key).map_err(|stop| stop.about("without the attribute"))?;
    let second = format!("{SECOND}{}", device.endpoint.user);
    let (subject, names) = (encode_name(&[(attribute::COMMON_NAME, second.clone())]), encode_dns_names(&[&second]));
    let csr = device.same_names().with_changed_name(&subject, &names).sign(&device.key)?;
    let response = session.exchange(&device.request("simplereenroll", &csr))?;
    if response.status != 200 {
        require_refusal(&response, "ChangeSubjectName")?;
        return Ok(format!("{}: not done, and said so", response.status));
    }
    let changed = issued(&response, &device.key)?;
    require(changed.subject == subject && changed.dns_names() == [second], || "ChangeSubjectName was ignored".into())?;
    Ok("200 with the new names".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retyping_goes_both_ways() {
        let name = encode_name(&[(attribute::COMMON_NAME, "a".into()), (attribute::SERIAL_NUMBER, "1".into())]);
        let other = retyped(&name).expect("has strings");
        assert_ne!(other, name);
        assert_eq!(retyped(&other).expect("has strings"), name);
    }
}
