//! CPU an answer of OCSP, beside that of a raw server and what comes on top of it.

use anyhow::Result;

use crate::{
    bench::{
        asker::{Asker, Costs, Question, Range, Responder, Sample},
        load::{Amount, RawServer},
        rows::Row,
        seeded::SeededLedger,
        series::{Round, Series, both},
    },
    gateway::Gateway,
};

/// Rounds of which the median is taken: many short ones, since what else a machine does changes within seconds.
const ROUNDS: u32 = 21;
/// Certificates whose answers are kept, and asked for again and again.
const KEPT: u32 = 1000;

const GET: Question = Question { get: true, nonce: false };
const POST: Question = Question { get: false, nonce: false };
const NONCE: Question = Question { get: false, nonce: true };

/// One measured path.
pub(super) struct Route {
    /// Of its row.
    pub(super) id: &'static str,
    question: Question,
    amount: Amount,
    /// Times the raw costs.
    limit: f64,
    making: Making,
}

/// What has to be done for each answer beyond giving it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Making {
    /// Nothing: it is kept.
    None,
    /// It is signed.
    Sign,
    /// It is signed after a look into the ledger, each about another certificate.
    Storm,
}

const fn kept(id: &'static str, question: Question, amount: Amount) -> Route {
    Route { id, question, amount, limit: 1.2, making: Making::None }
}

const fn signed(id: &'static str, amount: Amount) -> Route {
    Route { id, question: NONCE, amount, limit: 1.25, making: Making::Sign }
}

/// All of them. The amount of the storm is what it was given.
pub(super) const ROUTES: [Route; 7] = [
    kept("ocsp-get-warm", GET, Amount::warm(16, 8_000)),
    kept("ocsp-post-warm", POST, Amount::warm(16, 8_000)),
    kept("ocsp-get-cold", GET, Amount::cold(16, 2_500)),
    kept("ocsp-post-cold", POST, Amount::cold(16, 2_500)),
    signed("ocsp-nonce-warm", Amount::warm(16, 5_000)),
    signed("ocsp-nonce-cold", Amount::cold(16, 2_500)),
    Route { id: "ocsp-storm", question: GET, amount: Amount::warm(16, 0), limit: 1.4, making: Making::Storm },
];

impl Route {
    /// What is sent in one round of so many, of a storm of this size: no certificate of the storm is met twice.
    fn amount(&self, storm: u32) -> Amount {
        match self.making {
            Making::None | Making::Sign => self.amount,
            Making::Storm => {
                let warm_up = storm / ROUNDS / 11;
                Amount { requests: storm / ROUNDS - warm_up, warm_up, ..self.amount }
            }
        }
    }

    fn range(&self, storm: u32, round: u32) -> Range {
        match self.making {
            Making::None | Making::Sign => Range { serials: KEPT, skip: 0 },
            Making::Storm => Range { serials: storm, skip: storm / ROUNDS * round },
        }
    }
}

/// Measures the paths that are wanted, upon a ledger of as many certificates as the storm asks about.
pub(super) fn measure(ledger: &mut SeededLedger<'_>, wanted: &dyn Fn(&str) -> bool, storm: u32) -> Result<Vec<Row>> {
    ledger.issue(storm)?;
    let routes: Vec<&Route> = ROUTES.iter().filter(|route| wanted(route.id)).collect();
    let bench = Bench::prepare(ledger, storm)?;
    let mut series: Vec<Series> = routes.iter().map(|_| Series::default()).collect();
    for round in 0..ROUNDS {
        println!("OCSP, round {} of {ROUNDS}", round + 1);
        let costs = Costs::measure(&bench.nonce.sample.content, &ledger.data_dir(), bench.all)?;
        for (route, series) in routes.iter().zip(&mut series) {
            series.add(&bench.round(route, &costs, round)?);
        }
    }
    let row = |(route, series): (&&Route, &Series)| series.row(route.id, route.amount(storm), Some(route.limit));
    let rows = routes.iter().zip(&series).map(row).collect();
    bench.gateway.stop()?;
    Ok(rows)
}

/// An answer, and raw servers that give it.
struct Given {
    sample: Sample,
    /// At once.
    bare: RawServer,
    /// After the work that making it takes.
    making: Option<RawServer>,
}

/// What the rounds have in common.
struct Bench {
    gateway: Gateway,
    asker: Asker,
    /// All certificates of the storm.
    all: Range,
    get: Given,
    post: Given,
    nonce: Given,
}

impl Bench {
    fn prepare(ledger: &SeededLedger<'_>, storm: u32) -> Result<Self> {
        let (gateway, asker) = (ledger.start()?, Asker::new(&ledger.data_dir()));
        let responder = Responder::gateway(&gateway)?;
        let all = Range { serials: storm, skip: 0 };
        let give = |name: &str, question: Question, work: Option<Vec<String>>| -> Result<Given> {
            let sample = Sample::new(ledger.work(), name);
            asker.sample(question, &responder, &sample)?;
            let (bare, making) = (sample.serve(&[])?, work.map(|work| sample.serve(&work)).transpose()?);
            Ok(Given { sample, bare, making })
        };
        let sign = || vec!["--sign".to_owned()];
        let mut storm = sign();
        storm.extend(["--ledger".to_owned(), ledger.data_dir().join("ledger.db").display().to_string()]);
        storm.extend(all.option());
        let get = give("get", GET, Some(storm))?;
        let post = give("post", POST, None)?;
        let nonce = give("nonce", NONCE, Some(sign()))?;
        Ok(Self { gateway, asker, all, get, post, nonce })
    }

    /// One measurement of both sides. Which goes first changes from round to round.
    fn round(&self, route: &Route, costs: &Costs, round: u32) -> Result<Round> {
        let (amount, range) = (route.amount(self.all.serials), route.range(self.all.serials, round));
        let ask = |responder: &Responder| self.asker.ask(route.question, range, responder, amount);
        let given = match route.question {
            Question { nonce: true, .. } => &self.nonce,
            Question { get: true, .. } => &self.get,
            Question { .. } => &self.post,
        };
        let (gateway, raw) = (Responder::gateway(&self.gateway)?, Responder::raw(&given.bare));
        let (gateway, raw) = both(round.is_multiple_of(2), || ask(&gateway), || ask(&raw))?;
        let loop_us = match route.making {
            Making::None => 0.0,
            Making::Sign => costs.sign_us(),
            Making::Storm => costs.sign_us() + costs.read_us(),
        };
        let making = given.making.as_ref().filter(|_| route.making != Making::None);
        let in_place = making.map(|server| ask(&Responder::raw(server))).transpose()?;
        Ok(Round { gateway, raw, loop_us, in_place })
    }
}
