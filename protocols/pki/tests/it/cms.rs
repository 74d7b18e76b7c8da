//! Messages of openssl, and what is made here as the `cms` crate reads it.

use certgate_pki::asn1::ber;
use certgate_pki::cms::{Attribute, CmsError, Draft, EnvelopedData, Seal, SignatureFault, SignedData, SignerId, certs_only};
use certgate_pki::{
    Certificate, CertificateOutline, ContentCipher, CryptoError, DigestAlgorithm, KeyTransport, ObjectIdentifier, Provider,
    PublicKey, SignatureAlgorithm,
};
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use der::{Decode, Encode};

use crate::fixtures::{names, read};

const CONTENT: &[u8] = b"contents of a message\n";
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
/// Of the length of no key of these: what is opened with it fails.
const SUBSTITUTE: [u8; 32] = [7; 32];

fn provider() -> Provider {
    certgate_crypto::provider()
}

/// The DER of a fixture, which may be in BER.
fn message(name: &str) -> Vec<u8> {
    ber::to_der(&read("cms", name)).unwrap()
}

/// What becomes of a SignedData.
#[derive(Debug, PartialEq, Eq)]
enum Signed {
    Good,
    Fault(SignatureFault),
    Malformed(&'static str),
}

fn judge(der: &[u8], content: &[u8]) -> Signed {
    let signed = match SignedData::from_der(der) {
        Err(CmsError::Malformed(part)) => return Signed::Malformed(part),
        other => other.unwrap(),
    };
    assert_eq!(signed.content_type, DATA);
    let [certificate] = signed.certificates.as_slice() else { return Signed::Malformed("no certificate") };
    let outline = CertificateOutline::from_der(certificate).unwrap();
    let signer = signed.signer().unwrap();
    if let SignerId::IssuerAndSerial { issuer, serial } = signer.id
        && (issuer, serial) != (outline.issuer, outline.serial)
    {
        return Signed::Malformed("signed by another");
    }
    let key = PublicKey::from_der(outline.public_key).unwrap();
    match signer.verify(&key, &signed.content_type, signed.content.unwrap_or(content), &provider()) {
        Ok(()) => Signed::Good,
        Err(fault) => Signed::Fault(fault),
    }
}

#[test]
fn signed_messages_are_what_their_names_say() {
    let expected = |name: &str| match name {
        "signed-sha1" => Signed::Fault(SignatureFault::Algorithm),
        "signed-bad-signature" | "signed-other-content" => Signed::Fault(SignatureFault::Broken),
        "signed-without-attributes" => Signed::Malformed("signedAttrs"),
        "signed-without-certificates" => Signed::Malformed("no certificate"),
        _ => Signed::Good,
    };
    let signed: Vec<String> = names("cms").into_iter().filter(|name| name.starts_with("signed")).collect();
    assert!(signed.len() > 10);
    for name in signed.iter().filter(|name| *name != "signed-trailing-octet") {
        assert_eq!(judge(&message(name), CONTENT), expected(name), "{name}");
    }
    assert_eq!(ber::to_der(&read("cms", "signed-trailing-octet")), Err(ber::BerError::TrailingOctets));
    assert_eq!(judge(&read("cms", "signed-trailing-octet"), CONTENT), Signed::Malformed("ContentInfo"));
    // Another content than the one that was detached.
    assert_eq!(judge(&message("signed-detached"), b"other"), Signed::Fault(SignatureFault::Broken));
}

#[test]
fn der_goes_through_unchanged() {
    for name in names("cms").iter().filter(|name| !name.ends_with("in-ber") && *name != "signed-trailing-octet") {
        let der = read("cms", name);
        assert_eq!(ber::to_der(&der), Ok(der), "{name}");
    }
    for name in ["signed-in-ber", "enveloped-in-ber"] {
        let ber = read("cms", name);
        assert_ne!(message(name), ber, "{name}");
        assert!(ContentInfo::from_der(&message(name)).is_ok(), "{name}");
    }
}

#[test]
fn a_signature_is_the_keys_in_every_bit() {
    let good = message("signed-rsa-sha256");
    let [mut broken, mut whole] = [0, 0];
    // Each octet of the attributes and of the signature, which are at the end; some of them are tags and lengths.
    for place in good.len() - 420..good.len() {
        let mut changed = good.clone();
        changed[place] ^= 0x40;
        match SignedData::from_der(&changed).is_ok().then(|| judge(&changed, CONTENT)) {
            Some(Signed::Good) => whole += 1,
            _ => broken += 1,
        }
    }
    assert_eq!((broken, whole), (420, 0));
}

fn open(der: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let key = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/recipient.pk8")).unwrap();
    let provider = provider();
    let key = provider.decrypt.load(&key).unwrap();
    let enveloped = EnvelopedData::from_der(der).unwrap();
    let substitute = enveloped.cipher.map_or(0, |(cipher, _)| cipher.key_octets());
    enveloped.open(&*key, &SUBSTITUTE[..substitute], &*provider.decrypt).map(|contents| contents.to_vec())
}

#[test]
fn enveloped_messages_are_opened() {
    for (name, cipher, scheme) in [
        ("enveloped-aes128", ContentCipher::Aes128Cbc, KeyTransport::RsaPkcs1),
        ("enveloped-aes256", ContentCipher::Aes256Cbc, KeyTransport::RsaPkcs1),
        ("enveloped-in-ber", ContentCipher::Aes128Cbc, KeyTransport::RsaPkcs1),
        ("enveloped-key-identifier", ContentCipher::Aes128Cbc, KeyTransport::RsaPkcs1),
        ("enveloped-to-two", ContentCipher::Aes128Cbc, KeyTransport::RsaPkcs1),
        ("enveloped-oaep-sha256", ContentCipher::Aes256Cbc, KeyTransport::RsaOaepSha256),
    ] {
        let der = message(name);
        let enveloped = EnvelopedData::from_der(&der).unwrap();
        assert_eq!((enveloped.content_type, enveloped.cipher.unwrap().0), (DATA, cipher), "{name}");
        assert!(enveloped.recipients.iter().all(|recipient| recipient.scheme == Some(scheme)), "{name}");
        assert_eq!(open(&der).as_deref(), Ok(CONTENT), "{name}");
    }
    for (name, unsupported) in [("enveloped-des3", "content encryption"), ("enveloped-oaep-sha1", "key transport")] {
        assert_eq!(open(&message(name)), Err(CryptoError::Unsupported(unsupported)), "{name}");
    }
}

/// Another recipient's key, a key of another length, contents of wrong padding: one error.
#[test]
fn what_cannot_be_opened_says_not_why() {
    let failed = Err(CryptoError::Failed("decryption"));
    assert_eq!(open(&message("enveloped-to-another")), failed);
    let good = message("enveloped-aes128");
    // The last octet of the ciphertext, and one of the encrypted key.
    for place in [good.len() - 1, good.len() - 120] {
        let mut changed = good.clone();
        changed[place] ^= 1;
        assert_eq!(open(&changed), failed, "{place}");
    }
}

struct Signer {
    key: std::sync::Arc<dyn certgate_pki::SigningKey>,
    certificate: Certificate,
}

/// A key, and a certificate of another: issuer and serial number are what counts.
fn signer(key_type: certgate_pki::KeyType) -> Signer {
    let key = provider().sign.generate(key_type).unwrap().key;
    Signer { key, certificate: Certificate::from_der(&read("certificate", "leaf-by-rsa2048")).unwrap() }
}

fn text(oid: &str, value: &str) -> Attribute {
    let oid = ObjectIdentifier::new(oid).unwrap();
    Attribute::new(&oid, |w| {
        w.tlv(certgate_pki::asn1::tag::PRINTABLE_STRING, value.as_bytes());
    })
}

#[test]
fn what_is_signed_here_is_read_by_others() {
    for (key_type, content) in [
        (certgate_pki::KeyType::Rsa { bits: 2048 }, Some(CONTENT.to_vec())),
        (certgate_pki::KeyType::P256, Some(CONTENT.to_vec())),
        (certgate_pki::KeyType::Ed25519, None),
    ] {
        let Signer { key, certificate } = signer(key_type);
        let attributes = vec![text("2.16.840.1.113733.1.9.7", "z"), text("2.16.840.1.113733.1.9.2", "19")];
        let along = (vec![certificate.as_der().to_vec()], &*provider().digest);
        let draft = Draft::new(content.clone(), attributes, &certificate, key.algorithm(), along);
        let signature = key.sign(draft.to_be_signed()).unwrap();
        let der = draft.assemble(&signature);

        let signed = SignedData::from_der(&der).unwrap();
        let info = signed.signer().unwrap();
        assert_eq!((signed.content, info.digest), (content.as_deref(), Some(key.algorithm().digest())));
        let verified = |content| info.verify(key.public_key(), &signed.content_type, content, &provider());
        assert_eq!(verified(content.as_deref().unwrap_or_default()), Ok(()), "{key_type}");
        assert_eq!(verified(b"other"), Err(SignatureFault::Broken));

        let theirs = ContentInfo::from_der(&der).unwrap();
        assert_eq!(theirs.to_der().unwrap(), der, "DER");
        let theirs = theirs.content.decode_as::<cms::signed_data::SignedData>().unwrap();
        let Some(certificates) = theirs.certificates else { panic!("{key_type}: no certificates") };
        assert!(matches!(certificates.0.get(0), Some(CertificateChoices::Certificate(_))));
        let info = theirs.signer_infos.0.get(0).unwrap();
        assert_eq!(info.signed_attrs.as_ref().unwrap().len(), 4);
        assert_eq!(info.signature.as_bytes(), signature);
    }
}

#[test]
fn what_is_enveloped_here_is_opened_again_and_read_by_others() {
    let recipient = message("signed-rsa-sha256");
    let recipient = SignedData::from_der(&recipient).unwrap().certificates[0].to_vec();
    let recipient = CertificateOutline::from_der(&recipient).unwrap();
    for cipher in [ContentCipher::Aes128Cbc, ContentCipher::Aes256Cbc] {
        let content_key = vec![0x42; cipher.key_octets()];
        let seal = Seal { cipher, content_key: &content_key, iv: [9; 16] };
        let der = seal.envelop(CONTENT, &recipient, &*provider().encrypt).unwrap();
        assert_eq!(open(&der).as_deref(), Ok(CONTENT));
        let theirs = ContentInfo::from_der(&der).unwrap();
        assert_eq!(theirs.to_der().unwrap(), der, "DER");
        let theirs = theirs.content.decode_as::<cms::enveloped_data::EnvelopedData>().unwrap();
        assert_eq!(theirs.recip_infos.0.len(), 1);
        assert!(theirs.encrypted_content.encrypted_content.is_some());
        let short = Seal { content_key: &content_key[1..], ..seal };
        assert!(short.envelop(CONTENT, &recipient, &*provider().encrypt).is_err());
    }
    let p256 = Certificate::from_der(&read("certificate", "root-p256")).unwrap();
    let outline = CertificateOutline::from_der(p256.as_der()).unwrap();
    let seal = Seal { cipher: ContentCipher::Aes128Cbc, content_key: &[1; 16], iv: [0; 16] };
    assert!(matches!(seal.envelop(CONTENT, &outline, &*provider().encrypt), Err(CryptoError::UnusableKey(_))));
}

#[test]
fn other_types_and_bounds() {
    let (signed, enveloped) = (message("signed-p256"), message("enveloped-aes128"));
    assert!(matches!(SignedData::from_der(&enveloped), Err(CmsError::OtherType(_))));
    assert!(matches!(EnvelopedData::from_der(&signed), Err(CmsError::OtherType(_))));
    let huge = vec![0x30; certgate_pki::limits::MAX_CMS + 1];
    assert_eq!(SignedData::from_der(&huge), Err(CmsError::TooLarge));
    assert_eq!(EnvelopedData::from_der(&huge), Err(CmsError::TooLarge));
    let nobody = certs_only(&[]);
    let nobody = SignedData::from_der(&nobody).unwrap();
    assert_eq!((nobody.content, nobody.signer()), (None, Err(CmsError::Malformed("signerInfos"))));
    assert_eq!(SignatureAlgorithm::Ed25519.digest(), DigestAlgorithm::Sha512);
}
