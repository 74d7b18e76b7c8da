//! Response bodies.

use certgate_pki::cms::certs_only;

use crate::body::encode_body;

/// Content-Type of /cacerts (RFC 7030 §4.1.3).
pub const PKCS7_MIME: &str = "application/pkcs7-mime";
/// Content-Type of an enrollment's certificate (RFC 7030 §4.2.3).
pub const CERTS_ONLY: &str = "application/pkcs7-mime; smime-type=certs-only";

/// A body and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EstBody {
    /// Content-Type.
    pub content_type: &'static str,
    /// base64 of DER. The header `Content-Transfer-Encoding: base64` goes with it: RFC 8951 §3 has receivers ignore it, some clients of
    /// before then need it.
    pub base64: String,
}

/// The answer to /cacerts: "all certificates required to build a chain to an EST CA TA" (RFC 7030 §4.1.3), as DER.
#[must_use]
pub fn ca_certs(certificates: &[&[u8]], base64_line_length: usize) -> EstBody {
    EstBody { content_type: PKCS7_MIME, base64: encode_body(&certs_only(certificates), base64_line_length) }
}

/// The answer to an enrollment that was granted: "a certs-only CMC Simple PKI Response that contains only the certificate that was
/// issued" (RFC 7030 §4.2.3), as DER.
#[must_use]
pub fn enrolled(certificate: &[u8], base64_line_length: usize) -> EstBody {
    EstBody { content_type: CERTS_ONLY, base64: encode_body(&certs_only(&[certificate]), base64_line_length) }
}
