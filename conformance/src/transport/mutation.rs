//! Mutations: each changes a right answer into a wrong one, behind the decryption, to prove that a clause can fail.
//!
//! A mutation is three or more words: an operation (`simpleenroll`, or `any`), a status (`200`, `4xx`, or `any`), and the change:
//!
//! - `status CODE`, `drop FIELD`, `header FIELD VALUE…`, `close`;
//! - `body VALUE…`: other content;
//! - `message NAME`: the certs-only message changed, see [`Edit::Message`];
//! - `certificate NAME`: each certificate in it changed, see [`Edit::Certificate`];
//! - `attribute NAME VALUE…`: a signed attribute of a CertRep, see [`Edit::Attribute`];
//! - `cms NAME`: the CertRep changed, see [`Edit::Cms`];
//! - `ocsp NAME`: the OCSP response changed, see [`Edit::Ocsp`];
//! - `crl NAME`: a CRL changed, see [`Edit::Crl`];
//! - `pem NAME`: each certificate of a PEM chain changed in the same way;
//! - `json POINTER VALUE…`, `json-drop POINTER`: a member of a JSON object (RFC 6901) set or taken away;
//! - `peer none`: no server certificate;
//!
//! or two words `probe http` and `probe handshake`: what a bare TCP connection hears.

use std::{str::FromStr, time::Duration};

use super::{Failure, Transport, command::Running};
use crate::{
    asn1::Element,
    certs_only,
    channel::{Channel, Dial},
    http::{Request, Response, encode_body},
    pem,
};

mod cert_rep;
mod crl;
mod message;
mod ocsp;

/// A change to answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutation {
    operation: String,
    status: String,
    edit: Edit,
}

/// What is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The status code.
    Status(u16),
    /// A field is taken away.
    Drop(String),
    /// A field is set.
    Header(String, String),
    /// The content.
    Body(String),
    /// The connection ends before the answer.
    Close,
    /// The certs-only message: `econtent` adds an eContent, `duplicate` a certificate, `rootless` takes the self-signed ones away.
    Message(String),
    /// Each certificate of a certs-only message; the names are those of `CERTIFICATE_EDITS` in `message.rs`.
    Certificate(String),
    /// A signed attribute of a CertRep (RFC 8894 §3.2.1), where it is there: another value, or `none` of it.
    Attribute(String, String),
    /// A CertRep; the names are those of `CMS_EDITS` in `cert_rep.rs`.
    Cms(String),
    /// An OCSP response; the names are those of `EDITS` in `ocsp.rs`.
    Ocsp(String),
    /// A CRL; the names are those of `CRL_EDITS` in `crl.rs`.
    Crl(String),
    /// Each certificate of a PEM chain, by the same names.
    Pem(String),
    /// A member of a JSON document is set, or taken away.
    Json(String, Option<serde_json::Value>),
    /// The server shows no certificate.
    NoPeer,
    /// What a bare TCP connection hears.
    Probe(&'static [u8]),
}

/// A mutation that is none of those above.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such mutation: {0:?}")]
pub struct UnknownMutation(String);

impl FromStr for Mutation {
    type Err = UnknownMutation;

