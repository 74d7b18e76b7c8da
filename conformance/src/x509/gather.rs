//! Gathers the specimens: certificates enrolled for with several CSRs, the CA certificates, and the server's own.

use std::rc::Rc;

use crate::{
    certificate::Certificate,
    certs_only,
    csr::{Wish, attribute},
    key::{Key, KeyKind},
    session::Session,
    specimens::{Collection, Origin},
    verdict::{Stop, require},
};

/// The certificates of the server under test, fetched once a session.
pub(super) fn collect(session: &mut Session<'_>) -> Result<Rc<Collection>, Stop> {
    if let Some(collection) = &session.collection {
        return Ok(Rc::clone(collection));
    }
    let collection = Rc::new(gather(session)?);
    session.collection = Some(Rc::clone(&collection));
    Ok(collection)
}

/// Fetches and enrolls for all of them.
fn gather(session: &mut Session<'_>) -> Result<Collection, Stop> {
    let mut collection = Collection::default();
    let response = session.get("cacerts")?;
    require(response.status == 200, || format!("GET cacerts gave {}", response.status))?;
    for (number, certificate) in certs_only::decode(&response.content)?.into_iter().enumerate() {
        collection.add(format!("CA certificate {}", number + 1), Origin::Authorities, certificate);
    }
    if let Some(server) = response.peer.first() {
        collection.add("TLS server certificate".into(), Origin::Server, Certificate::parse(server)?);
    }
    let (user, _) = session.login()?;
    for (label, wish, key) in wishes(user, session.device_key()?)? {
        enroll(&mut collection, session, label, &wish, &key)?;
    }
    require(collection.enrolled().next().is_some(), || {
        format!("no certificate was issued: {}", collection.refused.join("; "))
    })?;
    Ok(collection)
}

fn enroll(collection: &mut Collection, session: &mut Session<'_>, label: &str, wish: &Wish, key: &Key) -> Result<(), Stop> {
    let response = session.enroll(&wish.sign(key)?)?;
    if response.is_client_error() {
        collection.refused.push(format!("{label}: {}", response.status));
        return Ok(());
    }
    require(response.status == 200, || format!("{label}: {}", response.status))?;
    for certificate in certs_only::decode(&response.content)? {
        collection.add(label.to_owned(), Origin::Enrolled, certificate);
    }
    Ok(())
}

/// CSRs that ask for what a user may have, each in another form.
fn wishes(user: &str, device_key: Key) -> Result<Vec<(&'static str, Wish, Key)>, Stop> {
    let location = Wish::empty()
        .with_name(attribute::COUNTRY, "DE")
        .with_name(attribute::STATE, "Nordrhein-Westfalen")
        .with_name(attribute::LOCALITY, "Köln");
    let located = location.with_name(attribute::SERIAL_NUMBER, "SN-0042").with_name(attribute::COMMON_NAME, user);
    Ok(vec![
        ("P-256, CN", Wish::common_name(user), Key::p256()),
        ("P-256, SAN only", Wish::empty().with_dns_names(&[user]), Key::p256()),
        ("RSA-2048, CN", Wish::common_name(user), Key::of(KeyKind::Rsa2048)?),
        ("the device's key, CN and SAN", Wish::common_name(user).with_dns_names(&[user]), device_key),
        ("P-256, C ST L serialNumber CN", located, Key::p256()),
    ])
}
