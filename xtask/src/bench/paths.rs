//! CPU an operation: the gateway's beside the raw server's and the cryptography that comes on top of that; and, for information, beside
//! a raw server that does this cryptography itself.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{
    LoadGenerator,
    load::{Amount, Measurement, Operation, RawServer},
    rows::{Row, median, spread},
    start_gateway,
};
use crate::gateway::Gateway;

/// Rounds of which the median is taken.
const ROUNDS: usize = 5;
/// Who enrolls.
const USER: &str = "bench-device";

/// One measured path.
struct Route {
    id: &'static str,
    operation: Operation,
    amount: Amount,
    /// Times the raw costs; `None` where it is only information.
    limit: Option<f64>,
}

/// Requests over connections that are kept.
const fn warm(connections: u32, requests: u32) -> Amount {
    Amount { connections, requests, warm_up: requests / 10, cold: false }
}

/// All of them.
const ROUTES: [Route; 4] = [
    Route { id: "est-simpleenroll-warm", operation: Operation::Enroll, amount: warm(16, 6000), limit: Some(1.5) },
    Route { id: "est-simpleenroll-warm-1", operation: Operation::Enroll, amount: warm(1, 2000), limit: None },
    Route {
        id: "est-simpleenroll-cold",
        operation: Operation::Enroll,
        amount: Amount { connections: 16, requests: 2000, warm_up: 200, cold: true },
        limit: Some(1.5),
    },
    Route { id: "est-cacerts-warm", operation: Operation::CaCerts, amount: warm(16, 10_000), limit: Some(1.2) },
];

/// Measures the paths that are wanted.
pub(super) fn measure(work: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>> {
    let routes: Vec<&Route> = ROUTES.iter().filter(|route| wanted(route.id)).collect();
    if routes.is_empty() {
        return Ok(Vec::new());
    }
    let bench = Bench::prepare(work)?;
    let mut series: Vec<Series> = routes.iter().map(|_| Series::default()).collect();
    for round in 0..ROUNDS {
        println!("round {} of {ROUNDS}", round + 1);
        let loop_us = bench.load.crypto(&bench.issued)?.total_us();
        for (route, series) in routes.iter().zip(&mut series) {
            series.add(&bench.round(route, loop_us, round % 2 == 0)?);
        }
    }
    let rows = routes.iter().zip(&series).map(|(route, series)| series.row(route)).collect();
    bench.gateway.stop()?;
    Ok(rows)
}

/// What the rounds have in common.
struct Bench {
    gateway: Gateway,
    load: LoadGenerator,
    /// An answer to an enrollment.
    issued: PathBuf,
    /// Gives the answer to an enrollment.
    bare: RawServer,
    /// The same, after the cryptography of one.
    enrolling: RawServer,
    /// Gives the CA certificates.
    cacerts: RawServer,
}

impl Bench {
    /// A gateway with a user, and raw servers that give its answers.
    fn prepare(work: &Path) -> Result<Self> {
        let gateway = start_gateway(work, "paths")?;
        let password_file = work.join("password");
        std::fs::write(&password_file, gateway.add_user(USER)?)?;
        let load = LoadGenerator::new(gateway.run().ca_pem.clone(), USER.to_owned(), password_file)?;
        let sample = |operation, name: &str| -> Result<_> {
            let (path, amount) = (work.join(name), Amount { connections: 1, requests: 1, warm_up: 0, cold: false });
            load.run(operation, &gateway.est_url()?, gateway.run().pid, amount, Some(&path))?;
            Ok(path)
        };
        let issued = sample(Operation::Enroll, "issued")?;
        let anchors = sample(Operation::CaCerts, "cacerts")?;
        let tls = gateway.data_dir().join("tls");
        let bare = load.raw_server(&tls, &issued, false)?;
        let enrolling = load.raw_server(&tls, &issued, true)?;
        let cacerts = load.raw_server(&tls, &anchors, false)?;
        Ok(Self { gateway, load, issued, bare, enrolling, cacerts })
    }

    /// One measurement of both sides. Which goes first changes from round to round.
    fn round(&self, route: &Route, loop_us: f64, gateway_first: bool) -> Result<Round> {
        let (raw, enrolling, crypto_us) = match route.operation {
            Operation::Enroll => (&self.bare, Some(&self.enrolling), loop_us),
            Operation::CaCerts => (&self.cacerts, None, 0.0),
        };
        let ask = |server: &RawServer| self.load.run(route.operation, &server.url, server.pid(), route.amount, None);
        let ask_raw = || ask(raw);
        let ask_gateway = || {
            let gateway = &self.gateway;
            self.load.run(route.operation, &gateway.est_url()?, gateway.run().pid, route.amount, None)
        };
        let (gateway, raw) = if gateway_first {
            let first = ask_gateway()?;
            (first, ask_raw()?)
        } else {
            let first = ask_raw()?;
            (ask_gateway()?, first)
        };
        let in_place = enrolling.map(ask).transpose()?;
        Ok(Round { gateway, raw, crypto_us, in_place })
    }
}

/// Both sides of one path, one round.
struct Round {
    gateway: Measurement,
    raw: Measurement,
    /// Cryptography on top of the raw server's own, measured in a loop.
    crypto_us: f64,
    /// The raw server that does the cryptography itself.
    in_place: Option<Measurement>,
}

/// All rounds of one path, in microseconds.
#[derive(Default)]
struct Series {
    gateway: Vec<f64>,
    bare: Vec<f64>,
    in_place: Vec<f64>,
    raw: Vec<f64>,
    rates: Vec<f64>,
    p99_ms: Vec<f64>,
}

impl Series {
    fn add(&mut self, round: &Round) {
        self.gateway.push(round.gateway.cpu_us());
        self.bare.push(round.raw.cpu_us());
        self.raw.push(round.raw.cpu_us() + round.crypto_us);
        self.in_place.extend(round.in_place.as_ref().map(Measurement::cpu_us));
        self.rates.push(round.gateway.rate());
        self.p99_ms.push(round.gateway.p99_ms());
    }

    fn row(&self, route: &Route) -> Row {
        let (value, raw) = (median(&self.gateway), median(&self.raw));
        let ratios: Vec<f64> = self.gateway.iter().zip(&self.raw).map(|(gateway, raw)| gateway / raw).collect();
        Row {
            id: route.id,
            value,
            unit: "us CPU",
            limit: route.limit.map(|times| times * raw),
            raw: Some(raw),
            ratio: Some(value / raw),
            spread: spread(&ratios),
            in_place: (!self.in_place.is_empty()).then(|| median(&self.in_place)),
            note: format!(
                "{} connections, bare request {:.1} us, {:.0} a second, p99 {:.1} ms",
                route.amount.connections,
                median(&self.bare),
                median(&self.rates),
                median(&self.p99_ms)
            ),
        }
    }
}
