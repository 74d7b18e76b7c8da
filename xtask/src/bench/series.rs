//! What the rounds of one path have found, and the row that comes of it.

use anyhow::Result;

use super::{
    load::{Amount, Measurement},
    rows::{Row, median, spread},
};

/// Both sides of one path, one round.
pub(super) struct Round {
    pub(super) gateway: Measurement,
    pub(super) raw: Measurement,
    /// What comes on top of the raw server's own, measured in loops.
    pub(super) loop_us: f64,
    /// The raw server that does this itself.
    pub(super) in_place: Option<Measurement>,
}

/// Asks the gateway and the raw server, in the order of this round.
pub(super) fn both(
    gateway_first: bool,
    gateway: impl FnOnce() -> Result<Measurement>,
    raw: impl FnOnce() -> Result<Measurement>,
) -> Result<(Measurement, Measurement)> {
    if gateway_first {
        let first = gateway()?;
        Ok((first, raw()?))
    } else {
        let first = raw()?;
        Ok((gateway()?, first))
    }
}

/// All rounds of one path, in microseconds.
#[derive(Default)]
pub(super) struct Series {
    gateway: Vec<f64>,
    bare: Vec<f64>,
    in_place: Vec<f64>,
    raw: Vec<f64>,
    rates: Vec<f64>,
    p99_ms: Vec<f64>,
    exchanges: Vec<f64>,
}

impl Series {
    /// One round more.
    pub(super) fn add(&mut self, round: &Round) {
        self.gateway.push(round.gateway.cpu_us());
        self.bare.push(round.raw.cpu_us());
        self.raw.push(round.raw.cpu_us() + round.loop_us);
        self.in_place.extend(round.in_place.as_ref().map(Measurement::cpu_us));
        self.rates.push(round.gateway.rate());
        self.p99_ms.push(round.gateway.p99_ms());
        self.exchanges.push(round.gateway.exchanges_each());
    }

    /// What a bare server takes for it.
    fn bare(&self) -> String {
        let bare = median(&self.bare);
        match median(&self.exchanges) {
            each if each > 1.0 => format!("{each:.2} bare requests {bare:.1} us"),
            _ => format!("bare request {bare:.1} us"),
        }
    }

    /// The row of a path, whose limit is `times` the raw costs.
    pub(super) fn row(&self, id: &'static str, amount: Amount, times: Option<f64>) -> Row {
        let (value, raw) = (median(&self.gateway), median(&self.raw));
        let ratios: Vec<f64> = self.gateway.iter().zip(&self.raw).map(|(gateway, raw)| gateway / raw).collect();
        Row {
            id,
            value,
            unit: "us CPU",
            limit: times.map(|times| times * raw),
            raw: Some(raw),
            ratio: Some(value / raw),
            spread: spread(&ratios),
            in_place: (!self.in_place.is_empty()).then(|| median(&self.in_place)),
            note: format!(
                "{} connections, {}, {:.0} a second, p99 {:.1} ms",
                amount.connections,
                self.bare(),
                median(&self.rates),
                median(&self.p99_ms)
            ),
        }
    }
}
