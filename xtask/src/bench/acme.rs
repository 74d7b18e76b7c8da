//! CPU a certificate by ACME, all requests of it counted together: the gateway's beside that of a raw server that gives the same answers to
//! the same requests, and the cryptography that comes on top of that.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

use super::{
    LOAD_CORE, SERVER_CORE,
    est::Crypto,
    load::{Amount, Measurement, RawServer, generator, json},
    rows::Row,
    series::{Round, Series, both},
};
use crate::gateway::{Gateway, free_port, validating_here};

/// Rounds of which the median is taken.
const ROUNDS: usize = 5;
/// Times the raw costs.
const LIMIT: f64 = 1.5;

/// One measured path.
struct Route {
    id: &'static str,
    amount: Amount,
    /// Whether the same few names are ordered again and again.
    renews: bool,
}

/// All of them.
const ROUTES: [Route; 2] = [
    Route { id: "acme-issuance-warm", amount: Amount::warm(16, 1500), renews: false },
    Route { id: "acme-renewal", amount: Amount::cold(16, 1000), renews: true },
];

/// Measures the paths that are wanted.
pub(super) fn measure(work: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>> {
    let routes: Vec<&Route> = ROUTES.iter().filter(|route| wanted(route.id)).collect();
    if routes.is_empty() {
        return Ok(Vec::new());
    }
    let load = AcmeLoad::new()?;
    let gateway = load.start_gateway(work, "acme")?;
    let sides = routes.iter().map(|route| Sides::prepare(&load, &gateway, route)).collect::<Result<Vec<_>>>()?;
    let mut series: Vec<Series> = routes.iter().map(|_| Series::default()).collect();
    for round in 0..ROUNDS {
        println!("ACME, round {} of {ROUNDS}", round + 1);
        for (sides, series) in sides.iter().zip(&mut series) {
            series.add(&sides.round(&load, &gateway, round.is_multiple_of(2))?);
        }
    }
    let rows = routes.iter().zip(&series).map(|(route, series)| series.row(route.id, route.amount, Some(LIMIT)));
    let rows = rows.collect();
    gateway.stop()?;
    Ok(rows)
}

/// The load generator as a client of ACME, and where it answers validations.
pub(super) struct AcmeLoad {
    http01_port: u16,
    dns_port: u16,
}

/// Who is asked.
struct Server<'s> {
    /// `ADDRESS:PORT`.
    address: &'s str,
    pid: u32,
    ca_file: &'s Path,
    /// A raw server gives the same answers always.
    is_raw: bool,
}

impl AcmeLoad {
    /// On ports that are free now.
    pub(super) fn new() -> Result<Self> {
        Ok(Self { http01_port: free_port()?, dns_port: free_port()? })
    }

    /// A gateway on its core that validates there.
    pub(super) fn start_gateway(&self, work: &Path, name: &str) -> Result<Gateway> {
        let config = self.configuration(work, name)?;
        Gateway::start_configured(&work.join(name), &SERVER_CORE.map(str::to_owned), Some(&config))
    }

    /// The configuration of such a gateway, as a file.
    pub(super) fn configuration(&self, work: &Path, name: &str) -> Result<PathBuf> {
        let path = work.join(format!("{name}.toml"));
        std::fs::write(&path, validating_here(self.http01_port, self.dns_port))?;
        Ok(path)
    }

    /// Orders certificates of the gateway, each of another name.
    pub(super) fn order(&self, gateway: &Gateway, amount: Amount) -> Result<Measurement> {
        let address = address(gateway)?;
        let server = Server { address: &address, pid: gateway.run().pid, ca_file: &gateway.run().ca_pem, is_raw: false };
        self.run(&server, amount, false, None)
    }

