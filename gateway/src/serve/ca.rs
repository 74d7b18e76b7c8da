//! `/ca/AUTHORITY.cer`, `.p7c`, `.pem`: where the AIA of certificates points (RFC 5280 §4.2.2.1).

use std::collections::HashMap;

use bytes::Bytes;
use certgate_enrollment::Authority;
use certgate_pki::{Certificate, cms, pem};
use hyper::header::{CACHE_CONTROL, HeaderValue};
use hyper::{Method, StatusCode};

use super::answer::{self, Answer};

/// What these paths start with.
pub(crate) const PREFIX: &str = "/ca/";

/// The certificates of all authorities, encoded once.
pub struct CaService {
    files: HashMap<String, (&'static str, Bytes)>,
}

impl CaService {
    /// Serves the certificates of these authorities.
    #[must_use]
    pub fn new<'a>(authorities: impl IntoIterator<Item = &'a Authority>) -> Self {
        let mut files = HashMap::new();
        for authority in authorities {
            let chain: Vec<&[u8]> = authority.chain().iter().map(Certificate::as_der).collect();
            let Some(own) = chain.first() else { continue };
            let pem: String = chain.iter().map(|der| pem::encode(pem::CERTIFICATE, der)).collect();
            let name = authority.name();
            // RFC 5280 §4.2.2.1: "application/pkix-cert" for a single DER certificate, "application/pkcs7-mime" for certs-only.
            files.insert(format!("{name}.cer"), ("application/pkix-cert", Bytes::copy_from_slice(own)));
            files.insert(format!("{name}.p7c"), ("application/pkcs7-mime", cms::certs_only(&chain).into()));
            files.insert(format!("{name}.pem"), ("application/pem-certificate-chain", pem.into()));
        }
        Self { files }
    }

    pub(crate) fn answer(&self, method: &Method, path: &str) -> Answer {
        let file = path.strip_prefix(PREFIX).and_then(|name| self.files.get(name));
        let Some((content_type, contents)) = file else {
            return answer::text(StatusCode::NOT_FOUND, "no authority of this name; the forms are .cer, .p7c and .pem");
        };
        answer::read_only(method).unwrap_or_else(|| {
            let mut answer = answer::ok(content_type, contents.clone());
            answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
            answer
        })
    }
}
