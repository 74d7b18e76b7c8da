//! Durations as people write them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

/// A duration like `90d`, `12h`, `5m`, `30s`, `250ms`: one number and one unit, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Period(Duration);

/// The text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a duration like 90d, 12h, 5m, 30s or 250ms")]
pub struct InvalidPeriod(String);

/// Units and their milliseconds.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// A thousand years: longer is a slip of the pen.
const LONGEST_MILLIS: u64 = 1000 * 366 * 86_400_000;

impl Period {
    /// From seconds.
    pub(crate) const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// From days.
    pub(crate) const fn days(days: u64) -> Self {
        Self::seconds(days * 86_400)
    }

    /// As the standard library has it.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Period {
    type Err = InvalidPeriod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidPeriod(text.to_owned());
        let unit_at = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(invalid)?;
        let (number, unit) = text.split_at(unit_at);
        let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(invalid)?;
        let total = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*millis)).ok_or_else(invalid)?;
        if (1..=LONGEST_MILLIS).contains(&total) { Ok(Self(Duration::from_millis(total))) } else { Err(invalid()) }
    }
}

impl TryFrom<String> for Period {
    type Error = InvalidPeriod;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// In the largest unit that divides it.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        let unit = UNITS.iter().rev().find(|(_, unit)| millis.is_multiple_of(*unit));
        let (name, unit) = unit.copied().unwrap_or(("ms", 1));
        write!(f, "{}{name}", millis / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_and_one_unit() {
        for (text, seconds) in [("90d", 7_776_000), ("12h", 43_200), ("5m", 300), ("30s", 30), ("1000ms", 1)] {
            assert_eq!(text.parse(), Ok(Period::seconds(seconds)), "{text}");
        }
        for wrong in ["", "90", "d", "0s", "-1s", "1.5h", "1h30m", "1 d", "1y", "99999999999999999999d", "9999999d"] {
            assert!(wrong.parse::<Period>().is_err(), "{wrong}");
        }
        for text in ["90d", "36h", "90m", "45s", "1500ms"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
    }
}
