//! Who can open an EnvelopedData (RFC 5652 §6.2).

use const_oid::db::rfc5912::{ID_MGF_1, ID_RSAES_OAEP, RSA_ENCRYPTION};

use super::signer_info::SignerId;
use crate::algorithm::read_identifier;
use crate::asn1::{Tlv, tag};
use crate::{DigestAlgorithm, KeyTransport};

/// A KeyTransRecipientInfo (RFC 5652 §6.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTransRecipient<'a> {
    /// keyEncryptionAlgorithm; `None` is one that is not known here.
    pub scheme: Option<KeyTransport>,
    /// encryptedKey.
    pub encrypted_key: &'a [u8],
}

impl<'a> KeyTransRecipient<'a> {
    /// Reads a RecipientInfo; `Ok(None)` is one of another kind.
    pub(super) fn read(tlv: Tlv<'a>) -> der::Result<Option<Self>> {
        if tlv.tag != tag::SEQUENCE {
            return Ok(None);
        }
        let mut reader = tlv.contents()?;
        reader.expect(tag::INTEGER)?;
        // rid is of the form that names of signers have. Whose it is shows by whether the key opens it.
        SignerId::read(reader.any()?)?;
        let scheme = read_scheme(reader.expect(tag::SEQUENCE)?)?;
        let encrypted_key = reader.expect(tag::OCTET_STRING)?.value;
        reader.finish()?;
        Ok(Some(Self { scheme, encrypted_key }))
    }
}

fn read_scheme(tlv: Tlv<'_>) -> der::Result<Option<KeyTransport>> {
    match read_identifier(tlv)? {
        // RFC 3370 §4.2.1: the parameters MUST be NULL; some leave them out.
        (RSA_ENCRYPTION, parameters) if parameters.is_none_or(|parameters| parameters.raw == [tag::NULL, 0]) => {
            Ok(Some(KeyTransport::RsaPkcs1))
        }
        (ID_RSAES_OAEP, Some(parameters)) => read_oaep(parameters),
        _ => Ok(None),
    }
}

/// RSAES-OAEP-params with SHA-256 twice, and without a label.
///
/// ```text
/// RSAES-OAEP-params ::= SEQUENCE {                         RFC 4055 §4.1, EXPLICIT tags
///     hashFunc    [0] AlgorithmIdentifier DEFAULT sha1Identifier,
///     maskGenFunc [1] AlgorithmIdentifier DEFAULT mgf1SHA1Identifier,
///     pSourceFunc [2] AlgorithmIdentifier DEFAULT pSpecifiedEmptyIdentifier }
/// ```
fn read_oaep(tlv: Tlv<'_>) -> der::Result<Option<KeyTransport>> {
    if tlv.tag != tag::SEQUENCE {
        return Err(der::ErrorKind::Failed.into());
    }
    let mut reader = tlv.contents()?;
    let hash = reader.explicit(0)?.map(DigestAlgorithm::read).transpose()?.flatten();
    let mask = reader.explicit(1)?.map(read_identifier).transpose()?;
    let source = reader.explicit(2)?.map(read_identifier).transpose()?;
    reader.finish()?;
    let mask_hash = match mask {
        Some((ID_MGF_1, Some(hash))) => DigestAlgorithm::read(hash)?,
        _ => None,
    };
    let has_label = source.is_some_and(|(_, label)| label.is_none_or(|label| label.raw != [tag::OCTET_STRING, 0]));
    let is_known = (hash, mask_hash) == (Some(DigestAlgorithm::Sha256), Some(DigestAlgorithm::Sha256)) && !has_label;
    Ok(is_known.then_some(KeyTransport::RsaOaepSha256))
}
