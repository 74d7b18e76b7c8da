//! Everything that can be wrong with an operator's certificate, and what is said of it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use certgate_pki::asn1::{Tlv, tag};
use certgate_pki::{ExtendedKeyUsage, KeyUsage, Validity, pem};
use certgate_testkit::{
    CertificateShape, DEVICE_KEY, MockClock, NOW, RSA_DEVICE_KEY, ca_key, provider, rsa_device_key, rsa3072_device_key,
};
use zeroize::Zeroizing;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

fn root() -> CertificateShape {
    CertificateShape::ca("CN=Root", ca_key())
}

fn issuing() -> CertificateShape {
    CertificateShape::ca("CN=Issuing", rsa3072_device_key())
}

fn server() -> CertificateShape {
    CertificateShape::server(&["pki.example", "*.fleet.example", "192.0.2.1"])
}

/// The certificate of a server by the issuing CA, then that one's by the root.
fn chain_of(server: &CertificateShape) -> String {
    server.signed_by(&issuing()) + &issuing().signed_by(&root())
}

/// Texts in files, and what is read there.
struct Desk {
    folder: tempfile::TempDir,
    variables: BTreeMap<String, String>,
    ca: Option<Place>,
    required: Vec<&'static str>,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, variables: BTreeMap::new(), ca: None, required: Vec::new() }
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) -> Place {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        Place::File(path)
    }

    fn load(&self, cert: Place, key: Place) -> Result<Certificate, String> {
        let variables = self.variables.clone();
        let lookup = move |name: &str| variables.get(name).map(|text| Zeroizing::new(text.clone().into_bytes()));
        let required = CertificateShape::server(&self.required).names;
        let operator = OperatorCertificate {
            cert,
            key,
            ca: self.ca.clone(),
            required,
            environment: Environment::new(lookup),
            clock: Arc::new(MockClock::default()),
            provider: provider(1),
        };
        operator.load().map(|(_, leaf)| leaf).map_err(|error| format!("{error:#}"))
    }

    /// What is said of these texts as files, without the folder.
    fn load_texts(&self, cert: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Certificate, String> {
        let (cert, key) = (self.file("cert", cert, 0o644), self.file("key", key, 0o600));
        self.load(cert, key).map_err(|said| said.replace(&format!("{}/", self.folder.path().display()), ""))
    }
}

/// What PKCS#8 wraps: the key as SEC1 or PKCS#1 has it.
fn unwrapped(label: &str, pkcs8: &str) -> String {
    let der = pem::decode(pem::PRIVATE_KEY, pkcs8).unwrap();
    let mut fields = Tlv::only(&der).unwrap().contents().unwrap();
    fields.expect(tag::INTEGER).unwrap();
    fields.expect(tag::SEQUENCE).unwrap();
    pem::encode(label, fields.expect(tag::OCTET_STRING).unwrap().value)
}

#[test]
fn what_is_right_is_taken_from_files_and_variables() {
    let mut desk = Desk::new();
    desk.required = vec!["pki.example", "a.fleet.example", "192.0.2.1"];
    desk.ca = Some(desk.file("ca", root().signed_by(&root()), 0o644));
    let sec1 = unwrapped("EC PRIVATE KEY", DEVICE_KEY);
    let parameters = pem::encode("EC PARAMETERS", b"x");
    for key in [DEVICE_KEY, &sec1, &format!("a note\n{parameters}{sec1}")] {
        let leaf = desk.load_texts(chain_of(&server()), key).unwrap();
        assert_eq!(leaf.public_key(), server().key.public_key());
    }
    let rsa = CertificateShape { key: rsa_device_key(), ..server() };
    for key in [RSA_DEVICE_KEY, &unwrapped("RSA PRIVATE KEY", RSA_DEVICE_KEY)] {
        desk.load_texts(chain_of(&rsa), key).unwrap();
    }
    // RFC 5280 §4.2.1.12: without the extension every purpose is allowed.
    desk.load_texts(chain_of(&CertificateShape { purposes: Vec::new(), ..server() }), DEVICE_KEY).unwrap();

    desk.variables.insert("CERT".into(), chain_of(&server()));
    desk.variables.insert("KEY".into(), DEVICE_KEY.into());
    desk.load(Place::Variable("CERT".into()), Place::Variable("KEY".into())).unwrap();
}

