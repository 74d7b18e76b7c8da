//! Verifying the signature of a JWS (RFC 7515 §5.2).

use certgate_pki::asn1::{DerWriter, tag};
use certgate_pki::{Provider, PublicKey};

use crate::algorithm::Algorithm;
use crate::error::RequestError;
use crate::jws::Jws;

impl Jws {
    /// Verifies that the holder of `key` has signed the request, over the text as received. For [`crate::KeyRef::Jwk`] it is the key in
    /// the request; for [`crate::KeyRef::Kid`] the key of that account.
    ///
    /// # Errors
    /// As [`Algorithm::verify`].
    pub fn verify(&self, key: &PublicKey, provider: &Provider) -> Result<(), RequestError> {
        self.protected.algorithm.verify(key, self.signing_input(), self.signature(), provider)
    }
}

impl Algorithm {
    /// Verifies a signature over a JWS Signing Input (RFC 7515 §5.1).
    ///
    /// # Errors
    /// [`RequestError::BadSignatureAlgorithm`] where the algorithm does not suit the key, with the one that does;
    /// [`RequestError::BadPublicKey`] where none does; [`RequestError::BadSignature`].
    pub fn verify(
        self,
        key: &PublicKey,
        signing_input: &[u8],
        signature: &[u8],
        provider: &Provider,
    ) -> Result<(), RequestError> {
        let suited = Self::of_key(key.key_type()).ok_or(RequestError::BadPublicKey("nothing is verified with its type"))?;
        if suited != self {
            return Err(RequestError::BadSignatureAlgorithm(vec![suited]));
        }
        let der = match self.ecdsa_octets() {
            Some(octets) => Some(ecdsa_der(signature, octets).ok_or(RequestError::BadSignature)?),
            None => None,
        };
        let signature = der.as_deref().unwrap_or(signature);
        let verified = provider.verify.verify(key, self.signature_algorithm(), signing_input, signature);
        verified.map_err(|_| RequestError::BadSignature)
    }
}

/// ECDSA-Sig-Value (RFC 5480 §A) of R and S in so many octets each. RFC 7518 §3.4: "The octet sequence representations MUST NOT be
/// shortened to omit any leading zero octets contained in the values."
fn ecdsa_der(signature: &[u8], octets: usize) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(octets).filter(|(_, s)| s.len() == octets)?;
    let (r, s) = (integer(r)?, integer(s)?);
    let mut writer = DerWriter::with_capacity(signature.len() + 9);
    writer.sequence(|w| {
        w.tlv(tag::INTEGER, &r).tlv(tag::INTEGER, &s);
    });
    Some(writer.finish())
}

/// The contents of a positive INTEGER: without leading zeros, but with one where it would be negative otherwise. Zero is no part of a
/// signature.
pub(crate) fn integer(octets: &[u8]) -> Option<Vec<u8>> {
    let start = octets.iter().position(|octet| *octet != 0)?;
    let digits = octets.get(start..)?;
    let sign: &[u8] = if digits.first().is_some_and(|first| first & 0x80 != 0) { &[0] } else { &[] };
    Some([sign, digits].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_signature_become_minimal_integers() {
        assert_eq!(ecdsa_der(&[0, 1, 0x80, 0], 2).unwrap(), [0x30, 8, 2, 1, 1, 2, 3, 0, 0x80, 0]);
        for wrong in [&[][..], &[1, 1, 1], &[1, 1, 1, 1, 1], &[0, 0, 1, 1], &[1, 1, 0, 0]] {
            assert_eq!(ecdsa_der(wrong, 2), None, "{wrong:?}");
        }
    }
}
