//! EnvelopedData (RFC 5652 §6): opened and sealed.

use std::borrow::Cow;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{ID_AES_128_CBC, ID_AES_256_CBC, ID_DATA, ID_ENVELOPED_DATA};
use const_oid::db::rfc5912::RSA_ENCRYPTION;
use zeroize::Zeroizing;

use super::recipient::KeyTransRecipient;
use super::signed_data::elements;
use super::{CmsError, malformed, read_content_info, write_content_info};
use crate::CertificateOutline;
use crate::algorithm::read_identifier;
use crate::asn1::{Tlv, tag};
use crate::limits::MAX_RECIPIENTS;
use crate::{ContentCipher, CryptoError, Decrypt, DecryptionKey, Encrypt, KeyTransport, PublicKey};

/// An EnvelopedData as it was received.
///
/// ```text
/// EnvelopedData ::= SEQUENCE {                                                                 RFC 5652 §6.1
///     version INTEGER, originatorInfo [0] IMPLICIT OriginatorInfo OPTIONAL, recipientInfos SET OF RecipientInfo,
///     encryptedContentInfo SEQUENCE { contentType OBJECT IDENTIFIER, contentEncryptionAlgorithm AlgorithmIdentifier,
///         encryptedContent [0] IMPLICIT OCTET STRING OPTIONAL },
///     unprotectedAttrs [1] IMPLICIT Attributes OPTIONAL }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopedData<'a> {
    /// Those who are sent the key by RSA; other kinds are passed over.
    pub recipients: Vec<KeyTransRecipient<'a>>,
    /// contentType of what is encrypted.
    pub content_type: ObjectIdentifier,
    /// By what, and with which initialization vector; `None` is a cipher that is not known here.
    pub cipher: Option<(ContentCipher, [u8; 16])>,
    ciphertext: Cow<'a, [u8]>,
}

impl<'a> EnvelopedData<'a> {
    /// Reads a ContentInfo of id-envelopedData.
    ///
    /// # Errors
    /// [`CmsError`] with the part that is malformed.
    pub fn from_der(der: &'a [u8]) -> Result<Self, CmsError> {
        let content = read_content_info(der, ID_ENVELOPED_DATA)?;
        let mut reader = content.contents().map_err(malformed("EnvelopedData"))?;
        reader.expect(tag::INTEGER).map_err(malformed("version"))?;
        reader.optional(tag::context_constructed(0)).map_err(malformed("originatorInfo"))?;
        let recipients = reader.expect(tag::SET).map_err(malformed("recipientInfos"))?;
        let encrypted = reader.expect(tag::SEQUENCE).map_err(malformed("encryptedContentInfo"))?;
        reader.optional(tag::context_constructed(1)).map_err(malformed("unprotectedAttrs"))?;
        reader.finish().map_err(malformed("what follows encryptedContentInfo"))?;
        let recipients = elements(recipients, MAX_RECIPIENTS).map_err(malformed("recipientInfos"))?;
        let recipients = recipients.into_iter().map(KeyTransRecipient::read).collect::<der::Result<Vec<_>>>();

        let malformed = malformed("encryptedContentInfo");
        let mut fields = encrypted.contents().map_err(malformed)?;
        let content_type = fields.expect(tag::OID).and_then(|tlv| tlv.oid()).map_err(malformed)?;
        let cipher = fields.expect(tag::SEQUENCE).and_then(read_cipher).map_err(malformed)?;
        let ciphertext = fields.any().and_then(read_implicit_octets).map_err(malformed)?;
        fields.finish().map_err(malformed)?;
        Ok(Self {
            recipients: recipients.map_err(super::malformed("recipientInfos"))?.into_iter().flatten().collect(),
            content_type,
            cipher,
            ciphertext,
        })
    }

    /// Whether what is encrypted is said to be octets of the protocol's own, and no further CMS message.
    #[must_use]
    pub fn holds_data(&self) -> bool {
        self.content_type == ID_DATA
    }

