//! Lists that are signed elsewhere and brought: which are taken, and what they do.

use bytes::Bytes;
use certgate_ca_backend_local::OfflineBackend;
use certgate_crl::{CrlFields, IssuingDistributionPoint, Kind};
use certgate_pki::KeyIdentifier;

use super::*;

/// Since when the key is elsewhere.
const SINCE: Timestamp = NOW;

impl Fixture {
    /// Keeps what there is, without the key.
    async fn keep(&self, terms: CrlTerms) -> CrlPublisher {
        let authority = Arc::new(self.ca.over(OfflineBackend::new("default", SINCE)));
        let parts = PublisherParts { authority, ..self.parts(terms.without_deltas()) };
        CrlPublisher::keep(parts, SINCE, &self.tasks, &self.stopping).await
    }

    /// The next list as it is made where the key is.
    fn next(&self, previous: &[u8], revoked: &[Entry]) -> Bytes {
        let (key, now) = (ca_key(), self.ca.core.clock.now());
        let previous = Crl::parse(previous).unwrap();
        let certificate = &self.ca.authority.chain()[0];
        let next = NextCrl { key: &*key, certificate, previous: &previous, revoked, validity: 365 * DAY };
        next.sign(now, &self.ca.core.provider).unwrap().into()
    }

    /// Fields of a list without entries that is taken as it is.
    fn fields<'f>(&'f self, authority_key: &'f KeyIdentifier, number: &'f CrlNumber) -> CrlFields<'f> {
        CrlFields {
            issuer: self.ca.authority.chain()[0].subject(),
            this_update: NOW,
            next_update: NOW.after(DAY),
            authority_key,
            number,
            distribution_point: None,
            kind: Kind::Complete { freshest: None },
        }
    }

    async fn status(&self, record: &CertificateRecord) -> CertificateStatus {
        self.ca.ledger.find(&record.serial).await.unwrap().unwrap().status
    }
}

fn entry(record: &CertificateRecord, reason: CrlReason) -> Entry {
    let serial = record.serial.clone();
    Entry { serial, revocation_date: NOW.before(HOUR).floor_to_second(), reason: Some(reason), invalidity_date: None }
}

/// Signed by the key.
fn signed(fields: &CrlFields<'_>) -> Bytes {
    let draft = fields.prepare(ca_key().algorithm(), [&[][..]]).unwrap();
    let signature = ca_key().sign(draft.to_be_signed()).unwrap();
    draft.assemble(&signature).into()
}

fn der(publisher: &CrlPublisher, id: ListId) -> Bytes {
    publisher.published(id).unwrap().der.clone()
}

async fn refused(publisher: &CrlPublisher, der: Bytes) -> String {
    publisher.import(der).await.unwrap_err().to_string()
}

#[tokio::test]
async fn what_there_was_is_served_and_the_next_list_is_brought() {
    let mut fixture = Fixture::new().await;
    let (first, second) = (fixture.issue(1, 0, 90 * DAY).await, fixture.issue(2, 0, 90 * DAY).await);
    fixture.revoke(&first).await;
    let made = der(&fixture.start(terms(0, None)).await, complete(0));
    fixture.stop().await;

    let publisher = fixture.keep(terms(0, None)).await;
    assert_eq!(der(&publisher, complete(0)), made);
    let why = publisher.build(Demand::All, Arc::default()).await.unwrap_err().to_string();
    assert!(why.contains("the key of default is offline since") && why.contains("certgate crl sign"), "{why}");
    fixture.ca.clock.advance(2 * DAY);
    let next = fixture.next(&made, &[entry(&second, CrlReason::CaCompromise)]);
    let imported = publisher.import(next.clone()).await.unwrap();
    assert_eq!((imported.id, imported.revoked, imported.unknown), (complete(0), vec![second.serial.clone()], 0));
    let list = fixture.read(&publisher, complete(0));
    assert_eq!((list.number, list.listed.len(), list.next_update), (2, 2, NOW.after(367 * DAY)));
    assert_eq!(std::fs::read(fixture.directory.path().join("crl/default.crl")).unwrap(), next);
    // OCSP says what the list says.
    let revocation = Revocation::new(NOW.before(HOUR).floor_to_second(), RevocationReason::CaCompromise);
    assert_eq!(fixture.status(&second).await, CertificateStatus::Revoked(revocation));
    let event = fixture.ca.ledger.events().pop().unwrap();
    assert_eq!((event.kind, event.actor.as_str()), (EventKind::CrlPublished, "operator"));
    // The same again changes nothing; the one before is none any more.
    let recorded = fixture.ca.ledger.events().len();
    assert!(publisher.import(next.clone()).await.unwrap().revoked.is_empty());
    assert_eq!(fixture.ca.ledger.events().len(), recorded);
    let why = refused(&publisher, made).await;
    assert!(why.contains("its number is 1, and 2 was published before"), "{why}");
    // A file that was lost comes back so.
    fixture.stop().await;
    std::fs::remove_file(fixture.directory.path().join("crl/default.crl")).unwrap();
    let publisher = fixture.keep(terms(0, None)).await;
    assert!(publisher.published(complete(0)).is_none());
    publisher.import(next.clone()).await.unwrap();
    fixture.stop().await;
    assert_eq!(der(&fixture.keep(terms(0, None)).await, complete(0)), next);
    fixture.stop().await;
    // With the key back, numbers go on, and lists last as long as they did.
    let publisher = fixture.start(terms(0, None)).await;
    until(|| number(&publisher, complete(0)) == 3).await;
    let list = fixture.read(&publisher, complete(0));
    assert_eq!((list.listed.len(), list.next_update), (2, NOW.after(9 * DAY)));
    let why = refused(&publisher, next).await;
    assert!(why.contains("the key of default is here"), "{why}");
}

