//! An OCSP responder without sockets, beside the EST server whose certificates it knows: as RFC 6960 and RFC 9919 want it, unless told
//! otherwise.

use std::time::Duration;

use aws_lc_rs::digest;
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use certgate_conformance::{
    asn1::{Element, tag},
    certificate::{Certificate, hex},
    certs_only,
    channel::{Channel, Dial},
    clause::Reading,
    csr::{attribute, encode_name},
    http::{Request, Response},
    key::Key,
    transport::{Failure, Transport},
};
use const_oid::ObjectIdentifier;
use der::{Encode, asn1::OctetString};
use jiff::Timestamp;
use x509_cert::ext::Extension;

use super::{
    crl,
    request::{self, Asked},
    response::{self, Answer, Known},
};
use crate::{
    authority::{DAY, Order},
    server::Server,
};

const SIZE_LIMIT: usize = 64 * 1024;
/// Seconds that an answer is good for.
const LASTS: i64 = 3600;
/// Answers are made anew this often, in seconds.
const STEP: i64 = 60;

/// What can be wrong with the responder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It says good of what was never issued.
    KnowsEverybody,
    /// It does not compare issuerKeyHash.
    LooksAtNamesOnly,
    /// It does not hear of revocations.
    AnswersFromMemory,
    /// It tells no reasons.
    ForgetsReasons,
    /// It puts the first nonce it has seen into every answer to one.
    RepeatsFirstNonce,
    /// It makes one slash of two.
    CollapsesSlashes,
    /// It does as if no extension were critical.
    IgnoresCritical,
    /// Its certificate is the root's, not the CA's of the CertID.
    SignsForRoot,
}

pub(crate) struct Responder {
    est: Server,
    issuer: Certificate,
    key: Key,
    certificate: Vec<u8>,
    reading: Reading,
    fault: Option<Fault>,
    /// Serial numbers that were issued, and what is known of them.
    records: Vec<(Vec<u8>, Known)>,
    /// When one of them changed last.
    changed: i64,
    first_nonce: Option<Vec<u8>>,
}

fn extension(oid: &str, value: &Element) -> Extension {
    let extn_value = OctetString::new(value.encode()).expect("octets");
    Extension { extn_id: ObjectIdentifier::new(oid).expect("an OID"), critical: false, extn_value }
}

