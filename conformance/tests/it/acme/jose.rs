//! The JWS of a request (RFC 8555 §6.2), opened.

use base64ct::{Base64UrlUnpadded, Encoding};
use certgate_conformance::{
    asn1::{Element, tag},
    http::Request,
    signature,
};
use const_oid::ObjectIdentifier;
use p256::ecdsa::Signature;
use serde_json::{Map, Value};

use super::server::{Fault, Problem, Server, malformed, problem, url};

pub(super) const ALGORITHMS: [&str; 2] = ["ES256", "RS256"];
const SIZE_LIMIT: usize = 64 * 1024;

/// Who signed.
pub(super) enum Signer {
    /// A key that came with the message.
    Key(Element),
    /// An account.
    Account(usize),
}

/// A message whose signature is good.
pub(super) struct Message {
    pub(super) signer: Signer,
    pub(super) payload: Vec<u8>,
}

type Members = Map<String, Value>;

impl Server {
    /// Opens the message of a request to `own`.
    pub(super) fn open(&mut self, request: &Request, label: &str, own: &str, wants_key: bool) -> Result<Message, Problem> {
        let media_type = request.fields.iter().find(|(name, _)| name == "Content-Type").map(|(_, value)| value.as_str());
        if media_type != Some("application/jose+json") {
            return Err(problem(415, "malformed", "application/jose+json, please"));
        }
        let content = request.content.as_deref().unwrap_or_default();
        if content.len() > SIZE_LIMIT {
            return Err(problem(413, "malformed", "that is too long"));
        }
        let whole: Members = serde_json::from_slice(content).map_err(|_| malformed("this is no JWS"))?;
        let parts: Vec<&str> =
            ["protected", "payload", "signature"].iter().filter_map(|name| whole.get(*name)?.as_str()).collect();
        let ([protected, payload, signature], 3) = (parts.as_slice(), whole.len()) else {
            return Err(malformed("another serialization, please"));
        };
        let header: Members =
            serde_json::from_slice(&self.decode(protected)?).map_err(|_| malformed("the header is no JSON"))?;
        let (octets, signed) = (self.decode(payload)?, format!("{protected}.{payload}"));
        let signature = self.decode(signature)?;
        let signer = self.judge_header(&header, label, own, wants_key)?;
        let spki = match &signer {
            Signer::Key(spki) => spki.clone(),
            Signer::Account(account) => self.accounts[*account].spki.clone(),
        };
        let is_good = verify(header["alg"].as_str().unwrap_or_default(), &spki, signed.as_bytes(), &signature);
        is_good.ok_or_else(|| malformed("the signature is wrong"))?;
        Ok(Message { signer, payload: octets })
    }

    fn decode(&self, text: &str) -> Result<Vec<u8>, Problem> {
        let text = if self.has(Fault::TakesPadding) { text.trim_end_matches('=') } else { text };
        Base64UrlUnpadded::decode_vec(text).map_err(|_| malformed("this is not base64url"))
    }

    fn judge_header(&mut self, header: &Members, label: &str, own: &str, wants_key: bool) -> Result<Signer, Problem> {
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(malformed("nothing is critical here"));
        }
        let algorithm = header.get("alg").and_then(Value::as_str).unwrap_or_default();
        if !ALGORITHMS.contains(&algorithm) {
            return Err(problem(400, "badSignatureAlgorithm", "another algorithm, please"));
        }
        self.judge_nonce(header.get("nonce"))?;
        let found = header.get("url").and_then(Value::as_str).ok_or_else(|| malformed("for which URL?"))?;
        if found != own && !self.has(Fault::TakesAnyUrl) {
            return Err(problem(403, "unauthorized", "this is for another URL"));
        }
        match (header.get("jwk"), header.get("kid").and_then(Value::as_str)) {
            (Some(jwk), None) if wants_key => self.read_key(jwk).map(Signer::Key),
            (None, Some(kid)) if !wants_key => {
                let number = kid.strip_prefix(&url(label, "account/")).and_then(|number| number.parse::<usize>().ok());
                let known = number.filter(|number| kid.ends_with(&format!("/{number}")) && *number < self.accounts.len());
                known.map(Signer::Account).ok_or(problem(400, "accountDoesNotExist", "there is no such account"))
            }
            _ => Err(malformed("a key or an account, as it fits")),
        }
    }

    fn judge_nonce(&mut self, nonce: Option<&Value>) -> Result<(), Problem> {
        let bad = || problem(400, "badNonce", "another nonce, please");
        let nonce = nonce.ok_or_else(bad)?.as_str().ok_or_else(|| malformed("a nonce is a text"))?;
        self.decode(nonce)?;
        if self.spend(nonce) { Ok(()) } else { Err(bad()) }
    }

    /// A JWK (RFC 7518 §6) as a SubjectPublicKeyInfo.
    fn read_key(&self, jwk: &Value) -> Result<Element, Problem> {
        let member = |name: &str| self.decode(jwk.get(name).and_then(Value::as_str).unwrap_or_default());
        let oid = |text: &str| Element::object_identifier(ObjectIdentifier::new(text).expect("an OID"));
        let (algorithm, bits) = match jwk.get("kty").and_then(Value::as_str) {
            Some("EC") => {
                let point = [vec![0, 4], member("x")?, member("y")?].concat();
                (vec![oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")], point)
            }
            Some("RSA") => {
                let integer =
                    |octets: &[u8]| Element::primitive(tag::INTEGER, &[&[0][usize::from(octets[0] < 0x80)..], octets].concat());
                let key = Element::sequence(vec![integer(&member("n")?), integer(&member("e")?)]).encode();
                (vec![oid("1.2.840.113549.1.1.1"), Element::primitive(tag::NULL, &[])], [vec![0], key].concat())
            }
            _ => return Err(problem(400, "badPublicKey", "another key, please")),
        };
        Ok(Element::sequence(vec![Element::sequence(algorithm), Element::primitive(tag::BIT_STRING, &bits)]))
    }
}

fn verify(algorithm: &str, spki: &Element, message: &[u8], signature: &[u8]) -> Option<()> {
    let (oid, signature) = match algorithm {
        "ES256" => ("1.2.840.10045.4.3.2", Signature::from_slice(signature).ok()?.to_der().as_bytes().to_vec()),
        _ => ("1.2.840.113549.1.1.11", signature.to_vec()),
    };
    let oid = Element::object_identifier(ObjectIdentifier::new(oid).expect("an OID"));
    signature::verify(spki, &Element::sequence(vec![oid]), message, &signature).ok()
}
