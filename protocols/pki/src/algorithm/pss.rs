//! Parameters of RSASSA-PSS (RFC 4055 §3.1).

use const_oid::db::rfc5912;

use super::{DigestAlgorithm, read_identifier};
use crate::asn1::{DerWriter, Tlv, tag};
use crate::public_key::read_positive;

/// saltLength when it is absent.
const DEFAULT_SALT: u16 = 20;

/// One hash for the message and for MGF1, and how many octets of salt.
///
/// ```text
/// RSASSA-PSS-params ::= SEQUENCE {                         RFC 4055 §3.1, EXPLICIT tags
///     hashAlgorithm     [0] HashAlgorithm DEFAULT sha1Identifier,
///     maskGenAlgorithm  [1] MaskGenAlgorithm DEFAULT mgf1SHA1Identifier,
///     saltLength        [2] INTEGER DEFAULT 20,
///     trailerField      [3] INTEGER DEFAULT 1 }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PssParameters {
    /// Never SHA-1.
    pub(super) hash: DigestAlgorithm,
    /// Octets of salt.
    pub(super) salt: u16,
}

impl PssParameters {
    /// Reads them. `Ok(None)` are well-formed ones that are not known here: SHA-1, which is the DEFAULT, two different hashes, another
    /// mask, another trailer, or more salt than any key has room for.
    pub(super) fn read(tlv: Tlv<'_>) -> der::Result<Option<Self>> {
        if tlv.tag != tag::SEQUENCE {
            return Err(der::ErrorKind::Failed.into());
        }
        let mut reader = tlv.contents()?;
        let hash = reader.explicit(0)?.map(read_hash).transpose()?.flatten();
        let mask_hash = reader.explicit(1)?.map(read_mask_hash).transpose()?.flatten();
        let salt = reader.explicit(2)?.map_or(Ok(Some(DEFAULT_SALT)), read_number)?;
        // RFC 4055 §3.1: "Implementations that perform signature validation MUST recognize both a present trailerField field with value 1
        // and an absent trailerField field."
        let trailer = reader.explicit(3)?.map_or(Ok(Some(1)), read_number)?;
        reader.finish()?;
        Ok(match (hash, mask_hash, salt, trailer) {
            (Some(hash), Some(mask_hash), Some(salt), Some(1)) if hash == mask_hash => Some(Self { hash, salt }),
            _ => None,
        })
    }

    /// Writes them. RFC 4055 §3.1: "Implementations that perform signature generation MUST omit the trailerField field".
    pub(super) fn write(self, writer: &mut DerWriter) {
        writer.sequence(|w| {
            w.nested(tag::context_constructed(0), |w| self.hash.write(w));
            w.nested(tag::context_constructed(1), |w| {
                w.sequence(|w| {
                    w.oid(&rfc5912::ID_MGF_1);
                    self.hash.write(w);
                });
            });
            // X.690 §11.5: a DEFAULT is left out.
            if self.salt != DEFAULT_SALT {
                w.nested(tag::context_constructed(2), |w| {
                    w.unsigned(self.salt.into());
                });
            }
        });
    }
}

/// SHA-1 is none here.
fn read_hash(tlv: Tlv<'_>) -> der::Result<Option<DigestAlgorithm>> {
    Ok(DigestAlgorithm::read(tlv)?.filter(|hash| *hash != DigestAlgorithm::Sha1))
}

/// The hash of MGF1, the only mask there is (RFC 4055 §2.2).
fn read_mask_hash(tlv: Tlv<'_>) -> der::Result<Option<DigestAlgorithm>> {
    match read_identifier(tlv)? {
        (rfc5912::ID_MGF_1, Some(hash)) => read_hash(hash),
        // RFC 4055 §2.2: the parameters of id-mgf1 are a HashAlgorithm, and not optional.
        (rfc5912::ID_MGF_1, None) => Err(der::ErrorKind::Failed.into()),
        _ => Ok(None),
    }
}

/// An INTEGER that is not negative; `Ok(None)` is one above [`u16::MAX`].
fn read_number(tlv: Tlv<'_>) -> der::Result<Option<u16>> {
    if tlv.tag != tag::INTEGER {
        return Err(der::ErrorKind::Failed.into());
    }
    if tlv.value == [0] {
        return Ok(Some(0));
    }
    Ok(match read_positive(tlv)? {
        [low] => Some(u16::from(*low)),
        [high, low] => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    })
}
