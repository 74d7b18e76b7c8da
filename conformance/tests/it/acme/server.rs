//! An ACME server without sockets of its own: as RFC 8555 wants it, unless told otherwise.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{anyhow, bail};
use certgate_conformance::{
    acme::jws::base64url,
    asn1::Element,
    channel::{Channel, Dial},
    clock,
    http::{Request, Response},
    key::random,
    transport::{Failure, Transport},
};
use serde_json::{Value, json};

use super::jose::{self, Message};
use crate::authority::Authority;

/// What can be wrong with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A nonce is good more than once.
    TakesUsedNonces,
    /// It does not look at `url`.
    TakesAnyUrl,
    /// It takes base64url with padding.
    TakesPadding,
    /// It shows everything to every account.
    ShowsToStrangers,
    /// It does not compare the names of CSR and order.
    IgnoresNames,
    /// It follows redirects to every port.
    FollowsAnywhere,
}

/// The server.
pub(super) struct Server {
    pub(super) issuing: Authority,
    pub(super) root: Authority,
    /// Where it validates.
    pub(super) port: u16,
    pub(super) fault: Option<Fault>,
    nonces: BTreeSet<String>,
    pub(super) accounts: Vec<Account>,
    pub(super) orders: Vec<Order>,
    pub(super) authorizations: Vec<Authorization>,
    passed: i64,
}

/// An account.
pub(super) struct Account {
    pub(super) spki: Element,
    pub(super) label: String,
}

/// An order.
pub(super) struct Order {
    pub(super) account: usize,
    pub(super) names: Vec<String>,
    pub(super) authorizations: Vec<usize>,
    pub(super) stage: Stage,
}

/// How far an order has come beyond its authorizations.
pub(super) enum Stage {
    /// Nobody has finalized it.
    Open,
    /// Somebody has to look at this CSR.
    Waiting { csr: Vec<u8>, digest: String },
    /// The chain, PEM.
    Issued(String),
    /// Somebody said no.
    Denied,
}

/// An authorization with its one challenge.
pub(super) struct Authorization {
    pub(super) account: usize,
    pub(super) name: String,
    pub(super) token: String,
    /// Valid, or why not; nothing as long as nobody has looked.
    pub(super) outcome: Option<Result<(), &'static str>>,
}

/// An error.
pub(super) struct Problem {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) detail: &'static str,
}

pub(super) const fn problem(status: u16, kind: &'static str, detail: &'static str) -> Problem {
    Problem { status, kind, detail }
}

pub(super) const fn malformed(detail: &'static str) -> Problem {
    problem(400, "malformed", detail)
}

impl Problem {
    fn response(&self) -> Response {
        let mut document = json!({
            "type": format!("urn:ietf:params:acme:error:{}", self.kind),
            "detail": self.detail,
            "status": self.status,
        });
        if self.kind == "badSignatureAlgorithm" {
            document["algorithms"] = json!(jose::ALGORITHMS);
        }
        let fields = vec![("Content-Type".into(), "application/problem+json".into())];
        Response { status: self.status, fields, content: document.to_string().into_bytes(), ..Response::default() }
    }
}

pub(super) fn answer(status: u16, body: &Value) -> Response {
    let fields = vec![("Content-Type".into(), "application/json".into())];
    Response { status, fields, content: body.to_string().into_bytes(), ..Response::default() }
}

/// The beginning of each URL.
pub(super) fn url(label: &str, rest: &str) -> String {
    format!("https://localhost/acme/{label}/{rest}")
}

impl Server {
    pub(super) fn new(port: u16, fault: Option<Fault>) -> Self {
        let root = Authority::root();
        Self {
            issuing: root.subordinate(),
            root,
            port,
            fault,
            nonces: BTreeSet::new(),
            accounts: Vec::new(),
            orders: Vec::new(),
            authorizations: Vec::new(),
            passed: 0,
        }
    }

    pub(super) fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn new_nonce(&mut self) -> String {
        let nonce = base64url(&random::<16>().expect("random"));
        self.nonces.insert(nonce.clone());
        nonce
    }