#[test]
fn a_certificate_that_signs_itself_is_taken_if_it_is_no_ca() {
    let desk = Desk::new();
    desk.load_texts(server().signed_by(&server()), DEVICE_KEY).unwrap();
    let said = desk.load_texts(CertificateShape { is_ca: true, ..server() }.signed_by(&server()), DEVICE_KEY).unwrap_err();
    assert!(said.contains("-addext basicConstraints=critical,CA:FALSE"), "{said}");
}

#[test]
fn what_is_no_pem_of_what_is_wanted_is_named() {
    let chain = chain_of(&server());
    let cut = &chain[..chain.len() - 10];
    let request = pem::encode("CERTIFICATE REQUEST", b"x");
    let encrypted = pem::encode("ENCRYPTED PRIVATE KEY", b"x");
    let legacy =
        RSA_DEVICE_KEY.replace("-----BEGIN PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n");
    let openssh = pem::encode("OPENSSH PRIVATE KEY", b"x");
    let base64 = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==";
    for (cert, key, expected) in [
        ("", DEVICE_KEY, "cert is empty"),
        (" \n", DEVICE_KEY, "cert is empty"),
        (&chain, "", "key is empty"),
        ("hello", DEVICE_KEY, "cert is not PEM: it has no line -----BEGIN CERTIFICATE-----"),
        (&chain, "hello", "key is not PEM: it has no line -----BEGIN PRIVATE KEY-----"),
        (base64, DEVICE_KEY, "cert is base64 of PEM, as a Kubernetes manifest has it: decode it once"),
        (&chain, base64, "key is base64 of PEM"),
        (DEVICE_KEY, &chain, "cert holds a private key where a certificate is wanted: are cert and key of [tls] swapped?"),
        (&chain, &chain, "key holds a certificate where the private key is wanted: are cert and key of [tls] swapped?"),
        (&request, DEVICE_KEY, "cert holds a CERTIFICATE REQUEST and no CERTIFICATE"),
        (&chain, &request, "key holds a CERTIFICATE REQUEST and no PRIVATE KEY"),
        (&chain, &encrypted, "the key in key is encrypted, and there is nobody to ask for its passphrase"),
        (&chain, &legacy, "the key in key is encrypted, and there is nobody to ask for its passphrase"),
        (&chain, &openssh, "key holds a OPENSSH PRIVATE KEY and no PRIVATE KEY"),
        (&chain.replace('\n', " "), DEVICE_KEY, "the PEM in cert has lost its line ends"),
        (&chain.replace('\n', "\\n"), DEVICE_KEY, "the PEM in cert has lost its line ends"),
        (&chain, &DEVICE_KEY.replace('\n', "\\n"), "the PEM in key has lost its line ends"),
        (cut, DEVICE_KEY, "the PEM in cert is damaged: a block has no END line: was it cut off?"),
        (&chain, &DEVICE_KEY[..60], "the PEM in key is damaged: a block has no END line"),
        (
            &chain.replacen("MII", "M%I", 1),
            DEVICE_KEY,
            "the PEM in cert is damaged: what is between BEGIN and END is no base64",
        ),
        (&pem::encode(pem::CERTIFICATE, b"0"), DEVICE_KEY, "certificate 1 in cert cannot be read: not an X.509 v3 certificate"),
        (&chain, &pem::encode(pem::PRIVATE_KEY, b"0"), "the key in key is damaged, or of a kind that TLS has no use for"),
    ] {
        let said = Desk::new().load_texts(cert, key).unwrap_err();
        assert!(said.starts_with(expected), "{said}\n{expected}");
    }
}

#[test]
fn der_is_told_from_pem() {
    let desk = Desk::new();
    let key = pem::decode(pem::PRIVATE_KEY, DEVICE_KEY).unwrap();
    let said = desk.load_texts(chain_of(&server()), &key).unwrap_err();
    assert!(said.starts_with("key is DER, and PEM is wanted: `openssl pkey -inform DER"), "{said}");
    let certificate = pem::decode(pem::CERTIFICATE, &chain_of(&server())).unwrap();
    let said = desk.load_texts(certificate, DEVICE_KEY).unwrap_err();
    assert!(said.starts_with("cert is DER, and PEM is wanted: `openssl x509 -inform DER"), "{said}");
}