    /// Opens it with a key, whichever recipient that is: clients name the wrong one of several certificates.
    ///
    /// Whether a key was transported to us, whether it has the right length, whether the padding of the contents is right: none of that can be
    /// told from what this returns (RFC 3218 §2.3.2). `substitute` is a random content-encryption key of
    /// [`ContentCipher::key_octets`] octets; contents are decrypted with it where the real one cannot be found out.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for a cipher or key transport that is not known, which is no secret; else
    /// [`CryptoError::Failed`], the same for all causes.
    pub fn open(
        &self,
        key: &dyn DecryptionKey,
        substitute: &[u8],
        decrypt: &dyn Decrypt,
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let (cipher, iv) = self.cipher.ok_or(CryptoError::Unsupported("content encryption"))?;
        let known = || self.recipients.iter().filter_map(|recipient| recipient.scheme.map(|scheme| (recipient, scheme)));
        if known().next().is_none() && !self.recipients.is_empty() {
            return Err(CryptoError::Unsupported("key transport"));
        }
        let mut opened = Err(CryptoError::Failed("decryption"));
        for (recipient, scheme) in known() {
            let found = key.decrypt(scheme, recipient.encrypted_key);
            let right = found.as_ref().ok().map(|key| key.as_slice()).filter(|key| key.len() == cipher.key_octets());
            let contents = decrypt.content(cipher, right.unwrap_or(substitute), &iv, &self.ciphertext);
            // What the substitute opens by chance is garbage, and is not told apart here.
            if opened.is_err() {
                opened = contents;
            }
        }
        opened.map_err(|_| CryptoError::Failed("decryption"))
    }
}

/// AES in CBC mode (RFC 3565 §4.1), whose parameters are the initialization vector. `Ok(None)` is another cipher.
fn read_cipher(tlv: Tlv<'_>) -> der::Result<Option<(ContentCipher, [u8; 16])>> {
    let (oid, parameters) = read_identifier(tlv)?;
    let cipher = match oid {
        ID_AES_128_CBC => ContentCipher::Aes128Cbc,
        ID_AES_256_CBC => ContentCipher::Aes256Cbc,
        _ => return Ok(None),
    };
    let iv = parameters.filter(|iv| iv.tag == tag::OCTET_STRING).and_then(|iv| iv.value.try_into().ok());
    iv.map(|iv| Some((cipher, iv))).ok_or_else(|| der::ErrorKind::Failed.into())
}

/// `[0] IMPLICIT OCTET STRING`, in one piece or in segments: a transcoder from BER does not know that they are some.
fn read_implicit_octets(tlv: Tlv<'_>) -> der::Result<Cow<'_, [u8]>> {
    if tlv.tag == tag::context(0) {
        return Ok(Cow::Borrowed(tlv.value));
    }
    if tlv.tag != tag::context_constructed(0) {
        return Err(der::ErrorKind::Failed.into());
    }
    let mut octets = Vec::with_capacity(tlv.value.len());
    let mut reader = tlv.contents()?;
    while !reader.is_finished() {
        octets.extend_from_slice(reader.expect(tag::OCTET_STRING)?.value);
    }
    Ok(Cow::Owned(octets))
}

/// What an EnvelopedData is made with. Randomness is the caller's.
#[derive(Clone, Copy)]
pub struct Seal<'s> {
    /// How the contents are encrypted.
    pub cipher: ContentCipher,
    /// Random, of [`ContentCipher::key_octets`] octets, never used before.
    pub content_key: &'s [u8],
    /// Random.
    pub iv: [u8; 16],
}

impl Seal<'_> {
    /// An EnvelopedData of id-data with these contents, to the key in one certificate: DER, with primitive strings alone.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`] when the recipient's key is not RSA, or the content key is not of the cipher's length.
    pub fn envelop(
        &self,
        contents: &[u8],
        recipient: &CertificateOutline<'_>,
        encrypt: &dyn Encrypt,
    ) -> Result<Vec<u8>, CryptoError> {
        let key = PublicKey::from_der(recipient.public_key).map_err(|_| CryptoError::UnusableKey("malformed"))?;
        let encrypted_key = encrypt.key_transport(&key, KeyTransport::RsaPkcs1, self.content_key)?;
        let ciphertext = encrypt.content(self.cipher, self.content_key, &self.iv, contents)?;
        let cipher = match self.cipher {
            ContentCipher::Aes128Cbc => ID_AES_128_CBC,
            ContentCipher::Aes256Cbc => ID_AES_256_CBC,
        };
        let mut writer = crate::asn1::DerWriter::with_capacity(ciphertext.len() + encrypted_key.len() + 512);
        write_content_info(&mut writer, &ID_ENVELOPED_DATA, |w| {
            w.tlv(tag::INTEGER, &[0]);
            w.nested(tag::SET, |w| {
                w.sequence(|w| {
                    w.tlv(tag::INTEGER, &[0]);
                    w.sequence(|w| {
                        w.raw(recipient.issuer).tlv(tag::INTEGER, recipient.serial);
                    });
                    w.sequence(|w| {
                        w.oid(&RSA_ENCRYPTION).tlv(tag::NULL, &[]);
                    });
                    w.tlv(tag::OCTET_STRING, &encrypted_key);
                });
            });
            w.sequence(|w| {
                w.oid(&ID_DATA);
                w.sequence(|w| {
                    w.oid(&cipher).tlv(tag::OCTET_STRING, &self.iv);
                });
                w.tlv(tag::context(0), &ciphertext);
            });
        });
        Ok(writer.finish())
    }
}
