//! What a run found, and the forms it is told in.

use serde::Serialize;

use crate::clause::{Level, Suite};

/// The outcome of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Which suite.
    pub suite: Suite,
    /// Each clause that was asked for, in order.
    pub clauses: Vec<ClauseReport>,
}

/// The outcome of one clause.
#[derive(Clone, Debug, Serialize)]
pub struct ClauseReport {
    /// `E16`.
    pub id: String,
    /// `RFC 7030 §4.2.3`.
    pub rfc: String,
    /// How firmly it is asked.
    pub level: Level,
    /// What became of it.
    pub result: Outcome,
    /// Why, in a sentence.
    pub detail: String,
}

/// What became of a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Fulfilled.
    Pass,
    /// Not fulfilled; or fulfilled although the ledger says it is not.
    Fail,
    /// Not tried.
    Skipped,
    /// Not fulfilled, as the ledger says.
    Excepted,
}

impl Outcome {
    const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::Skipped => "skipped",
            Self::Excepted => "excepted",
        }
    }
}

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// `{"suite","clauses":[{"id","rfc","level","result","detail"}]}`.
    Json,
    /// JUnit XML.
    Junit,
}

impl Report {
    /// Whether no clause failed.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.count(Outcome::Fail) == 0
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.clauses.iter().filter(|clause| clause.result == outcome).count()
    }

    /// The report as text.
    ///
    /// # Errors
    /// None that is expected: serialization of plain data.
    pub fn render(&self, format: Format) -> anyhow::Result<String> {
        Ok(match format {
            Format::Table => self.table(),
            Format::Json => serde_json::to_string_pretty(self)? + "\n",
            Format::Junit => self.junit(),
        })
    }

    fn table(&self) -> String {
        let mut text = String::new();
        for clause in &self.clauses {
            let ClauseReport { id, rfc, level, result, detail } = clause;
            text.push_str(&format!("{id:<4} {:<8} {:<7} {rfc:<24} {detail}\n", result.word(), level.to_string()));
        }
        let counts = [Outcome::Pass, Outcome::Fail, Outcome::Skipped, Outcome::Excepted].map(|outcome| self.count(outcome));
        let [passed, failed, skipped, excepted] = counts;
        text.push_str(&format!("{}: {passed} passed, {failed} failed, {skipped} skipped, {excepted} excepted\n", self.suite));
        text
    }

    fn junit(&self) -> String {
        let skipped = self.count(Outcome::Skipped) + self.count(Outcome::Excepted);
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{skipped}\">\n",
            self.suite,
            self.clauses.len(),
            self.count(Outcome::Fail)
        );
        for clause in &self.clauses {
            let detail = escape(&clause.detail);
            let inner = match clause.result {
                Outcome::Pass => String::new(),
                Outcome::Fail => format!("<failure message=\"{detail}\"/>"),
                Outcome::Skipped | Outcome::Excepted => format!("<skipped message=\"{detail}\"/>"),
            };
            text.push_str(&format!(
                "  <testcase classname=\"{}\" name=\"{} ({})\">{inner}</testcase>\n",
                self.suite,
                clause.id,
                escape(&clause.rfc)
            ));
        }
        text.push_str("</testsuite>\n");
        text
    }
}

/// XML 1.0 §2.4: `&`, `<` and quotes; control characters that XML cannot hold become spaces.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let clause = |id: &str, result, detail: &str| ClauseReport {
            id: id.into(),
            rfc: "RFC 7030 §4.1.3".into(),
            level: Level::Must,
            result,
            detail: detail.into(),
        };
        Report {
            suite: Suite::Est,
            clauses: vec![clause("E01", Outcome::Pass, "200"), clause("E02", Outcome::Fail, "a <b> & \"c\"\u{1}")],
        }
    }

    #[test]
    fn json_has_the_keys_of_the_contract() {
        let value: serde_json::Value = serde_json::from_str(&report().render(Format::Json).expect("rendered")).expect("JSON");
        assert_eq!(value["suite"], "est");
        let keys: Vec<&str> = value["clauses"][0].as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(keys, ["id", "rfc", "level", "result", "detail"]);
        assert_eq!(value["clauses"][1]["result"], "fail");
        assert_eq!(value["clauses"][1]["level"], "MUST");
    }

    #[test]
    fn a_failure_makes_the_run_bad_and_is_escaped() {
        let report = report();
        assert!(!report.is_good());
        assert!(report.render(Format::Junit).expect("rendered").contains("a &lt;b&gt; &amp; &quot;c&quot; "));
        assert!(report.render(Format::Table).expect("rendered").ends_with("est: 1 passed, 1 failed, 0 skipped, 0 excepted\n"));
    }
}
