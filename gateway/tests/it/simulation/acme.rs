//! A client of ACME: an account, an order, its challenge, a certificate; it goes on where it was when no answer came.

use base64ct::{Base64UrlUnpadded, Encoding};
use bytes::Bytes;
use certgate_pki::{Certificate, SignatureAlgorithm, pem};
use certgate_testkit::{CsrBuilder, device_key, rsa_device_key};
use http_body_util::Full;
use hyper::Request;
use hyper::header::{CONTENT_TYPE, LOCATION};
use serde_json::{Value, json};

use super::devices::{Turned, not_now};
use super::life::Answer;
use super::net::{Lost, Net};

const BASE: &str = "https://localhost/acme/default";
/// How often it looks whether something has come of what it waits for, in one turn.
const LOOKS: usize = 4;

#[derive(Default)]
pub(crate) struct AcmeClient {
    name: String,
    account: Option<String>,
    order: Option<String>,
    nonce: Option<String>,
    /// The last request that was answered, as it was sent.
    pub(crate) last: Option<(String, String)>,
}

/// An answer that is no success.
struct Unlike(Turned);

/// What a step gives: an answer, or how the turn ends.
type Step<T> = Result<Result<T, Unlike>, Lost>;

impl AcmeClient {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Does all that there is to do for a certificate.
    pub(crate) fn turn(&mut self, net: &Net<'_>) -> Result<Turned, Lost> {
        Ok(self.obtain(net)?.unwrap_or_else(|Unlike(turned)| turned))
    }

    fn obtain(&mut self, net: &Net<'_>) -> Step<Turned> {
        if self.account.is_none() {
            match self.post(net, &format!("{BASE}/new-account"), r#"{"termsOfServiceAgreed":true}"#)? {
                Ok(answer) => self.account = Some(location(&answer)),
                Err(unlike) => return Ok(Err(unlike)),
            }
        }
        let order = match self.order.clone() {
            Some(order) => order,
            None => {
                let wish = json!({"identifiers": [{"type": "dns", "value": self.name}]}).to_string();
                match self.post(net, &format!("{BASE}/new-order"), &wish)? {
                    Ok(answer) => self.order.insert(location(&answer)).clone(),
                    Err(unlike) => return Ok(Err(unlike)),
                }
            }
        };
        for _ in 0..LOOKS {
            match self.go_on(net, &order)? {
                Ok(None) => {}
                Ok(Some(turned)) => return Ok(Ok(turned)),
                Err(unlike) => return Ok(Err(unlike)),
            }
        }
        Ok(Ok(Turned::Waits))
    }

    /// The next step of an order; `None` where another one follows.
    fn go_on(&mut self, net: &Net<'_>, order: &str) -> Step<Option<Turned>> {
        let stands = match self.post(net, order, "")? {
            Ok(answer) => parse(&answer),
            Err(unlike) => return Ok(Err(unlike)),
        };
        let next = match stands["status"].as_str().unwrap() {
            "pending" => self.authorize(net, stands["authorizations"][0].as_str().unwrap())?,
            "ready" => {
                let csr = Base64UrlUnpadded::encode_string(&CsrBuilder::new(&device_key()).dns(&self.name).sign());
                let answered = self.post(net, stands["finalize"].as_str().unwrap(), &json!({"csr": csr}).to_string())?;
                answered.map(drop)
            }
            "processing" => Ok(()),
            "valid" => match self.post(net, stands["certificate"].as_str().unwrap(), "")? {
                Ok(answer) => {
                    self.order = None;
                    let text = String::from_utf8(answer.body.to_vec()).unwrap();
                    let certificate = Certificate::from_der(&pem::decode(pem::CERTIFICATE, &text).unwrap()).unwrap();
                    return Ok(Ok(Some(Turned::Has(Box::new(certificate)))));
                }
                Err(unlike) => Err(unlike),
            },
            // Its time is over: the next turn orders anew.
            _ => {
                self.order = None;
                return Ok(Ok(Some(Turned::Waits)));
            }
        };
        Ok(next.map(|()| None))
    }

    /// Answers the challenge, if that is not done.
    fn authorize(&mut self, net: &Net<'_>, url: &str) -> Step<()> {
        let authorization = match self.post(net, url, "")? {
            Ok(answer) => parse(&answer),
            Err(unlike) => return Ok(Err(unlike)),
        };
        let challenge = &authorization["challenges"][0];
        if challenge["status"] == "valid" {
            return Ok(Ok(()));
        }
        Ok(self.post(net, challenge["url"].as_str().unwrap(), "{}")?.map(drop))
    }

    /// A signed request (RFC 8555 §6.2); a nonce that is not known any more is replaced (§6.5).
    fn post(&mut self, net: &Net<'_>, url: &str, payload: &str) -> Step<Answer> {
        let mut answer = self.send(net, url, payload)?;
        if answer.status == 400 && parse(&answer)["type"].as_str().is_some_and(|kind| kind.ends_with(":badNonce")) {
            answer = self.send(net, url, payload)?;
        }
        Ok(if answer.status.is_success() { Ok(answer) } else { Err(Unlike(not_now(&answer))) })
    }

    fn send(&mut self, net: &Net<'_>, url: &str, payload: &str) -> Result<Answer, Lost> {
        let nonce = match self.nonce.take() {
            Some(nonce) => nonce,
            None => {
                let request = Request::get("/acme/default/new-nonce").body(Full::<Bytes>::default()).unwrap();
                nonce_of(&net.ask(request, None)?).unwrap()
            }
        };
        let body = self.jws(url, &nonce, payload);
        let answer = net.ask(request(url, &body), None)?;
        self.nonce = nonce_of(&answer);
        self.last = Some((url.to_owned(), body));
        Ok(answer)
    }

    fn jws(&self, url: &str, nonce: &str, payload: &str) -> String {
        let key = rsa_device_key();
        let mut header = json!({"alg": "RS256", "nonce": nonce, "url": url});
        match &self.account {
            Some(account) => header["kid"] = account.as_str().into(),
            None => {
                let (n, e) = (key.public_key().rsa_modulus().unwrap(), key.public_key().rsa_exponent().unwrap());
                let encode = Base64UrlUnpadded::encode_string;
                header["jwk"] = json!({"kty": "RSA", "n": encode(n), "e": encode(e)});
            }
        }
        let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        let (protected, payload) = (encode(&header.to_string()), encode(payload));
        let signature = key.sign_as(SignatureAlgorithm::RsaSha256, format!("{protected}.{payload}").as_bytes()).unwrap();
        let signature = Base64UrlUnpadded::encode_string(&signature);
        json!({"protected": protected, "payload": payload, "signature": signature}).to_string()
    }

    /// Sends the last request once more, as it was; what is said to that.
    pub(crate) fn replay(&self, net: &Net<'_>) -> Result<Option<Answer>, Lost> {
        self.last.as_ref().map(|(url, body)| net.ask(request(url, body), None)).transpose()
    }
}

fn request(url: &str, body: &str) -> Request<Full<Bytes>> {
    let path = url.strip_prefix("https://localhost").unwrap();
    Request::post(path).header(CONTENT_TYPE, "application/jose+json").body(Full::from(body.to_owned())).unwrap()
}

fn nonce_of(answer: &Answer) -> Option<String> {
    Some(answer.headers.get("replay-nonce")?.to_str().unwrap().to_owned())
}

fn location(answer: &Answer) -> String {
    answer.headers[LOCATION].to_str().unwrap().to_owned()
}

fn parse(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}