#[tokio::test]
async fn nobody_comes_back_by_a_list_that_is_brought() {
    let mut fixture = Fixture::new().await;
    let made = der(&fixture.start(terms(0, None)).await, complete(0));
    fixture.stop().await;
    let (one, held, over) =
        (fixture.issue(1, 0, 90 * DAY).await, fixture.issue(2, 0, 90 * DAY).await, fixture.issue(3, 0, HOUR).await);
    let publisher = fixture.keep(terms(0, None)).await;
    fixture.revoke(&one).await;
    fixture.revoke(&over).await;
    fixture.change(&held, CertificateStatus::Held(NOW)).await;
    fixture.ca.clock.advance(2 * HOUR);
    let due = || {
        let shown = fixture.metrics.encode();
        shown.contains("crl_import_due{authority=\"default\",shard=\"0\",kind=\"complete\"} 1")
    };
    until(due).await;
    let hold = |record| entry(record, CrlReason::CertificateHold);
    let key = |record| entry(record, CrlReason::KeyCompromise);
    for (entries, lacks) in [
        (vec![], format!("{} {}", one.serial, held.serial)),
        (vec![key(&one)], held.serial.to_string()),
        (vec![hold(&one), hold(&held)], one.serial.to_string()),
    ] {
        let why = refused(&publisher, fixture.next(&made, &entries)).await;
        assert!(why.ends_with(&format!("revoke them in it: {lacks}")), "{why}");
        assert_eq!(number(&publisher, complete(0)), 1);
    }
    publisher.import(fixture.next(&made, &[key(&one), hold(&held)])).await.unwrap();
    assert_eq!(fixture.read(&publisher, complete(0)).listed, [(1, KEY), (2, Some("hold"))]);
    until(|| !due()).await;
    // What is on hold is revoked by the next one, and what is not known here does no harm.
    let stranger = CertificateRecord { serial: Serial::from_octets(&[9; 16]).unwrap(), ..one.clone() };
    let made = der(&publisher, complete(0));
    let imported = publisher.import(fixture.next(&made, &[key(&held), key(&stranger)])).await.unwrap();
    assert_eq!((imported.revoked, imported.unknown), (vec![held.serial.clone()], 1));
    assert_eq!(fixture.read(&publisher, complete(0)).listed, [(1, KEY), (2, KEY), (9, KEY)]);
    // The next list, whoever makes it, is to have it too.
    let known = certgate_enrollment::History::find_listed(&*fixture.ca.ledger, &stranger.serial).await.unwrap().unwrap();
    assert!(matches!(known.status, CertificateStatus::Revoked(_)), "{known:?}");
    let why = refused(&publisher, fixture.next(&made, &[key(&held)])).await;
    assert!(why.contains("was published before") || why.ends_with(&stranger.serial.to_string()), "{why}");
}