    /// Orders certificates. Every one must be right. `save` is where the answers and the certificate of the last one go.
    fn run(&self, server: &Server<'_>, amount: Amount, renews: bool, save: Option<(&Path, &Path)>) -> Result<Measurement> {
        let mut command = generator(&LOAD_CORE)?;
        command.args(["acme", "--url", &format!("https://{}/acme/default/directory", server.address)]);
        command.arg("--ca-file").arg(server.ca_file).args(["--server-pid", &server.pid.to_string()]);
        for (flag, port) in [("--http01-port", self.http01_port), ("--dns-port", self.dns_port)] {
            command.args([flag, &port.to_string()]);
        }
        command.args(renews.then_some("--renew")).args(server.is_raw.then_some("--unchecked"));
        amount.add_to(&mut command);
        if let Some((exchange, issued)) = save {
            command.arg("--record").arg(exchange).arg("--save").arg(issued);
        }
        Measurement::take(&mut command)
    }
}

fn address(gateway: &Gateway) -> Result<String> {
    Ok(format!("127.0.0.1:{}", gateway.https_port()?))
}

/// Raw servers beside the gateway, for one path.
struct Sides {
    amount: Amount,
    renews: bool,
    /// A chain that the gateway has given.
    issued: PathBuf,
    /// Gives all answers of one issuance.
    bare: RawServer,
    /// The same, and does what no server can leave out.
    issuing: RawServer,
}

impl Sides {
    fn prepare(load: &AcmeLoad, gateway: &Gateway, route: &Route) -> Result<Self> {
        let data_dir = gateway.data_dir();
        let [exchange, issued] = ["exchange", "issued"].map(|name| data_dir.with_extension(format!("{}.{name}", route.id)));
        // The one that counts is of the same name as the one before it, where names are ordered again.
        let one = Amount { warm_up: 1, cold: route.amount.cold, ..Amount::ONE };
        let own = address(gateway)?;
        let server = Server { address: &own, pid: gateway.run().pid, ca_file: &gateway.run().ca_pem, is_raw: false };
        load.run(&server, one, route.renews, Some((&exchange, &issued)))?;
        let tls = data_dir.join("tls");
        let raw = |work: &[String]| {
            RawServer::start(|command| {
                for (flag, path) in [("--cert", tls.join("server.pem")), ("--key", tls.join("server.key"))] {
                    command.arg(flag).arg(path);
                }
                command.arg("--exchange").arg(&exchange).args(work);
            })
        };
        let ports = format!("{}+{}", load.http01_port, load.dns_port);
        let issue = ["--issue".to_owned(), issued.display().to_string(), "--validate-at".to_owned(), ports];
        Ok(Self { amount: route.amount, renews: route.renews, bare: raw(&[])?, issuing: raw(&issue)?, issued })
    }

    /// One measurement of both sides.
    fn round(&self, load: &AcmeLoad, gateway: &Gateway, gateway_first: bool) -> Result<Round> {
        let ca_file = &gateway.run().ca_pem;
        let ask = |server: &RawServer| {
            let server = Server { address: &server.address, pid: server.pid(), ca_file, is_raw: true };
            load.run(&server, self.amount, self.renews, None)
        };
        let own = address(gateway)?;
        let ask_gateway = || {
            let server = Server { address: &own, pid: gateway.run().pid, ca_file, is_raw: false };
            load.run(&server, self.amount, self.renews, None)
        };
        let (gateway, raw) = both(gateway_first, ask_gateway, || ask(&self.bare))?;
        // Cold, the first request asks for a nonce, and has no signature.
        let signed = raw.exchanges_each() - f64::from(u8::from(self.amount.cold));
        let loop_us = Jws::measure()?.us() * signed + Crypto::measure(&self.issued)?.total_us();
        Ok(Round { gateway, raw, loop_us, in_place: Some(ask(&self.issuing)?) })
    }
}

/// Raw cost of a request's signature, in nanoseconds.
#[derive(Deserialize)]
struct Jws {
    jws_ns: f64,
}

impl Jws {
    /// Measures it on the servers' core.
    fn measure() -> Result<Self> {
        json(generator(&SERVER_CORE)?.args(["raw-jws", "--seconds", "0.3"]))
    }

    /// In microseconds.
    fn us(&self) -> f64 {
        self.jws_ns / 1000.0
    }
}
