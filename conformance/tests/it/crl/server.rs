//! An EST server whose certificates name lists, and the publisher of those lists.

use std::time::Duration;

use anyhow::{Context, bail};
use certgate_conformance::{
    asn1::{Element, tag},
    certificate::Certificate,
    channel::{Channel, Dial},
    clause::Reading,
    http::{Request, Response},
    pointers::{AUTHORITY_INFORMATION_ACCESS, CA_ISSUERS, CRL_DISTRIBUTION_POINTS, FRESHEST_CRL, OCSP, urls_in},
    transport::{Failure, Transport, command::Running},
};
use const_oid::ObjectIdentifier;
use der::{Encode, asn1::OctetString};
use x509_cert::ext::Extension;

use super::{
    lists::{Entry, points},
    publisher::{Published, Publisher},
};
use crate::server;

/// Shards of the endpoint `sharded`.
const SHARDS: usize = 2;
/// Where lists are, if nobody says otherwise.
const ORIGIN: &str = "http://localhost";

/// What can be wrong with the publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Who is off hold stays on the list.
    KeepsReleased,
    /// Who has expired is off the list at once.
    DropsExpired,
    /// Numbers begin anew when it is restarted.
    NumbersRestart,
    /// It makes no list of some changes.
    LosesHalf,
    /// It makes no list before one is asked for.
    ServesStale,
    /// It writes reasonCode unspecified.
    WritesUnspecified,
    /// It answers 304 whatever the ETag.
    AnswersAnyTag,
}

/// The server.
pub(super) struct Server {
    pub(super) est: server::Server,
    origin: String,
    publishers: Vec<Publisher>,
    fault: Option<Fault>,
}

impl Server {
    /// With deltas and shards.
    pub(super) fn new(fault: Option<Fault>) -> Self {
        Self::at(ORIGIN, fault)
    }

    /// The same, lists being at another origin.
    pub(super) fn at(origin: &str, fault: Option<Fault>) -> Self {
        let publisher = |path: &str, is_shard| {
            let delta = format!("{origin}{path}/delta.crl");
            Publisher::new(format!("{origin}{path}.crl"), Some(delta), is_shard, fault)
        };
        let shards = (0..SHARDS).map(|number| publisher(&format!("/crl/sharded/{number}"), true));
        let publishers = std::iter::once(publisher("/crl/default", false)).chain(shards).collect();
        let own = origin.to_owned();
        let additions = Box::new(move |label: &str, count: usize| additions(&own, label, count));
        Self::publishing(origin, publishers, additions, fault)
    }

    /// With a complete list and nothing else.
    pub(super) fn plain() -> Self {
        let list = Publisher::new(format!("{ORIGIN}/crl/default.crl"), None, false, None);
        Self::publishing(ORIGIN, vec![list], plain_additions(ORIGIN.to_owned()), None)
    }

    /// The EST server, whose certificates say nothing of lists.
    pub(super) fn est_alone(mut self) -> server::Server {
        self.est.additions = None;
        self.est
    }

    fn publishing(origin: &str, publishers: Vec<Publisher>, additions: server::Additions, fault: Option<Fault>) -> Self {
        let mut est = server::Server::new(Reading::Compatible);
        est.additions = Some(additions);
        let mut server = Self { est, origin: origin.to_owned(), publishers, fault };
        server.tick();
        server
    }

    fn tick(&mut self) {
        let now = self.est.clock();
        for publisher in &mut self.publishers {
            publisher.tick(&self.est.issuing, now);
        }
    }

    fn serve(&self, request: &Request) -> Response {
        let url = format!("{}{}", self.origin, request.target);
        let named = |name: &str, content: &[u8]| Response {
            status: 200,
            fields: vec![("Content-Type".into(), name.into())],
            content: content.to_vec(),
            ..Response::default()
        };
        match request.target.as_str() {
            "/ca/issuing.cer" => named("application/pkix-cert", &self.est.issuing.certificate.to_der().expect("DER")),
            // malformedRequest (RFC 6960 §4.2.1).
            "/ocsp" => named("application/ocsp-response", &[0x30, 0x03, 0x0a, 0x01, 0x01]),
            _ => self.list(&url).map_or(Response { status: 404, ..Response::default() }, |list| self.answer(request, list)),
        }
    }

    fn list(&self, url: &str) -> Option<&Published> {
        self.publishers.iter().find_map(|publisher| {
            if publisher.complete_url == url {
                return Some(&publisher.complete);
            }
            (publisher.delta_url.as_deref() == Some(url)).then_some(&publisher.delta)
        })
    }

