//! CPU an operation: the gateway's beside the raw server's and the cryptography that comes on top of that; and, for information, beside
//! a raw server that does this cryptography itself.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{
    est::{self, Crypto, EstLoad, Operation},
    load::{Amount, RawServer},
    rows::Row,
    series::{Round, Series, both},
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

/// All of them.
const ROUTES: [Route; 4] = [
    Route { id: "est-simpleenroll-warm", operation: Operation::Enroll, amount: Amount::warm(16, 6000), limit: Some(1.5) },
    Route { id: "est-simpleenroll-warm-1", operation: Operation::Enroll, amount: Amount::warm(1, 2000), limit: None },
    Route { id: "est-simpleenroll-cold", operation: Operation::Enroll, amount: Amount::cold(16, 2000), limit: Some(1.5) },
    Route { id: "est-cacerts-warm", operation: Operation::CaCerts, amount: Amount::warm(16, 10_000), limit: Some(1.2) },
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
        let loop_us = Crypto::measure(&bench.issued)?.total_us();
        for (route, series) in routes.iter().zip(&mut series) {
            series.add(&bench.round(route, loop_us, round % 2 == 0)?);
        }
    }
    let rows = routes.iter().zip(&series).map(|(route, series)| series.row(route.id, route.amount, route.limit)).collect();
    bench.gateway.stop()?;
    Ok(rows)
}

/// What the rounds have in common.
struct Bench {
    gateway: Gateway,
    load: EstLoad,
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
        let load = est::add_user(&gateway, work, USER)?;
        let sample = |operation, name: &str| -> Result<_> {
            let path = work.join(name);
            load.run(operation, &gateway.est_url()?, gateway.run().pid, Amount::ONE, Some(&path))?;
            Ok(path)
        };
        let issued = sample(Operation::Enroll, "issued")?;
        let anchors = sample(Operation::CaCerts, "cacerts")?;
        let tls = gateway.data_dir().join("tls");
        let bare = est::raw_server(&tls, &issued, false)?;
        let enrolling = est::raw_server(&tls, &issued, true)?;
        let cacerts = est::raw_server(&tls, &anchors, false)?;
        Ok(Self { gateway, load, issued, bare, enrolling, cacerts })
    }

    /// One measurement of both sides. Which goes first changes from round to round.
    fn round(&self, route: &Route, loop_us: f64, gateway_first: bool) -> Result<Round> {
        let (raw, enrolling, loop_us) = match route.operation {
            Operation::Enroll => (&self.bare, Some(&self.enrolling), loop_us),
            Operation::CaCerts => (&self.cacerts, None, 0.0),
        };
        let ask = |server: &RawServer| self.load.run(route.operation, &est::url_of(server), server.pid(), route.amount, None);
        let ask_gateway = || {
            let gateway = &self.gateway;
            self.load.run(route.operation, &gateway.est_url()?, gateway.run().pid, route.amount, None)
        };
        let (gateway, raw) = both(gateway_first, ask_gateway, || ask(raw))?;
        let in_place = enrolling.map(ask).transpose()?;
        Ok(Round { gateway, raw, loop_us, in_place })
    }
}