#[test]
fn files_and_variables_that_are_not_there_or_open_to_others_are_named() {
    let desk = Desk::new();
    let none = Place::File(desk.folder.path().join("none"));
    let cert = desk.file("cert", chain_of(&server()), 0o644);
    let key = desk.file("key", DEVICE_KEY, 0o600);
    let open = desk.file("open", DEVICE_KEY, 0o640);
    let folder = Place::File(desk.folder.path().to_owned());
    let unset = Place::Variable("NONE".into());
    for (cert, key, expected) in [
        (&none, &key, "cert of [tls] names DIR/none, which cannot be read: No such file"),
        (&cert, &none, "key of [tls] names DIR/none, which cannot be read: No such file"),
        (&folder, &key, "cert of [tls] names DIR, which is a directory"),
        (
            &cert,
            &open,
            "key of [tls] names DIR/open, which cannot be used: DIR/open holds a secret and has mode 640; chmod it to 600",
        ),
        (&unset, &key, "the environment variable NONE is not set: cert of [tls] is read from it, as PEM"),
        (&cert, &unset, "the environment variable NONE is not set: key of [tls] is read from it, as PEM"),
    ] {
        let said = desk.load(cert.clone(), key.clone()).unwrap_err();
        let said = said.replace(&desk.folder.path().display().to_string(), "DIR");
        assert!(said.starts_with(expected), "{said}\n{expected}");
    }
}

#[test]
fn a_key_of_another_certificate_is_named() {
    let said = Desk::new().load_texts(chain_of(&server()), RSA_DEVICE_KEY).unwrap_err();
    assert!(said.starts_with("the key in key is not the key of the certificate in cert"), "{said}");
}

#[test]
fn certificates_that_clients_would_refuse_are_named() {
    let lasting = |from: i64, to: i64| {
        let at = |days: i64| match u32::try_from(days) {
            Ok(days) => NOW.after(days * DAY),
            Err(_) => NOW.before(u32::try_from(-days).unwrap() * DAY),
        };
        Validity { not_before: at(from), not_after: at(to) }
    };
    let with = |validity| chain_of(&CertificateShape { validity, ..server() });
    let expired_ca = CertificateShape { validity: lasting(-9, -1), ..issuing() };
    let expired_above = server().signed_by(&expired_ca) + &expired_ca.signed_by(&root());
    let client = CertificateShape { purposes: vec![ExtendedKeyUsage::ClientAuth], ..server() };
    let any = CertificateShape { purposes: vec![ExtendedKeyUsage::Any], ..server() };
    let agreeing = CertificateShape { usage: KeyUsage::KEY_ENCIPHERMENT, ..server() };
    let nameless = CertificateShape { names: Vec::new(), ..server() };
    for (cert, expected) in [
        (with(lasting(-9, -1)), "the server certificate in cert, \"CN=server\", ended at 2026-09-20T14:13:20Z, and it is"),
        (with(lasting(1, 9)), "the server certificate in cert, \"CN=server\", is good from 2026-09-22T14:13:20Z on, and it is"),
        (expired_above, "a certificate of the chain in cert, \"CN=Issuing\", ended at"),
        (chain_of(&client), "the certificate in cert, \"CN=server\", is not for servers: its extKeyUsage must have serverAuth"),
        (chain_of(&any), "the certificate in cert, \"CN=server\", is not for servers"),
        (chain_of(&agreeing), "the certificate in cert, \"CN=server\", signs nothing: its keyUsage must have digitalSignature"),
        (chain_of(&nameless), "the certificate in cert, \"CN=server\", has no name that clients look at"),
    ] {
        let said = Desk::new().load_texts(cert, DEVICE_KEY).unwrap_err();
        assert!(said.starts_with(expected), "{said}\n{expected}");
    }
}

