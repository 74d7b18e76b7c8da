//! The exceptions ledger: what the clause data says of the gateway, held against what was found.

use crate::{
    clause::{Clause, State},
    report::{ClauseReport, Outcome},
    verdict::{Stop, Verdict},
};

/// Judges what a check found by the state of its clause. An open clause, or a divergence, that is fulfilled all the same is a
/// failure: its state is out of date.
#[must_use]
pub fn judge(clause: &Clause, verdict: Verdict) -> ClauseReport {
    let (result, detail) = match (clause.state, verdict) {
        (_, Err(Stop::Skip(reason))) => (Outcome::Skipped, reason),
        (State::Pass, Ok(detail)) => (Outcome::Pass, detail),
        (State::Pass, Err(Stop::Fail(reason))) => (Outcome::Fail, reason),
        (_, Err(Stop::Fail(reason))) => (Outcome::Excepted, format!("{}: {reason}", clause.standing())),
        (_, Ok(detail)) => (Outcome::Fail, format!("unexpected pass ({detail}): the ledger says {}", clause.standing())),
    };
    ClauseReport { id: clause.id.clone(), rfc: clause.rfc.clone(), level: clause.level, result, detail }
}

/// The report on a clause that has no check.
#[must_use]
pub fn untried(clause: &Clause) -> ClauseReport {
    judge(clause, Err(Stop::Skip(clause.standing())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Level;

    fn clause(state: State) -> Clause {
        Clause {
            id: "E99".into(),
            title: "t".into(),
            expected: "e".into(),
            compatible: None,
            rfc: "RFC 7030 §1".into(),
            level: Level::Must,
            reading: None,
            state,
            milestone: Some("est".into()),
            reason: Some("because".into()),
            mutation: "any any close".into(),
        }
    }

    #[test]
    fn an_unexpected_pass_fails_loudly() {
        for state in [State::Open, State::Divergence] {
            let report = judge(&clause(state), Ok("200".into()));
            assert_eq!(report.result, Outcome::Fail);
            assert!(report.detail.starts_with("unexpected pass"));
            assert_eq!(judge(&clause(state), Err(Stop::fail("x"))).result, Outcome::Excepted);
        }
    }

    #[test]
    fn a_clause_that_should_pass_passes_or_fails() {
        assert_eq!(judge(&clause(State::Pass), Ok("200".into())).result, Outcome::Pass);
        assert_eq!(judge(&clause(State::Pass), Err(Stop::fail("x"))).result, Outcome::Fail);
        assert_eq!(judge(&clause(State::Pass), Err(Stop::Skip("x".into()))).result, Outcome::Skipped);
    }

    #[test]
    fn a_clause_without_check_names_its_milestone() {
        let report = untried(&clause(State::Open));
        assert_eq!((report.result, report.detail.as_str()), (Outcome::Skipped, "open: milestone est"));
    }
}
