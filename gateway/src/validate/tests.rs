//! Validations over real sockets: a web server and a name server of the test's own, on the loopback.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use certgate_pki::DnsName;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;
use crate::config::Network;
use crate::telemetry::Metrics;
use dns::{NameServer, Zone};
use web::{Requests, Script};

mod answers;
mod bounds;
mod dns;
mod names;
mod redirects;
mod web;

const TOKEN: &str = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";
const KEY_AUTHORIZATION: &str = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";

/// Where the web server listens, and a name leads unless a test says otherwise.
const HOME: &str = "127.0.0.1";

/// Everything around a validator.
struct World {
    zone: Zone,
    allow: Vec<&'static str>,
    deny: Vec<&'static str>,
    own: Vec<SocketAddr>,
    limits: Limits,
    port: u16,
    resolver: SocketAddr,
    requests: Requests,
    /// Servers, which end with the test.
    tasks: JoinSet<()>,
}

impl World {
    /// A web server that answers by this script, and a name server that has `a.example` there.
    async fn with(script: impl Fn(&str) -> Script + Send + Sync + 'static) -> Self {
        let mut tasks = JoinSet::new();
        let listener = TcpListener::bind((HOME, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Requests::default();
        tasks.spawn(web::serve(listener, Arc::new(script), requests.clone()));
        let zone = Zone::default();
        zone.set("a.example", dns::Answer::addresses(&[HOME]));
        let NameServer { address: resolver } = dns::start(&zone, &mut tasks).await;
        let limits = Limits { validation: "2s".parse().unwrap(), ..Limits::default() };
        let (allow, deny, own) = (vec!["127.0.0.0/8", "::1/128"], Vec::new(), Vec::new());
        Self { zone, allow, deny, own, limits, port, resolver, requests, tasks }
    }

    /// One that answers always the same.
    async fn answering(reply: impl Into<Vec<u8>>) -> Self {
        let reply = reply.into();
        Self::with(move |_| Script::Reply(reply.clone())).await
    }

    fn validator(&self) -> Validator {
        self.validator_counted_by(&Metrics::new())
    }

    fn validator_counted_by(&self, metrics: &Metrics) -> Validator {
        let list = |texts: &[&str]| texts.iter().map(|text| Network::try_from((*text).to_owned()).unwrap()).collect();
        let config = ValidationConfig {
            http01_port: self.port,
            resolver: Some(self.resolver),
            allow_networks: list(&self.allow),
            deny_networks: list(&self.deny),
        };
        Validator::new(&config, &self.limits, self.own.clone(), metrics.validation("http-01")).unwrap()
    }

    async fn validate(&self, name: &str) -> Result<(), ValidationFailure> {
        self.validator().http01(&general_name(name), TOKEN, KEY_AUTHORIZATION).await
    }
}

fn general_name(name: &str) -> GeneralName {
    let address = name.parse::<IpAddr>().map(GeneralName::Ip);
    address.unwrap_or_else(|_| GeneralName::Dns(DnsName::parse(name).unwrap()))
}

/// 200 with this body.
fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A redirect to there.
fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} There\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

/// What a failure of this variant says.
macro_rules! detail {
    ($outcome:expr, $variant:ident) => {
        match $outcome {
            Err(ValidationFailure::$variant(detail)) => detail.as_str().to_owned(),
            other => panic!("{other:?}"),
        }
    };
}
use detail;