impl Responder {
    pub(crate) fn new(reading: Reading, fault: Option<Fault>) -> Self {
        let est = Server::new(reading);
        let key = Key::p256();
        let purpose = Element::object_identifier(ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9"));
        let order = Order {
            subject: &encode_name(&[(attribute::COMMON_NAME, "Responder".into())]),
            spki: &key.spki().expect("a key"),
            dns_names: Vec::new(),
            more: vec![
                extension("2.5.29.37", &Element::sequence(vec![purpose])),
                extension("1.3.6.1.5.5.7.48.1.5", &Element::primitive(tag::NULL, &[])),
            ],
            period: (est.now() - DAY, est.now() + 30 * DAY),
        };
        let signer = if fault == Some(Fault::SignsForRoot) { &est.root } else { &est.issuing };
        let certificate = signer.issue(&order).to_der().expect("DER");
        let issuer = Certificate::parse(&est.issuing.certificate.to_der().expect("DER")).expect("DER");
        Self { est, issuer, key, certificate, reading, fault, records: Vec::new(), changed: 0, first_nonce: None }
    }

    pub(crate) const fn issuing(&self) -> &x509_cert::Certificate {
        &self.est.issuing.certificate
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn known(&self, id: &Element, is_extended: bool) -> Option<Known> {
        let [algorithm, name, key, serial] = id.elements() else { return None };
        let hash = match algorithm.elements().first()?.oid()?.to_string().as_str() {
            "1.3.14.3.2.26" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            "2.16.840.1.101.3.4.2.1" => &digest::SHA256,
            "2.16.840.1.101.3.4.2.2" => &digest::SHA384,
            _ => return None,
        };
        let is_hash = |found: &Element, of: &[u8]| found.octets() == digest::digest(hash, of).as_ref();
        let is_key = is_hash(key, &self.issuer.spki.elements()[1].octets()[1..]) || self.has(Fault::LooksAtNamesOnly);
        if !is_hash(name, &self.issuer.subject.encode()) || !is_key {
            return None;
        }
        let record = self.records.iter().find(|(known, _)| known == serial.octets());
        Some(match record {
            Some((_, Known::Revoked(..))) if self.has(Fault::AnswersFromMemory) => Known::Good,
            Some((_, Known::Revoked(since, _))) if self.has(Fault::ForgetsReasons) => Known::Revoked(*since, None),
            Some((_, known)) => *known,
            None if is_extended => Known::Revoked(0, Some(6)),
            None if self.has(Fault::KnowsEverybody) => Known::Good,
            None => Known::Unknown,
        })
    }

    /// The answer to a request, and when it ends; `Err` with the number of an error.
    fn answer(&mut self, octets: &[u8], is_extended: bool) -> Result<(Vec<u8>, Answer), u8> {
        let asked = request::read(octets, self.has(Fault::IgnoresCritical)).ok_or(1_u8)?;
        let Asked { ids, mut nonce } = asked;
        if self.has(Fault::RepeatsFirstNonce) && nonce.is_some() {
            nonce = self.first_nonce.get_or_insert_with(|| nonce.unwrap_or_default()).clone().into();
        }
        let known: Vec<Option<Known>> = ids.iter().map(|id| self.known(id, is_extended)).collect();
        if known.iter().all(Option::is_none) {
            return Err(6);
        }
        let singles = ids.into_iter().zip(known.into_iter().map(|one| one.unwrap_or(Known::Unknown))).collect();
        let now = self.est.now();
        let this_update = (now - now % STEP).max(self.changed);
        let answer = Answer { singles, this_update, next_update: this_update + LASTS, nonce, is_extended };
        let key_hash =
            digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.key.spki().expect("a key").elements()[1].octets()[1..]);
        let der = answer.sign(&self.key, &self.certificate, key_hash.as_ref(), this_update);
        Ok((der, answer))
    }

    fn respond(&mut self, octets: &[u8], is_extended: bool, may_be_kept: bool) -> Response {
        let (content, answer) = match self.answer(octets, is_extended) {
            Ok((content, answer)) => (content, Some(answer)),
            Err(number) => (response::error(number), None),
        };
        let mut fields = vec![
            ("Content-Type".to_owned(), "application/ocsp-response".to_owned()),
            ("Content-Length".to_owned(), content.len().to_string()),
        ];
        match answer.filter(|answer| answer.nonce.is_none() && may_be_kept) {
            Some(answer) => {
                let date = |seconds| {
                    Timestamp::from_second(seconds).expect("a moment").strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
                };
                let age = answer.next_update - self.est.now() - 1;
                fields.push(("Last-Modified".into(), date(answer.this_update)));
                fields.push(("Expires".into(), date(answer.next_update)));
                fields.push(("ETag".into(), format!("\"{}\"", hex(digest::digest(&digest::SHA256, &content).as_ref()))));
                fields.push(("Cache-Control".into(), format!("max-age={age}, public, no-transform, must-revalidate")));
            }
            None => fields.push(("Cache-Control".into(), "no-store".into())),
        }
        Response { status: 200, fields, content, ..Response::default() }
    }

    fn serve(&mut self, request: &Request) -> Response {
        let bare = |status| Response { status, ..Response::default() };
        let is_extended = request.target.starts_with("/ocsp/unissued");
        let path = request.target.splitn(4, '/').nth(3);
        let content = request.content.as_deref().unwrap_or_default();
        match (request.method.as_str(), path) {
            ("POST", None) => {
                let media_type =
                    request.fields.iter().find(|(name, _)| name == "Content-Type").map(|(_, value)| value.as_str());
                match media_type {
                    Some("application/ocsp-request") if content.len() > SIZE_LIMIT => bare(413),
                    Some("application/ocsp-request") => self.respond(content, is_extended, false),
                    _ => bare(415),
                }
            }
            ("GET", None | Some("")) => bare(404),
            ("GET", Some(path)) => {
                let octets = self.decode(path);
                let mut response = self.respond(&octets, is_extended, true);
                let condition =
                    request.fields.iter().find(|(name, _)| name == "If-None-Match").map(|(_, value)| value.as_str());
                if condition.is_some() && condition == response.field("etag") {
                    response = Response { status: 304, content: Vec::new(), ..response };
                }
                response
            }
            _ => Response { fields: vec![("Allow".into(), "GET, POST".into())], ..bare(405) },
        }
    }

    fn decode(&self, path: &str) -> Vec<u8> {
        let mut text = path.trim_start_matches('/').to_owned();
        if self.has(Fault::CollapsesSlashes) {
            text = text.replace("//", "/");
        }
        for (escaped, plain) in [("%2F", "/"), ("%2f", "/"), ("%2B", "+"), ("%2b", "+"), ("%3D", "="), ("%3d", "=")] {
            text = text.replace(escaped, plain);
        }
        let standard = Base64::decode_vec(&text);
        match (standard, self.reading) {
            (Ok(octets), _) => octets,
            (Err(_), Reading::Compatible) => Base64UrlUnpadded::decode_vec(&text).unwrap_or_default(),
            (Err(_), Reading::Strict) => Vec::new(),
        }
    }

    fn mark(&mut self, serial: &str, known: Known) -> anyhow::Result<String> {
        let of = |serial: &[u8]| hex(serial.strip_prefix(&[0]).unwrap_or(serial));
        let record = self.records.iter_mut().find(|(number, _)| of(number) == serial);
        record.ok_or_else(|| anyhow::anyhow!("no certificate {serial}"))?.1 = known;
        self.changed = self.est.now();
        Ok(String::new())
    }
}

impl Transport for Responder {
    fn exchange(&mut self, request: &Request) -> Result<Response, Failure> {
        let path = request.dial.origin.as_ref().map(|url| url.path.clone()).unwrap_or_default();
        if path.starts_with("/ocsp") {
            return Ok(self.serve(request));
        }
        if path.starts_with("/crl") {
            let content = crl::list(&self.est.issuing, &self.records, self.est.now());
            return Ok(Response { status: 200, content, ..Response::default() });
        }
        let response = self.est.exchange(request)?;
        if request.operation() == "simpleenroll" && response.status == 200 {
            let issued = certs_only::decode(&response.content).expect("certificates");
            self.records.extend(issued.into_iter().map(|certificate| (certificate.serial, Known::Good)));
        }
        Ok(response)
    }

    fn open(&mut self, dial: &Dial) -> Result<Channel, Failure> {
        self.est.open(dial)
    }

    fn probe(&mut self, opening: &[u8]) -> Result<Vec<u8>, Failure> {
        self.est.probe(opening)
    }

    fn command(&mut self, argv: &[String]) -> anyhow::Result<String> {
        let now = self.est.now();
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["revoke", serial, "keyCompromise"] => self.mark(serial, Known::Revoked(now, Some(1))),
            ["revoke", serial, "superseded"] => self.mark(serial, Known::Revoked(now, Some(4))),
            ["hold", serial] => self.mark(serial, Known::Revoked(now, Some(6))),
            ["release", serial] => self.mark(serial, Known::Good),
            _ => self.est.command(argv),
        }
    }

    fn now(&self) -> i64 {
        self.est.now()
    }

    fn wait(&mut self, time: Duration) {
        self.est.wait(time);
    }
}
