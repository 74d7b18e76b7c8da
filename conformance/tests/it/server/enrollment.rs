//! Enrollment and re-enrollment, from the request to the certificate.

use base64ct::{Base64, Encoding};
use certgate_conformance::{
    asn1::{Element, tag},
    certificate::{Certificate, extension, hex},
    clause::Reading,
    csr::{CHALLENGE_PASSWORD, CHANGE_SUBJECT_NAME, attribute},
    http::{Delivery, Request, Response},
    signature,
    transport::Failure,
};
use const_oid::ObjectIdentifier;
use der::{Decode, Encode};
use sha2::{Digest, Sha256};
use x509_cert::ext::Extension;

use super::{
    Fault, Issued, Peer, Pending, Server,
    clients::Client,
    message::{DEMANDED_CURVE, accepted, issued, refusal, unauthorized},
};
use crate::authority::{DAY, Order};

const SIZE_LIMIT: usize = 64 * 1024;
/// Seconds before its making that a certificate is valid from.
const BACKDATE: i64 = 300;
/// Seconds that a certificate of the endpoint `short` lasts.
const SHORT: i64 = 3;

const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");

/// Why a request is refused.
pub(crate) type Refusal = &'static str;

/// A CSR, its parts.
pub(crate) struct Csr {
    der: Vec<u8>,
    info: Element,
    pub(crate) subject: Element,
    pub(crate) spki: Element,
    attributes: Vec<Element>,
}

impl Csr {
    pub(crate) fn read(whole: &Element, verifies: bool) -> Result<Self, Refusal> {
        let [info, algorithm, bits] = whole.elements() else { return Err("this is not a CSR") };
        let [_, subject, spki, attributes] = info.elements() else { return Err("this is not a CSR") };
        let signature = bits.octets().get(1..).unwrap_or_default();
        if verifies && signature::verify(spki, algorithm, &info.encode(), signature).is_err() {
            return Err("the signature is wrong");
        }
        Ok(Self {
            der: whole.encode(),
            info: info.clone(),
            subject: subject.clone(),
            spki: spki.clone(),
            attributes: attributes.elements().to_vec(),
        })
    }

    fn attribute(&self, oid: ObjectIdentifier) -> Option<&Element> {
        let found = self.attributes.iter().find(|attribute| attribute.elements()[0].oid() == Some(oid))?;
        found.elements()[1].elements().first()
    }

    fn challenge(&self) -> Option<&[u8]> {
        self.attribute(CHALLENGE_PASSWORD).map(Element::octets)
    }

    pub(crate) fn extensions(&self) -> Vec<Extension> {
        let list = self.attribute(EXTENSION_REQUEST).map(Element::elements).unwrap_or_default();
        list.iter().map(|extension| Extension::from_der(&extension.encode()).expect("an extension")).collect()
    }

    pub(crate) fn dns_names(&self) -> Option<Vec<String>> {
        let extensions = self.extensions();
        let names = extensions.iter().find(|one| one.extn_id == extension::SUBJECT_ALT_NAME)?;
        let names = Element::parse(names.extn_value.as_bytes()).expect("DER");
        Some(names.elements().iter().map(|name| String::from_utf8_lossy(name.octets()).into_owned()).collect())
    }

    /// What is asked for: the CertificationRequestInfo without challengePassword, which differs on each channel.
    fn identity(&self) -> Vec<u8> {
        let is_challenge = |attribute: &Element| attribute.elements()[0].oid() == Some(CHALLENGE_PASSWORD);
        let mut info = self.info.clone();
        let attributes = info.elements_mut().and_then(|fields| fields.last_mut()).and_then(Element::elements_mut);
        attributes.expect("attributes").retain(|attribute| !is_challenge(attribute));
        info.encode()
    }
}

impl Server {
    pub(super) fn enroll(&mut self, label: &str, request: &Request, peer: &Peer) -> Result<Response, Failure> {
        let Some(client) = self.client(label, request, peer) else { return Ok(unauthorized()) };
        if matches!(request.delivery, Delivery::Trickle { .. }) {
            return Err(Failure::Closed);
        }
        let body = request.content.clone().unwrap_or_default();
        if body.len() > SIZE_LIMIT {
            return Ok(refusal(413, "that is too long"));
        }
        let content_type = request.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let content_type = content_type.map(|(_, value)| value.to_ascii_lowercase()).unwrap_or_default();
        if self.reading == Reading::Strict && content_type.split(';').next() != Some("application/pkcs10") {
            return Ok(refusal(415, "only application/pkcs10 is read"));
        }
        let renews = request.operation() == "simplereenroll";
        let answer = self.decode(&body).and_then(|csr| self.decide_on(label, &client, &csr, peer, renews));
        Ok(answer.unwrap_or_else(|why| refusal(400, why)))
    }

    fn decode(&self, body: &[u8]) -> Result<Csr, Refusal> {
        let whole = if self.reading == Reading::Compatible && body.first() == Some(&tag::SEQUENCE) {
            Element::parse(body).map_err(|_| "this is not DER")?
        } else {
            let is_space = |octet: &&u8| !octet.is_ascii_whitespace();
            let text: String = body.iter().filter(is_space).map(|octet| char::from(*octet)).collect();
            let der = Base64::decode_vec(&text).map_err(|_| "this is not base64")?;
            Element::parse(&der).map_err(|_| "this is not DER")?
        };
        Csr::read(&whole, !self.has(Fault::TakesUnsigned))
    }

