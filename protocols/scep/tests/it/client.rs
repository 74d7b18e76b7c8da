//! What a client has, and the RA.

use std::sync::Arc;

use certgate_pki::asn1::tag;
use certgate_pki::cms::{Attribute, Draft};
use certgate_pki::{Certificate, ContentCipher, DecryptionKey, ObjectIdentifier, Provider, SigningKey};
use certgate_testkit::rsa_device_key;

/// Of the length that [`ContentCipher`] wants: contents that are opened with it are garbage.
pub(crate) const SUBSTITUTE: [u8; 32] = [7; 32];

pub(crate) fn provider() -> Provider {
    certgate_crypto::provider()
}

pub(crate) fn read(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The RA: its certificate, and its key for both purposes.
pub(crate) struct Ra {
    pub(crate) certificate: Certificate,
    pub(crate) signing: Arc<dyn SigningKey>,
    pub(crate) decryption: Arc<dyn DecryptionKey>,
}

pub(crate) fn ra() -> Ra {
    let (provider, pkcs8) = (provider(), read("ra.pk8"));
    Ra {
        certificate: Certificate::from_der(&read("ra.der")).unwrap(),
        signing: provider.sign.load(&pkcs8).unwrap(),
        decryption: provider.decrypt.load(&pkcs8).unwrap(),
    }
}

/// The substitute for a content-encryption key of this cipher.
pub(crate) fn substitute(cipher: ContentCipher) -> &'static [u8] {
    &SUBSTITUTE[..cipher.key_octets()]
}

/// A message of a client with these attributes, signed by a key whose certificate is that of the RA: what is tested is the message.
pub(crate) fn message(content: Option<Vec<u8>>, attributes: Vec<Attribute>, certificates: Vec<Vec<u8>>) -> Vec<u8> {
    let Ra { certificate, signing, .. } = ra();
    let draft = Draft::new(content, attributes, &certificate, signing.algorithm(), (certificates, &*provider().digest));
    let signature = signing.sign(draft.to_be_signed()).unwrap();
    draft.assemble(&signature)
}

/// An attribute of SCEP with a PrintableString.
pub(crate) fn printable(number: u8, value: &str) -> Attribute {
    of_type(number, tag::PRINTABLE_STRING, value.as_bytes())
}

/// An attribute of SCEP with a value of this tag.
pub(crate) fn of_type(number: u8, tag: u8, value: &[u8]) -> Attribute {
    let oid = ObjectIdentifier::new(&format!("2.16.840.1.113733.1.9.{number}")).unwrap();
    Attribute::new(&oid, |w| {
        w.tlv(tag, value);
    })
}

/// Another key than the RA's.
pub(crate) fn device() -> Arc<dyn SigningKey> {
    rsa_device_key()
}