    /// RFC 9110 §13.2.2.
    fn answer(&self, request: &Request, list: &Published) -> Response {
        let etag = format!("\"{}\"", list.number);
        let moment = jiff::Timestamp::from_second(list.made).expect("a moment");
        let modified = moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let field = |name: &str| request.fields.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
        let is_known = match (field("If-None-Match"), field("If-Modified-Since")) {
            (Some(tag), _) => tag == etag || self.fault == Some(Fault::AnswersAnyTag),
            (None, since) => since == Some(modified.as_str()),
        };
        let fields = vec![
            ("Content-Type".into(), "application/pkix-crl".into()),
            ("ETag".into(), etag),
            ("Last-Modified".into(), modified),
        ];
        let has_content = !is_known && request.method == "GET";
        let content = if has_content { list.der.clone() } else { Vec::new() };
        Response { status: if is_known { 304 } else { 200 }, fields, content, ..Response::default() }
    }

    fn change(&mut self, words: &[&str]) -> anyhow::Result<()> {
        let serial = *words.get(1).context("no serial number")?;
        let certificate = Certificate::parse(self.est.issued(serial).context("no such certificate")?)?;
        let url = urls_in(certificate.extension(CRL_DISTRIBUTION_POINTS))?.pop().context("no CRLDP")?.to_string();
        let publisher = self.publishers.iter_mut().find(|one| one.complete_url == url).context("no such list")?;
        let now = self.est.clock();
        let unspecified = (self.fault == Some(Fault::WritesUnspecified)).then_some(0);
        let (reason, invalid_since) = match words {
            ["hold", _] => (Some(6), None),
            ["revoke", _, reason] => (code(reason)?.or(unspecified), None),
            ["revoke", _, reason, "--invalidity-date", since] => {
                (code(reason)?, Some(since.parse::<jiff::Timestamp>()?.as_second()))
            }
            ["release", _] => {
                publisher.release(&certificate.serial, &self.est.issuing, now);
                return Ok(());
            }
            _ => bail!("no such change: {words:?}"),
        };
        let entry = Entry { serial: certificate.serial.clone(), date: now, reason, invalid_since };
        let not_after = certificate.not_after.unix().context("no notAfter")?;
        publisher.revoke(entry, not_after, &self.est.issuing);
        Ok(())
    }
}

/// RFC 5280 §5.3.1.
fn code(reason: &str) -> anyhow::Result<Option<u8>> {
    Ok(match reason {
        "unspecified" => None,
        "keyCompromise" => Some(1),
        "superseded" => Some(4),
        "cessationOfOperation" => Some(5),
        _ => bail!("no such reason: {reason}"),
    })
}

fn extension(oid: ObjectIdentifier, value: &Element) -> Extension {
    Extension { extn_id: oid, critical: false, extn_value: OctetString::new(value.encode()).expect("octets") }
}

fn access(origin: &str) -> Extension {
    let description = |method, path: &str| {
        let location = Element::primitive(tag::context_primitive(6), format!("{origin}{path}").as_bytes());
        Element::sequence(vec![Element::object_identifier(method), location])
    };
    let value = Element::sequence(vec![description(OCSP, "/ocsp"), description(CA_ISSUERS, "/ca/issuing.cer")]);
    extension(AUTHORITY_INFORMATION_ACCESS, &value)
}

/// What certificates of an authority with one list and no deltas say.
pub(crate) fn plain_additions(origin: String) -> server::Additions {
    let url = format!("{origin}/crl/default.crl");
    Box::new(move |_: &str, _: usize| vec![extension(CRL_DISTRIBUTION_POINTS, &points(&url)), access(&origin)])
}

fn additions(origin: &str, label: &str, count: usize) -> Vec<Extension> {
    let path = if label == "sharded" { format!("/crl/sharded/{}", count % SHARDS) } else { "/crl/default".into() };
    vec![
        extension(CRL_DISTRIBUTION_POINTS, &points(&format!("{origin}{path}.crl"))),
        extension(FRESHEST_CRL, &points(&format!("{origin}{path}/delta.crl"))),
        access(origin),
    ]
}

impl Transport for Server {
    fn exchange(&mut self, request: &Request) -> Result<Response, Failure> {
        self.tick();
        if request.target.starts_with("/.well-known/") { self.est.exchange(request) } else { Ok(self.serve(request)) }
    }

    fn open(&mut self, dial: &Dial) -> Result<Channel, Failure> {
        self.est.open(dial)
    }

    fn probe(&mut self, opening: &[u8]) -> Result<Vec<u8>, Failure> {
        self.est.probe(opening)
    }

    fn command(&mut self, argv: &[String]) -> anyhow::Result<String> {
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        match words.first() {
            Some(&"restart") => {
                if self.fault == Some(Fault::NumbersRestart) {
                    self.publishers.iter_mut().for_each(Publisher::forget_numbers);
                }
                return Ok(String::new());
            }
            Some(&("revoke" | "hold" | "release")) => self.change(&words)?,
            _ => {}
        }
        self.est.command(argv)
    }

    fn start(&mut self, argv: Vec<String>) -> Running {
        Running::Done(self.command(&argv))
    }

    fn now(&self) -> i64 {
        self.est.now()
    }

    fn wait(&mut self, time: Duration) {
        self.est.wait(time);
    }
}
