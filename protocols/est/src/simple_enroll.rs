//! /simpleenroll requests (RFC 7030 §4.2.1).

use certgate_pki::{Csr, CsrError, Reading};

use crate::body::{BodyError, Lenience, decode_body};

/// A request to enroll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimpleEnroll {
    /// What is asked; its signature is not verified yet.
    pub csr: Csr,
    /// What compatible reading let pass.
    pub leniences: Vec<Lenience>,
}

/// The request is none. All of these are the client's doing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not application/pkcs10, in strict reading.
    #[error("the Content-Type of an enrollment is application/pkcs10 (RFC 7030 §4.2.1)")]
    ContentType,
    /// Not base64.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// Not PKCS#10.
    #[error(transparent)]
    Csr(#[from] CsrError),
}

impl SimpleEnroll {
    /// Reads a request. `Content-Transfer-Encoding` is not looked at: RFC 8951 §3 has receivers ignore it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn decode(content_type: Option<&str>, body: &[u8], reading: Reading) -> Result<Self, RequestError> {
        let mut leniences = Vec::new();
        if !content_type.is_some_and(is_pkcs10) {
            if reading == Reading::Strict {
                return Err(RequestError::ContentType);
            }
            leniences.push(Lenience::ContentType);
        }
        let (der, lenience) = decode_body(body, reading)?;
        leniences.extend(lenience);
        Ok(Self { csr: Csr::from_der(&der)?, leniences })
    }
}

/// RFC 9110 §8.3.1: type and subtype are case-insensitive; parameters may follow.
fn is_pkcs10(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/pkcs10")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_type_by_reading() {
        for good in ["application/pkcs10", "Application/PKCS10; charset=x"] {
            assert_eq!(SimpleEnroll::decode(Some(good), b"", Reading::Strict), Err(BodyError::Empty.into()), "{good}");
        }
        for wrong in [None, Some("text/plain"), Some("application/pkcs7-mime")] {
            assert_eq!(SimpleEnroll::decode(wrong, b"", Reading::Strict), Err(RequestError::ContentType));
            assert_eq!(SimpleEnroll::decode(wrong, b"", Reading::Compatible), Err(BodyError::Empty.into()));
        }
    }
}
