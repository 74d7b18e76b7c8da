//! What a CSR may ask for and nobody may get (RFC 8555 §7.4: the CSR "MUST indicate the exact same set of requested identifiers").

use super::{
    extensions::{ANY_PURPOSE, CMC_RA, OCSP_SIGNING},
    gather::collect,
};
use crate::{
    asn1::{Element, tag},
    certificate::{Certificate, extension},
    certs_only,
    chain::KEY_CERT_SIGN,
    csr::{Wish, attribute},
    key::Key,
    session::Session,
    verdict::{Stop, Verdict, require},
};

/// A name that the target's user was never given.
const FOREIGN: &str = "a-name-of-somebody-else.example";

pub(super) fn nothing_is_copied_blindly(session: &mut Session<'_>) -> Verdict {
    let collection = collect(session)?;
    for specimen in collection.enrolled() {
        refuse_powers(&specimen.certificate)
            .map_err(|power| Stop::Fail(format!("{}: {power}, which nobody asked for", specimen.label)))?;
    }
    let (user, _) = session.login()?;
    let mut found = Vec::new();
    for (what, wish) in forbidden_wishes(user) {
        let response = session.enroll(&wish.sign(&Key::p256())?)?;
        if response.is_client_error() {
            found.push(format!("{what}: {}", response.status));
            continue;
        }
        require(response.status == 200, || format!("{what}: {}", response.status))?;
        for certificate in certs_only::decode(&response.content)? {
            refuse_powers(&certificate).map_err(|power| Stop::Fail(format!("a CSR asked for {what} and got {power}")))?;
        }
        found.push(format!("{what}: dropped"));
    }
    Ok(found.join(", "))
}

/// CSRs that ask for the user's own name and for one thing more.
fn forbidden_wishes(user: &str) -> Vec<(&'static str, Wish)> {
    let own = || Wish::common_name(user);
    let ca = Element::sequence(vec![Element::primitive(tag::BOOLEAN, &[0xff])]);
    let key_cert_sign = Element::primitive(tag::BIT_STRING, &[2, 0x04]);
    let subtree = Element::constructed(
        tag::context(0),
        vec![Element::sequence(vec![Element::primitive(tag::context_primitive(2), b"example")])],
    );
    let purposes = |purpose| {
        own().with_extension(
            extension::EXTENDED_KEY_USAGE,
            false,
            &Element::sequence(vec![Element::object_identifier(purpose)]),
        )
    };
    vec![
        ("cA TRUE", own().with_extension(extension::BASIC_CONSTRAINTS, true, &ca)),
        ("keyCertSign", own().with_extension(extension::KEY_USAGE, true, &key_cert_sign)),
        ("OCSPSigning", purposes(OCSP_SIGNING)),
        ("anyExtendedKeyUsage", purposes(ANY_PURPOSE)),
        ("cmcRA", purposes(CMC_RA)),
        ("nameConstraints", own().with_extension(extension::NAME_CONSTRAINTS, true, &Element::sequence(vec![subtree]))),
        ("a foreign dNSName", own().with_dns_names(&[user, FOREIGN])),
        ("a foreign CN", Wish::common_name(FOREIGN)),
        ("a second CN", own().with_name(attribute::COMMON_NAME, FOREIGN)),
    ]
}

/// Errs with the power or name that `certificate` has and should not.
fn refuse_powers(certificate: &Certificate) -> Result<(), String> {
    let purposes = certificate.key_purposes();
    let has = [
        (certificate.is_authority(), "cA TRUE"),
        (certificate.key_usage(KEY_CERT_SIGN) == Some(true), "keyCertSign"),
        (purposes.contains(&OCSP_SIGNING), "OCSPSigning"),
        (purposes.contains(&ANY_PURPOSE), "anyExtendedKeyUsage"),
        (purposes.contains(&CMC_RA), "cmcRA"),
        (certificate.extension(extension::NAME_CONSTRAINTS).is_some(), "nameConstraints"),
        (certificate.dns_names().iter().any(|name| name == FOREIGN), "a foreign dNSName"),
        (certificate.subject_values(attribute::COMMON_NAME).iter().any(|name| name == FOREIGN), "a foreign CN"),
    ];
    has.into_iter().find(|(is_there, _)| *is_there).map_or(Ok(()), |(_, what)| Err(what.to_owned()))
}
