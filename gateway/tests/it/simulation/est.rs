//! A client of EST: one request, sent again until it is answered.

use base64ct::{Base64, Encoding};
use bytes::Bytes;
use certgate_pki::Certificate;
use certgate_pki::cms::SignedData;
use certgate_testkit::{CsrBuilder, device_key};
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use hyper::{Request, StatusCode};

use super::devices::{Turned, not_now};
use super::net::{Lost, Net};

pub(crate) struct EstClient {
    pub(crate) endpoint: &'static str,
    name: String,
    /// What the operator has given it.
    pub(crate) password: String,
    csr: String,
}

impl EstClient {
    pub(crate) fn new(endpoint: &'static str, name: &str) -> Self {
        let csr = Base64::encode_string(&CsrBuilder::new(&device_key()).common_name(name).sign());
        Self { endpoint, name: name.to_owned(), password: String::new(), csr }
    }

    /// Enrolls with its password, or has this certificate renewed.
    pub(crate) fn turn(&self, net: &Net<'_>, renews: Option<&Certificate>) -> Result<Turned, Lost> {
        let operation = if renews.is_some() { "simplereenroll" } else { "simpleenroll" };
        let mut request = Request::post(format!("/.well-known/est/{}/{operation}", self.endpoint));
        if renews.is_none() {
            let credential = Base64::encode_string(format!("{}:{}", self.name, self.password).as_bytes());
            request = request.header(AUTHORIZATION, format!("Basic {credential}"));
        }
        let request = request.header(CONTENT_TYPE, "application/pkcs10").body(Full::<Bytes>::from(self.csr.clone())).unwrap();
        let answer = net.ask(request, renews.map(Certificate::as_der))?;
        Ok(match answer.status {
            StatusCode::OK => {
                let cms = Base64::decode_vec(std::str::from_utf8(&answer.body).unwrap()).unwrap();
                let [certificate] = SignedData::from_der(&cms).unwrap().certificates[..] else { panic!("one certificate") };
                Turned::Has(Box::new(Certificate::from_der(certificate).unwrap()))
            }
            StatusCode::ACCEPTED if answer.headers.contains_key(RETRY_AFTER) => Turned::Waits,
            _ => not_now(&answer),
        })
    }
}