    fn from_str(text: &str) -> Result<Self, UnknownMutation> {
        let unknown = || UnknownMutation(text.to_owned());
        let words: Vec<&str> = text.split(' ').collect();
        let (operation, status, edit) = match words.as_slice() {
            ["probe", "http"] => ("probe", "any", Edit::Probe(b"HTTP/1.1 200 OK\r\n\r\n")),
            ["probe", "handshake"] => ("probe", "any", Edit::Probe(&[22, 3, 1, 0, 0])),
            [operation, status, "status", code] => (*operation, *status, Edit::Status(code.parse().map_err(|_| unknown())?)),
            [operation, status, "drop", field] => (*operation, *status, Edit::Drop((*field).into())),
            [operation, status, "header", field, value @ ..] => {
                (*operation, *status, Edit::Header((*field).into(), value.join(" ")))
            }
            [operation, status, "body", value @ ..] => (*operation, *status, Edit::Body(value.join(" "))),
            [operation, status, "close"] => (*operation, *status, Edit::Close),
            [operation, status, "message", name] if message::MESSAGE_EDITS.contains(name) => {
                (*operation, *status, Edit::Message((*name).into()))
            }
            [operation, status, "certificate", name] if message::is_certificate_edit(name) => {
                (*operation, *status, Edit::Certificate((*name).into()))
            }
            [operation, status, "attribute", name, value @ ..] if cert_rep::is_attribute(name) => {
                (*operation, *status, Edit::Attribute((*name).into(), value.join(" ")))
            }
            [operation, status, "cms", name] if cert_rep::CMS_EDITS.contains(name) => {
                (*operation, *status, Edit::Cms((*name).into()))
            }
            [operation, status, "ocsp", name] if ocsp::is_edit(name) => (*operation, *status, Edit::Ocsp((*name).into())),
            [operation, status, "crl", name] if crl::is_edit(name) => (*operation, *status, Edit::Crl((*name).into())),
            [operation, status, "pem", name] if message::is_certificate_edit(name) => {
                (*operation, *status, Edit::Pem((*name).into()))
            }
            [operation, status, "json", pointer, value @ ..] => {
                let value = serde_json::from_str(&value.join(" ")).map_err(|_| unknown())?;
                (*operation, *status, Edit::Json((*pointer).into(), Some(value)))
            }
            [operation, status, "json-drop", pointer] => (*operation, *status, Edit::Json((*pointer).into(), None)),
            [operation, status, "peer", "none"] => (*operation, *status, Edit::NoPeer),
            _ => return Err(unknown()),
        };
        Ok(Self { operation: operation.into(), status: status.into(), edit })
    }
}

impl Mutation {
    fn applies(&self, operation: &str, status: u16) -> bool {
        let status = status.to_string();
        let is_class = self.status.strip_suffix("xx").is_some_and(|class| status.starts_with(class));
        (self.operation == "any" || self.operation == operation) && (self.status == "any" || self.status == status || is_class)
    }

    fn apply(&self, response: &mut Response) -> Result<(), Failure> {
        let drop_field =
            |response: &mut Response, name: &str| response.fields.retain(|(found, _)| !found.eq_ignore_ascii_case(name));
        match &self.edit {
            Edit::Status(code) => response.status = *code,
            Edit::Drop(name) => drop_field(response, name),
            Edit::Header(name, value) => {
                drop_field(response, name);
                response.fields.push((name.clone(), value.clone()));
            }
            Edit::Body(value) => response.content = value.clone().into_bytes(),
            Edit::Close => return Err(Failure::Closed),
            Edit::Message(name) => rewrite(response, |message| message::edit_message(message, name)),
            Edit::Certificate(name) => rewrite(response, |message| message::edit_certificates(message, name)),
            Edit::Attribute(name, value) => rewrite(response, |message| cert_rep::edit_attribute(message, name, value)),
            Edit::Cms(name) => rewrite(response, |message| cert_rep::edit_cms(message, name)),
            Edit::Ocsp(name) => rewrite(response, |message| ocsp::edit(message, name)),
            Edit::Crl(name) => rewrite(response, |list| crl::edit(list, name)),
            Edit::Pem(name) => rewrite_chain(response, name),
            Edit::Json(pointer, value) => rewrite_json(response, pointer, value.as_ref()),
            Edit::NoPeer => response.peer.clear(),
            Edit::Probe(_) => {}
        }
        Ok(())
    }
}

/// Changes the message in the content, DER or that in base64; content that is no message stays as it is.
fn rewrite(response: &mut Response, edit: impl FnOnce(&mut Element) -> Option<()>) {
    let bare = Element::parse(&response.content);
    let is_bare = bare.is_ok();
    let decoded = bare.or_else(|_| certs_only::decode_base64(&response.content).and_then(|der| Element::parse(&der)));
    if let Ok(mut message) = decoded
        && edit(&mut message).is_some()
    {
        let der = message.encode();
        response.content = if is_bare { der } else { encode_body(&der) };
    }
}

