//! A clause of several parts, of which a target lets the suite try some.

use crate::verdict::{Stop, Verdict};

/// What was found of each part, and which could not be tried.
#[derive(Debug, Default)]
pub struct Parts {
    found: Vec<String>,
    untried: Vec<String>,
}

impl Parts {
    /// Takes in what came of a part.
    ///
    /// # Errors
    /// The failure of the part, its name before the reason.
    pub fn add(&mut self, what: &str, verdict: Verdict) -> Result<(), Stop> {
        match verdict {
            Ok(detail) => self.found.push(format!("{what}: {detail}")),
            Err(Stop::Skip(reason)) => self.untried.push(format!("{what} ({reason})")),
            Err(Stop::Fail(reason)) => return Err(Stop::Fail(format!("{what}: {reason}"))),
        }
        Ok(())
    }

    /// The verdict on the clause.
    ///
    /// # Errors
    /// [`Stop::Skip`] when no part could be tried.
    pub fn verdict(self) -> Verdict {
        let untried = self.untried.join("; ");
        match (self.found.is_empty(), untried.is_empty()) {
            (true, _) => Err(Stop::Skip(untried)),
            (false, true) => Ok(self.found.join("; ")),
            (false, false) => Ok(format!("{}; not tried: {untried}", self.found.join("; "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_is_skipped_only_when_nothing_was_tried() {
        let mut parts = Parts::default();
        parts.add("a", Err(Stop::Skip("no hook".into()))).expect("goes on");
        parts.add("b", Ok("200".into())).expect("goes on");
        assert_eq!(parts.verdict(), Ok("b: 200; not tried: a (no hook)".into()));
        let mut parts = Parts::default();
        parts.add("a", Err(Stop::Skip("no hook".into()))).expect("goes on");
        assert_eq!(parts.verdict(), Err(Stop::Skip("a (no hook)".into())));
        assert_eq!(Parts::default().add("a", Err(Stop::fail("x"))), Err(Stop::fail("a: x")));
    }
}
