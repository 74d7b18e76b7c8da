//! What a run found, as a table for people and as JSON.

use serde::Serialize;

/// One measured thing.
#[derive(Serialize)]
pub(super) struct Row {
    /// What is measured.
    pub(super) id: &'static str,
    /// Median over the rounds.
    pub(super) value: f64,
    /// Unit of `value`, `limit` and `raw`.
    pub(super) unit: &'static str,
    /// What `value` should not pass; `None` where it is only information.
    pub(super) limit: Option<f64>,
    /// What the same work costs without the gateway, by the median.
    pub(super) raw: Option<f64>,
    /// What a raw server costs that does the same itself, by the median: for information, the limit is not held against it.
    pub(super) in_place: Option<f64>,
    /// `value` over `raw`.
    pub(super) ratio: Option<f64>,
    /// How far the rounds lie apart: the middle half of the ratios, over the median.
    pub(super) spread: f64,
    /// More, for people.
    pub(super) note: String,
}

impl Row {
    /// What is held against nothing.
    pub(super) fn information(id: &'static str, value: f64, unit: &'static str, note: String) -> Self {
        Self { id, value, unit, limit: None, raw: None, in_place: None, ratio: None, spread: 0.0, note }
    }

    /// The same, by the median of some values and how far they lie apart.
    pub(super) fn of_values(id: &'static str, values: &[f64], unit: &'static str, note: String) -> Self {
        Self { spread: spread(values), ..Self::information(id, median(values), unit, note) }
    }

    /// Held against a limit, in its own unit.
    pub(super) fn limited(self, limit: f64) -> Self {
        Self { limit: Some(limit), ..self }
    }
}

/// The middle one of some numbers; zero if there are none.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.get(middle) {
        None => 0.0,
        Some(upper) if sorted.len() % 2 == 1 => *upper,
        Some(upper) => f64::midpoint(*upper, sorted[middle - 1]),
    }
}

/// How wide the middle half is, over the median.
pub(super) fn spread(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let quarter = sorted.len() / 4;
    let middle = median(values);
    match sorted.get(quarter).zip(sorted.iter().rev().nth(quarter)) {
        Some((low, high)) if middle > 0.0 => (high - low) / middle,
        _ => 0.0,
    }
}

/// Prints the table.
pub(super) fn print(rows: &[Row]) {
    println!(
        "\n{:<28} {:>10} {:>10} {:<7} {:>6} {:>6} {:<5} {:>8} {:>6}  note",
        "row", "value", "raw", "unit", "ratio", "limit", "", "in place", "spread"
    );
    for row in rows {
        let times = |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.2}"));
        let number = |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.1}"));
        let limit = row.limit.zip(row.raw).map(|(limit, raw)| limit / raw);
        let verdict = row.limit.map_or("", |limit| if row.value > limit { "over" } else { "holds" });
        let spread = format!("{:.0} %", row.spread * 100.0);
        println!(
            "{:<28} {:>10.1} {:>10} {:<7} {:>6} {:>6} {verdict:<5} {:>8} {spread:>6}  {}",
            row.id,
            row.value,
            number(row.raw),
            row.unit,
            times(row.ratio),
            times(limit),
            times(row.in_place.map(|in_place| row.value / in_place)),
            row.note
        );
    }
    println!("\nratio: value over raw; in place: value over a raw server that does the same itself");
    println!("spread: the middle half of the rounds' ratios, over the median");
}

#[cfg(test)]
mod tests {
    use super::{median, spread};

    #[test]
    fn the_median_is_in_the_middle() {
        for (values, middle) in [(&[][..], 0.0), (&[3.0], 3.0), (&[4.0, 1.0, 2.0], 2.0), (&[1.0, 4.0], 2.5)] {
            assert!((median(values) - middle).abs() < 1e-9, "{values:?}");
        }
    }

    #[test]
    fn the_spread_is_relative() {
        assert!((spread(&[90.0, 100.0, 120.0]) - 0.3).abs() < 1e-9);
        assert!((spread(&[500.0, 120.0, 100.0, 90.0, 1.0]) - 0.3).abs() < 1e-9);
        assert!(spread(&[]).abs() < 1e-9);
    }
}
