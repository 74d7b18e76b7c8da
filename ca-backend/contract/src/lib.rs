//! The test suite that every CA back end passes. A back end's own tests call [`run`] with itself; it panics at the first breach.

use std::time::Duration;

use certgate_ca_backend_api::{CaBackend, CrlOrder, Order};
use certgate_pki::asn1::{DerWriter, tag};
use certgate_pki::{
    AuthorityInfoAccess, Certificate, GeneralName, KeyIdentifier, KeyType, LeafFields, Name, Pointers, Provider, PublicKey,
    Serial, Template, Timestamp, Validity,
};

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

/// Runs every test against a back end whose CA has this key.
///
/// # Panics
/// When the back end breaks the contract.
pub async fn run(backend: &dyn CaBackend, issuer: &PublicKey, provider: &Provider) {
    signs_exactly_what_was_ordered(backend, issuer, provider).await;
    writes_dates_after_2049_as_generalized_time(backend, issuer, provider).await;
    signs_orders_that_come_together(backend, issuer, provider).await;
    signs_crls_if_it_says_so(backend, issuer, provider).await;
}

async fn signs_crls_if_it_says_so(backend: &dyn CaBackend, issuer: &PublicKey, provider: &Provider) {
    let Some(signing) = backend.crl_signing() else { return };
    let algorithm = signing.algorithm();
    let list = |version: u8| {
        let mut writer = DerWriter::default();
        writer.sequence(|w| {
            w.tlv(tag::INTEGER, &[version]);
            algorithm.write(w);
            w.raw(name("CN=Contract CA").as_der());
            NOW.write_time(w);
        });
        writer.finish()
    };
    let made = list(1);
    let order = CrlOrder::new(&made).unwrap_or_else(|| panic!("a TBSCertList is one"));
    let signature = signing.sign_crl(order).await.unwrap_or_else(|error| panic!("the list is signed: {error}"));
    assert!(provider.verify.verify(issuer, algorithm, &made, &signature).is_ok(), "the signature verifies with the CA's key");
    // What else the key signs is never taken for a list.
    let certificate = template(KeyType::P256, issuer, provider, Duration::from_secs(86_400), 5).to_be_signed(algorithm);
    for other in [certificate, list(0), list(2), Vec::new(), [&made[..], &[0]].concat()] {
        assert!(CrlOrder::new(&other).is_none(), "{other:02x?}");
    }
}

fn name(text: &str) -> Name {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

async fn signs_exactly_what_was_ordered(backend: &dyn CaBackend, issuer: &PublicKey, provider: &Provider) {
    for key_type in [KeyType::P256, KeyType::Rsa { bits: 2048 }, KeyType::Ed25519] {
        let template = template(key_type, issuer, provider, Duration::from_secs(90 * 86_400), 1);
        let certificate = sign(backend, template.clone()).await;
        assert!(certificate.verify_signed_by(issuer, provider).is_ok(), "the signature verifies with the CA's key");
        assert_is(&certificate, &template);
    }
}

async fn writes_dates_after_2049_as_generalized_time(backend: &dyn CaBackend, issuer: &PublicKey, provider: &Provider) {
    let template = template(KeyType::P256, issuer, provider, Duration::from_secs(40 * 365 * 86_400), 2);
    assert_is(&sign(backend, template.clone()).await, &template);
}

async fn signs_orders_that_come_together(backend: &dyn CaBackend, issuer: &PublicKey, provider: &Provider) {
    let first = template(KeyType::P256, issuer, provider, Duration::from_secs(86_400), 3);
    let second = template(KeyType::P256, issuer, provider, Duration::from_secs(86_400), 4);
    let orders = (backend.sign(Order { template: second.clone() }), backend.sign(Order { template: first.clone() }));
    let (late, early) = orders;
    for (answer, template) in [(early.await, &first), (late.await, &second)] {
        let der = answer.unwrap_or_else(|error| panic!("an order is signed: {error}")).0;
        assert_is(&Certificate::from_der(&der).unwrap_or_else(|error| panic!("{error}")), template);
    }
}

async fn sign(backend: &dyn CaBackend, template: Template) -> Certificate {
    let signed = backend.sign(Order { template }).await.unwrap_or_else(|error| panic!("the order is signed: {error}"));
    Certificate::from_der(&signed.0).unwrap_or_else(|error| panic!("what was signed is a certificate: {error}"))
}

fn assert_is(certificate: &Certificate, template: &Template) {
    assert_eq!(certificate.serial(), &template.serial, "serial number");
    assert_eq!(certificate.issuer().as_der(), template.issuer.as_der(), "issuer, byte for byte");
    assert_eq!(certificate.validity(), template.validity, "validity");
    assert_eq!(certificate.subject().as_der(), template.subject.as_der(), "subject, byte for byte");
    assert_eq!(certificate.public_key(), &template.public_key, "public key");
    assert!(certificate.extensions().iter().eq(template.extensions.iter()), "extensions, in order");
}

fn template(key_type: KeyType, issuer: &PublicKey, provider: &Provider, lifetime: Duration, random: u8) -> Template {
    let generated = provider.sign.generate(key_type).unwrap_or_else(|error| panic!("a key for the test: {error}"));
    let public_key = generated.key.public_key().clone();
    let subject = name("CN=contract,O=certgate");
    let names = [GeneralName::Ip(std::net::Ipv4Addr::LOCALHOST.into())];
    let ca_issuers = vec!["http://localhost/ca/default.cer".to_owned()];
    let access = AuthorityInfoAccess { ca_issuers, ..AuthorityInfoAccess::default() };
    let fields = LeafFields {
        subject: &subject,
        public_key: &public_key,
        subject_key: &KeyIdentifier::of(&public_key, provider),
        authority_key: &KeyIdentifier::of(issuer, provider),
        subject_alt_names: &names,
        extended_key_usage: &[certgate_pki::ExtendedKeyUsage::ClientAuth],
        pointers: &Pointers { access, ..Pointers::default() },
    };
    Template {
        serial: Serial::from_parts(NOW, [random; Serial::RANDOM_OCTETS]),
        issuer: name("CN=Contract CA"),
        validity: Validity { not_before: NOW, not_after: NOW.after(lifetime) },
        extensions: fields.extensions(),
        subject: subject.clone(),
        public_key: public_key.clone(),
    }
}