#[tokio::test]
async fn a_list_that_could_not_be_published_is_refused() {
    let mut fixture = Fixture::new().await;
    fixture.start(terms(1, None)).await;
    fixture.stop().await;
    let publisher = fixture.keep(terms(1, None)).await;
    let other = "CN=Another".parse().unwrap();
    let (name, base) = (DistributionPointName::from_urls(["http://c.example/x"]).unwrap(), CrlNumber::from(8));
    let of_elsewhere = IssuingDistributionPoint::new(Some(name.clone()), Scope::All).unwrap();
    let of_cas = IssuingDistributionPoint::new(None, Scope::CaCertificates).unwrap();
    let stranger = KeyIdentifier::from_octets(vec![7; 20]);
    let own = fixture.ca.authority.chain()[0].serial().clone();
    let root = Entry { serial: own, revocation_date: NOW, reason: None, invalidity_date: None };
    let ski = fixture.ca.authority.chain()[0].extensions().subject_key_identifier().unwrap().unwrap();
    let (key, nine) = (KeyIdentifier::from_octets(ski), CrlNumber::from(9));
    let plain = || fixture.fields(&key, &nine);
    let mut broken = signed(&plain()).to_vec();
    *broken.last_mut().unwrap() ^= 1;
    for (list, expected) in [
        (Bytes::from_static(b"none"), "not an X.509 v2 CRL"),
        (broken.into(), "its signature is not by the key of default"),
        (signed(&CrlFields { issuer: &other, ..plain() }), "it is of CN=Another, and default is CN=Testkit Root"),
        (signed(&CrlFields { kind: Kind::Delta { base: &base }, ..plain() }), "it is a delta"),
        (signed(&CrlFields { authority_key: &stranger, ..plain() }), "authorityKeyIdentifier"),
        (signed(&CrlFields { this_update: NOW.after(HOUR), ..plain() }), "and it is"),
        (signed(&CrlFields { this_update: NOW.before(DAY), next_update: NOW, ..plain() }), "and it is"),
        (signed(&CrlFields { this_update: NOW.before(HOUR), ..plain() }), "a clock is wrong"),
        (signed(&CrlFields { kind: Kind::Complete { freshest: Some(&name) }, ..plain() }), "freshestCRL"),
        (signed(&CrlFields { distribution_point: Some(&of_elsewhere), ..plain() }), "issuingDistributionPoint"),
        (signed(&CrlFields { distribution_point: Some(&of_cas), ..plain() }), "issuingDistributionPoint"),
        (fixture.next(&der(&publisher, complete(0)), &[root]), "it revokes the authority itself"),
    ] {
        let why = refused(&publisher, list).await;
        assert!(why.contains(expected), "{expected}: {why}");
    }
    assert_eq!([0, 1].map(|shard| number(&publisher, complete(shard))), [1, 1]);
    assert_eq!(fixture.ca.ledger.events().iter().filter(|event| event.kind == EventKind::CrlPublished).count(), 2);
    // What is as it should be is taken for the list whose scope it has.
    publisher.import(signed(&plain())).await.unwrap();
    publisher.import(fixture.next(&der(&publisher, complete(1)), &[])).await.unwrap();
    assert_eq!([0, 1].map(|shard| number(&publisher, complete(shard))), [9, 2]);
    assert!(fixture.read(&publisher, complete(1)).has_point);
}

#[tokio::test]
async fn the_next_list_is_made_of_one_ca_and_never_backwards() {
    let fixture = Fixture::new().await;
    let publisher = fixture.start(terms(0, None)).await;
    let record = fixture.issue(1, 0, 90 * DAY).await;
    let made = der(&publisher, complete(0));
    let (previous, provider) = (Crl::parse(&made).unwrap(), &fixture.ca.core.provider);
    let (certificate, key, other) = (&fixture.ca.authority.chain()[0], ca_key(), certgate_testkit::device_key());
    let next = |key, revoked| NextCrl { key, certificate, previous: &previous, revoked, validity: DAY };
    let why = next(&*other, &[]).sign(NOW, provider).unwrap_err().to_string();
    assert!(why.contains("the certificate is of another key"), "{why}");
    let why = next(&*key, &[]).sign(NOW.before(HOUR), provider).unwrap_err().to_string();
    assert!(why.contains("set the clock"), "{why}");
    let twice = [entry(&record, CrlReason::KeyCompromise), entry(&record, CrlReason::Superseded)];
    let why = next(&*key, &twice).sign(NOW, provider).unwrap_err().to_string();
    assert!(why.contains("is revoked already, or is given twice"), "{why}");
    let far = NextCrl { validity: 10_000 * DAY, ..next(&*key, &twice[..1]) };
    let signed = far.sign(NOW, provider).unwrap();
    let signed = Crl::parse(&signed).unwrap();
    assert_eq!(signed.next_update, certificate.validity().not_after, "never after the end of the CA");
    let again = NextCrl { previous: &signed, ..next(&*key, &twice[..1]) };
    assert!(matches!(again.sign(NOW, provider), Err(NextError::Twice(_))));
}