#[test]
fn names_that_are_missing_are_named_and_a_wildcard_is_one_label() {
    for (required, missing) in [
        ("pki.example", None),
        ("a.fleet.example", None),
        ("*.fleet.example", None),
        ("192.0.2.1", None),
        ("example", Some("dns:example")),
        ("fleet.example", Some("dns:fleet.example")),
        ("a.b.fleet.example", Some("dns:a.b.fleet.example")),
        ("*.example", Some("dns:*.example")),
        ("192.0.2.2", Some("ip:192.0.2.2")),
        ("2001:db8::1", Some("ip:2001:db8::1")),
    ] {
        let desk = Desk { required: vec!["pki.example", required], ..Desk::new() };
        let loaded = desk.load_texts(chain_of(&server()), DEVICE_KEY);
        let expected = missing.map(|missing| format!("the certificate in cert lacks {missing}: clients look for"));
        match (loaded, expected) {
            (Ok(_), None) => {}
            (Err(said), Some(expected)) => assert!(said.starts_with(&expected), "{said}\n{expected}"),
            (loaded, _) => panic!("{required}: {loaded:?}"),
        }
    }
}

#[test]
fn chains_that_are_no_chain_are_named() {
    let (leaf, above, top) = (server().signed_by(&issuing()), issuing().signed_by(&root()), root().signed_by(&root()));
    let rekeyed = CertificateShape::ca("CN=Issuing", ca_key()).signed_by(&root());
    let other = CertificateShape::ca("CN=Other", ca_key()).signed_by(&root());
    let no_ca = CertificateShape { is_ca: false, ..issuing() }.signed_by(&root());
    for (cert, expected) in [
        (format!("{above}{leaf}"), "the first certificate in cert is a CA's, \"CN=Issuing\": the server's own comes first"),
        (above.clone(), "the certificate in cert, \"CN=Issuing\", is a CA's and not a server's"),
        (format!("{leaf}{top}{above}"), "the certificates in cert are out of order: certificate 2 is \"CN=Root\""),
        (
            format!("{leaf}{top}"),
            "the chain in cert is broken: \"CN=server\" is signed by CN=Issuing, and certificate 2 is \"CN=Root\"",
        ),
        (format!("{leaf}{other}"), "the chain in cert is broken: \"CN=server\" is signed by CN=Issuing, and certificate 2"),
        (format!("{leaf}{leaf}"), "the chain in cert is broken: \"CN=server\" is signed by CN=Issuing, and certificate 2"),
        (
            format!("{leaf}{rekeyed}"),
            "the chain in cert is broken: certificate 2, \"CN=Issuing\", has the name of the issuer and did not",
        ),
        (format!("{leaf}{no_ca}"), "certificate 2 in cert, \"CN=Issuing\", is no CA's and signs nothing"),
    ] {
        let said = Desk::new().load_texts(&cert, DEVICE_KEY).unwrap_err();
        assert!(said.starts_with(expected), "{said}\n{expected}");
    }
    Desk::new().load_texts(format!("{leaf}{above}{top}"), DEVICE_KEY).unwrap();
}

#[test]
fn a_chain_leads_to_the_roots_that_were_given() {
    let (leaf, above, top) = (server().signed_by(&issuing()), issuing().signed_by(&root()), root().signed_by(&root()));
    let other = CertificateShape::ca("CN=Other", rsa_device_key());
    let other = other.signed_by(&other);
    let limited = CertificateShape { purposes: vec![ExtendedKeyUsage::ClientAuth], ..issuing() };
    let limited = server().signed_by(&limited) + &limited.signed_by(&root());
    for (cert, ca, expected) in [
        (format!("{leaf}{above}"), top.clone(), None),
        (format!("{leaf}{above}"), format!("{other}{top}"), None),
        (leaf.clone(), top.clone(), Some("the certificate in cert does not lead to a root in ca: an issuing CA between them")),
        (format!("{leaf}{above}"), other, Some("the certificate in cert does not lead to a root in ca")),
        (limited, top, Some("clients that trust ca refuse the certificate in cert: ")),
        (format!("{leaf}{above}"), DEVICE_KEY.to_owned(), Some("ca holds a private key where a certificate is wanted")),
        (format!("{leaf}{above}"), String::new(), Some("ca is empty: ca of [tls] is read from there, as PEM")),
    ] {
        let mut desk = Desk::new();
        desk.ca = Some(desk.file("ca", ca, 0o644));
        let said = desk.load_texts(cert, DEVICE_KEY).err();
        let is_right = match (&said, expected) {
            (Some(said), Some(expected)) => said.starts_with(expected),
            (None, None) => true,
            _ => false,
        };
        assert!(is_right, "{said:?}\n{expected:?}");
    }
}