/// Changes each certificate of a PEM chain; content that is none stays as it is.
fn rewrite_chain(response: &mut Response, name: &str) {
    let Ok(ders) = pem::decode(&response.content) else { return };
    let edited = ders.iter().map(|der| {
        let mut certificate = Element::parse(der).ok()?;
        message::edit_certificate(&mut certificate, name)?;
        Some(pem::encode(&certificate.encode()))
    });
    if let Some(chain) = edited.collect::<Option<String>>() {
        response.content = chain.into_bytes();
    }
}

/// Sets or removes the member that `pointer` names; content that has no such place stays as it is.
fn rewrite_json(response: &mut Response, pointer: &str, value: Option<&serde_json::Value>) {
    let Ok(mut document) = serde_json::from_slice::<serde_json::Value>(&response.content) else { return };
    let (parent, member) = pointer.rsplit_once('/').unwrap_or_default();
    let Some(members) = document.pointer_mut(parent).and_then(serde_json::Value::as_object_mut) else { return };
    match value {
        Some(value) => members.insert(member.to_owned(), value.clone()),
        None => members.shift_remove(member),
    };
    response.content = document.to_string().into_bytes();
}

/// A transport whose answers are mutated, and which counts them.
pub struct Mutating<'t> {
    inner: &'t mut dyn Transport,
    mutation: Mutation,
    /// How many answers were changed.
    pub applied: usize,
}

impl<'t> Mutating<'t> {
    /// Lays `mutation` over a transport.
    pub fn new(inner: &'t mut dyn Transport, mutation: Mutation) -> Self {
        Self { inner, mutation, applied: 0 }
    }
}

impl Transport for Mutating<'_> {
    fn exchange(&mut self, request: &Request) -> Result<Response, Failure> {
        let mut response = self.inner.exchange(request)?;
        if self.mutation.applies(request.operation(), response.status) {
            self.applied += 1;
            self.mutation.apply(&mut response)?;
        }
        Ok(response)
    }

    fn open(&mut self, dial: &Dial) -> Result<Channel, Failure> {
        self.inner.open(dial)
    }

    fn command(&mut self, argv: &[String]) -> anyhow::Result<String> {
        self.inner.command(argv)
    }

    fn start(&mut self, argv: Vec<String>) -> Running {
        self.inner.start(argv)
    }

    fn now(&self) -> i64 {
        self.inner.now()
    }

    fn wait(&mut self, time: Duration) {
        self.inner.wait(time);
    }

    fn probe(&mut self, opening: &[u8]) -> Result<Vec<u8>, Failure> {
        match self.mutation.edit {
            Edit::Probe(answer) => {
                self.applied += 1;
                Ok(answer.to_vec())
            }
            _ => self.inner.probe(opening),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutation_knows_where_it_applies() {
        let mutation: Mutation = "simpleenroll 4xx status 200".parse().expect("known");
        assert!(mutation.applies("simpleenroll", 415));
        assert!(!mutation.applies("simpleenroll", 200));
        assert!(!mutation.applies("cacerts", 404));
    }

    #[test]
    fn a_member_is_set_or_taken_away() {
        let mut response = Response { content: b"{\"a\":{\"b\":1},\"c\":2}".to_vec(), ..Response::default() };
        for (text, wanted) in [
            ("order 200 json /a/b \"x y\"", "{\"a\":{\"b\":\"x y\"},\"c\":2}"),
            ("order 200 json-drop /a", "{\"c\":2}"),
            ("order 200 json-drop /d/e", "{\"c\":2}"),
        ] {
            text.parse::<Mutation>().expect("known").apply(&mut response).expect("applied");
            assert_eq!(String::from_utf8_lossy(&response.content), wanted);
        }
    }

    #[test]
    fn an_unknown_mutation_is_refused() {
        for text in [
            "",
            "simpleenroll",
            "simpleenroll 200 certificate colour",
            "any any message none",
            "any any cms none",
            "any any ocsp none",
            "any any crl none",
            "any any attribute colour x",
            "probe dns",
            "order 200 json /a {",
        ] {
            assert!(text.parse::<Mutation>().is_err(), "{text}");
        }
    }
}
