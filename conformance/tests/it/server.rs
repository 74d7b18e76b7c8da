//! An EST server without sockets: as RFC 7030 and RFC 8951 want it, unless told otherwise.

use std::time::Duration;

use certgate_conformance::{
    channel::{Channel, Dial, TlsVersion},
    clause::Reading,
    clock,
    http::{Connection, Request, Response},
    key::random,
    transport::{Failure, Transport},
};
use der::Encode;
use p256::ecdsa::SigningKey;
use x509_cert::{Certificate, ext::Extension};

use crate::authority::Authority;
use crate::crl::plain_additions;
use message::{certs_only, method_not_allowed, refusal};

mod clients;
mod enrollment;
mod message;
mod operator;

pub(crate) use enrollment::Csr;

/// The user that the target names.
pub(crate) const USER: &str = "device";
pub(crate) const PASSWORD: &str = "secret of the device";

/// What can be wrong with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not verify the signature of a CSR.
    TakesUnsigned,
    /// It signs every extension and name that a CSR asks for.
    CopiesBlindly,
    /// It believes every client certificate.
    TrustsAnyCertificate,
    /// It does not look at the status of a client certificate.
    ForgetsRevocation,
    /// It does not compare subjectAltName at renewal.
    IgnoresNames,
    /// It does as if there were no ChangeSubjectName.
    IgnoresChange,
    /// It does not look at challengePassword.
    IgnoresBinding,
    /// It issues each time it is asked for what was approved.
    IssuesTwice,
    /// It takes a CSR that is bound to another channel for another request.
    TellsBoundApart,
}

/// The server.
pub(crate) struct Server {
    pub(crate) root: Authority,
    pub(crate) issuing: Authority,
    pub(crate) shown: Certificate,
    pub(crate) shown_key: SigningKey,
    reading: Reading,
    fault: Option<Fault>,
    kept: bool,
    opened: Option<Channel>,
    users: Vec<User>,
    issued: Vec<Issued>,
    pending: Vec<Pending>,
    /// Seconds that have passed for everybody since the start, beyond what really has.
    passed: i64,
    /// Seconds that this server's clock is ahead.
    ahead: i64,
    /// What it adds to the certificates that it issues.
    pub(crate) additions: Option<Additions>,
}

/// Extensions for a certificate of an endpoint, by how many were issued before.
pub(crate) type Additions = Box<dyn Fn(&str, usize) -> Vec<Extension> + Send>;

/// One who may enroll.
struct User {
    endpoint: String,
    name: String,
    password: String,
    allowed: Vec<String>,
}

/// A certificate that was issued.
struct Issued {
    der: Vec<u8>,
    serial: String,
    user: String,
    is_good: bool,
}

/// A request that waits for a person, or did.
struct Pending {
    /// What is asked for, by whom: the same each time.
    identity: Vec<u8>,
    csr_sha256: String,
    decision: Option<bool>,
    answer: Option<Response>,
}

/// What the server knows of the TLS session of a request.
#[derive(Default)]
pub(crate) struct Peer {
    /// The client's certificates.
    pub(crate) chain: Vec<Vec<u8>>,
    /// The channel binding.
    pub(crate) binding: Option<Vec<u8>>,
}

impl Server {
    pub(crate) fn new(reading: Reading) -> Self {
        let root = Authority::root();
        let issuing = root.subordinate();
        let (shown, shown_key) = issuing.server();
        let mut server = Self {
            root,
            issuing,
            shown,
            shown_key,
            reading,
            fault: None,
            kept: false,
            opened: None,
            users: Vec::new(),
            issued: Vec::new(),
            pending: Vec::new(),
            passed: 0,
            ahead: 0,
            additions: Some(plain_additions("http://localhost".to_owned())),
        };
        server.add_user("default", USER, PASSWORD, &[USER.to_owned()]);
        server
    }

    /// A server that reads compatibly and has this fault.
    pub(crate) fn broken(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::new(Reading::Compatible) }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// What its clock shows.
    pub(crate) fn clock(&self) -> i64 {
        Transport::now(self) + self.ahead
    }

    /// A certificate that it has issued.
    pub(crate) fn issued(&self, serial: &str) -> Option<&[u8]> {
        self.issued.iter().find(|issued| issued.serial == serial).map(|issued| issued.der.as_slice())
    }

    /// Answers a request.
    pub(crate) fn answer(&mut self, request: &Request, peer: &Peer) -> Result<Response, Failure> {
        if request.target == "/ca/issuing.cer" {
            return Ok(message::certificate(&self.issuing.certificate));
        }
        let path = request.target.strip_prefix("/.well-known/est/").unwrap_or_default();
        let (label, operation) = path.split_once('/').unwrap_or(("default", path));
        if !["default", "manual", "short", "demanding", "sharded"].contains(&label) {
            return Ok(refusal(404, "there is no such label"));
        }
        let mut response = match (request.method.as_str(), operation) {
            ("GET", "cacerts") => certs_only(&[&self.root.certificate, &self.issuing.certificate]),
            ("POST", "simpleenroll" | "simplereenroll") => self.enroll(label, request, peer)?,
            ("GET", "csrattrs") if label == "demanding" => message::demands(),
            ("GET", "csrattrs") => Response { status: 204, ..Response::default() },
            (_, "cacerts") => method_not_allowed("GET"),
            (_, "simpleenroll" | "simplereenroll") => method_not_allowed("POST"),
            _ => refusal(404, "there is no such operation"),
        };
        response.peer = vec![self.shown.to_der().expect("DER")];
        Ok(response)
    }
}

impl Transport for Server {
    fn exchange(&mut self, request: &Request) -> Result<Response, Failure> {
        let opened = if request.connection == Connection::Opened { self.opened.take() } else { None };
        let chain = request.dial.identity.as_ref().map(|identity| identity.chain.clone()).unwrap_or_default();
        let binding = opened.and_then(|channel| channel.binding().map(<[u8]>::to_vec));
        let mut response = self.answer(request, &Peer { chain, binding })?;
        response.reused = request.connection == Connection::Kept && std::mem::replace(&mut self.kept, true);
        self.kept = request.connection == Connection::Kept;
        if request.delivery == certgate_conformance::http::Delivery::AfterContinue {
            response.interim = vec![100];
        }
        Ok(response)
    }

    fn open(&mut self, dial: &Dial) -> Result<Channel, Failure> {
        let exporter = random::<32>().expect("random").to_vec();
        let channel =
            Channel { version: dial.version.unwrap_or(TlsVersion::V1_3), unique: Some(exporter[..12].to_vec()), exporter };
        self.opened = Some(channel.clone());
        Ok(channel)
    }

    fn probe(&mut self, _: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(vec![21, 3, 1, 0, 2, 2, 70])
    }

    fn command(&mut self, argv: &[String]) -> anyhow::Result<String> {
        self.operate(argv)
    }

    fn now(&self) -> i64 {
        clock::unix_now() + self.passed
    }

    fn wait(&mut self, time: Duration) {
        self.passed += i64::try_from(time.as_secs()).expect("not that long");
    }
}