    fn decide_on(&mut self, label: &str, client: &Client, csr: &Csr, peer: &Peer, renews: bool) -> Result<Response, Refusal> {
        self.check_binding(label, csr, peer)?;
        let dns_names = if renews {
            self.renewed_names(client.certificate.as_ref().ok_or("renew with a certificate, please")?, csr)?
        } else {
            self.check_names(client, csr)?
        };
        match label {
            "manual" => self.approve(client, csr, dns_names),
            _ => Ok(self.issue(label, client, csr, dns_names)),
        }
    }

    /// RFC 7030 §3.5: "If tls-unique information is included by the client, the server MUST verify it."
    fn check_binding(&self, label: &str, csr: &Csr, peer: &Peer) -> Result<(), Refusal> {
        let wanted = peer.binding.as_ref().map(|binding| Base64::encode_string(binding).into_bytes());
        let demands = label == "demanding";
        match csr.challenge() {
            None if demands => return Err("bind the CSR to the channel, please"),
            Some(found) if wanted.as_deref() != Some(found) && !self.has(Fault::IgnoresBinding) => {
                return Err("the CSR is bound to another channel");
            }
            _ => {}
        }
        let curve = csr.spki.elements()[0].elements().get(1).and_then(Element::oid);
        if demands && curve != Some(DEMANDED_CURVE) { Err("another curve, please") } else { Ok(()) }
    }

    fn check_names(&self, client: &Client, csr: &Csr) -> Result<Vec<String>, Refusal> {
        let dns_names = csr.dns_names().unwrap_or_default();
        let common_names = common_names(&csr.subject);
        let all_own = dns_names.iter().chain(&common_names).all(|name| client.allowed.contains(name));
        if !self.has(Fault::CopiesBlindly) && (!all_own || common_names.len() > 1) {
            return Err("this name is not yours");
        }
        Ok(dns_names)
    }

    /// RFC 7030 §4.2.2: "The request Subject field and SubjectAltName extension MUST be identical".
    fn renewed_names(&self, old: &Certificate, csr: &Csr) -> Result<Vec<String>, Refusal> {
        if csr.attribute(CHANGE_SUBJECT_NAME).is_some() && !self.has(Fault::IgnoresChange) {
            return Err("names are not changed here");
        }
        if csr.subject != old.subject {
            return Err("this is another subject");
        }
        match csr.dns_names() {
            None if self.reading == Reading::Strict && !old.dns_names().is_empty() => Err("the subjectAltName is not there"),
            None => Ok(old.dns_names()),
            Some(names) if names == old.dns_names() || self.has(Fault::IgnoresNames) => Ok(names),
            Some(_) => Err("this is another subjectAltName"),
        }
    }

    /// RFC 7030 §4.2.3: "The server is responsible for maintaining all states necessary to recognize and handle retry operations".
    fn approve(&mut self, client: &Client, csr: &Csr, dns_names: Vec<String>) -> Result<Response, Refusal> {
        let asked = if self.has(Fault::TellsBoundApart) { csr.info.encode() } else { csr.identity() };
        let identity = [client.name.as_bytes(), &asked].concat();
        let Some(at) = self.pending.iter().position(|item| item.identity == identity) else {
            let csr_sha256 = hex(&Sha256::digest(&csr.der));
            self.pending.push(Pending { identity, csr_sha256, decision: None, answer: None });
            return Ok(accepted());
        };
        match (self.pending[at].decision, self.pending[at].answer.clone()) {
            (None, _) => Ok(accepted()),
            (Some(false), _) => Err("somebody looked at it and said no"),
            (Some(true), Some(answer)) if !self.has(Fault::IssuesTwice) => Ok(answer),
            (Some(true), _) => {
                let answer = self.issue("manual", client, csr, dns_names);
                self.pending[at].answer = Some(answer.clone());
                Ok(answer)
            }
        }
    }

    fn issue(&mut self, label: &str, client: &Client, csr: &Csr, dns_names: Vec<String>) -> Response {
        let mut more = if self.has(Fault::CopiesBlindly) { csr.extensions() } else { Vec::new() };
        more.extend(self.additions.as_ref().map(|add| add(label, self.issued.len())).unwrap_or_default());
        let now = self.clock();
        let period = (now - BACKDATE, now + if label == "short" { SHORT } else { 90 * DAY });
        let order = Order { subject: &csr.subject, spki: &csr.spki, dns_names, more, period };
        let certificate = self.issuing.issue(&order);
        let der = certificate.to_der().expect("DER");
        let serial = Certificate::parse(&der).expect("DER").serial_hex();
        self.issued.push(Issued { der, serial, user: client.name.clone(), is_good: true });
        issued(&certificate)
    }
}

fn common_names(subject: &Element) -> Vec<String> {
    let pairs = subject.elements().iter().flat_map(Element::elements);
    let common = pairs.filter(|pair| pair.elements()[0].oid() == Some(attribute::COMMON_NAME));
    common.map(|pair| String::from_utf8_lossy(pair.elements()[1].octets()).into_owned()).collect()
}