    /// RFC 8555 §6.5: a nonce that has appeared is good no more.
    pub(super) fn spend(&mut self, nonce: &str) -> bool {
        if self.has(Fault::TakesUsedNonces) { self.nonces.contains(nonce) } else { self.nonces.remove(nonce) }
    }

    fn respond(&mut self, request: &Request) -> Response {
        let path = request.target.strip_prefix("/acme/").unwrap_or_default();
        let (label, rest) = path.split_once('/').unwrap_or_default();
        let (label, rest) = (label.to_owned(), rest.to_owned());
        let mut response = match (request.method.as_str(), rest.as_str()) {
            ("GET", "directory") => answer(200, &directory(&label)),
            ("HEAD", "new-nonce") => Response { status: 200, ..Response::default() },
            ("GET", "new-nonce") => Response { status: 204, ..Response::default() },
            ("POST", _) => match self.post(request, &label, &rest) {
                Ok(response) => response,
                Err(problem) => problem.response(),
            },
            _ => problem(405, "malformed", "another method, please").response(),
        };
        let mut add = |name: &str, value: String| response.fields.push((name.to_owned(), value));
        if rest != "directory" {
            add("Link", format!("<{}>;rel=\"index\"", url(&label, "directory")));
        }
        if rest == "new-nonce" {
            add("Cache-Control", "no-store".into());
        }
        if rest == "new-nonce" || request.method == "POST" {
            add("Replay-Nonce", self.new_nonce());
        }
        response
    }

    fn post(&mut self, request: &Request, label: &str, rest: &str) -> Result<Response, Problem> {
        let own = url(label, rest);
        let Message { signer, payload } = self.open(request, label, &own, rest == "new-account")?;
        let payload: Option<Value> = match payload.as_slice() {
            b"" => None,
            octets => Some(serde_json::from_slice(octets).map_err(|_| malformed("the payload is no JSON"))?),
        };
        let (kind, number) = rest.split_once('/').unwrap_or((rest, ""));
        let number = number.parse::<usize>().unwrap_or(usize::MAX);
        match (kind, signer, payload) {
            ("directory", _, None) => Ok(answer(200, &directory(label))),
            ("new-nonce", _, None) => Ok(Response { status: 200, ..Response::default() }),
            ("new-account", jose::Signer::Key(spki), Some(payload)) => self.new_account(label, spki, &payload),
            (_, jose::Signer::Key(_), _) => Err(malformed("who is this?")),
            (kind, jose::Signer::Account(account), payload) => self.serve(label, account, (kind, number), payload),
        }
    }
}

pub(super) fn directory(label: &str) -> Value {
    json!({
        "newNonce": url(label, "new-nonce"),
        "newAccount": url(label, "new-account"),
        "newOrder": url(label, "new-order"),
        "revokeCert": url(label, "revoke"),
        "keyChange": url(label, "key-change"),
    })
}

impl Transport for Server {
    fn exchange(&mut self, request: &Request) -> Result<Response, Failure> {
        Ok(self.respond(request))
    }

    fn open(&mut self, _: &Dial) -> Result<Channel, Failure> {
        Err(Failure::Connect("not here".into()))
    }

    fn probe(&mut self, _: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(Vec::new())
    }

    fn command(&mut self, argv: &[String]) -> anyhow::Result<String> {
        let [hook, wanted] = argv else { bail!("no such hook: {argv:?}") };
        let is_it = |order: &Order| matches!(&order.stage, Stage::Waiting { digest, .. } if digest == wanted);
        let at = self.orders.iter().position(is_it).ok_or_else(|| anyhow!("nothing waits with {wanted}"))?;
        let Stage::Waiting { csr, .. } = std::mem::replace(&mut self.orders[at].stage, Stage::Denied) else { bail!("not so") };
        if hook == "approve" {
            let chain = self.issue(&csr);
            self.orders[at].stage = Stage::Issued(chain);
        }
        Ok(String::new())
    }

    fn now(&self) -> i64 {
        clock::unix_now() + self.passed
    }

    fn wait(&mut self, time: Duration) {
        self.passed += i64::try_from(time.as_secs()).expect("not that long");
    }
}
