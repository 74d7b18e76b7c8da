//! A milestone that is done owns no open clause.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Findings;
use crate::tree;

/// `docs/milestones.toml`.
#[derive(Deserialize)]
struct Milestones {
    milestone: Vec<Milestone>,
}

/// One milestone.
#[derive(Deserialize)]
struct Milestone {
    name: String,
    done: bool,
}

/// A file in `conformance/clauses`; only what is asked here.
#[derive(Deserialize)]
struct Clauses {
    clause: Vec<Clause>,
}

/// One clause.
#[derive(Deserialize)]
struct Clause {
    id: String,
    state: String,
    milestone: Option<String>,
}

/// Clauses that are open though their milestone is done, or whose milestone does not exist.
pub(super) fn findings() -> Result<Findings> {
    let list: Milestones =
        toml::from_str(&tree::read(&tree::root().join("docs/milestones.toml"))?).context("docs/milestones.toml")?;
    let done: BTreeMap<String, bool> = list.milestone.into_iter().map(|one| (one.name, one.done)).collect();
    let mut findings = Findings::new();
    for path in tree::files(&tree::root().join("conformance/clauses"), ".toml")? {
        let file = tree::relative(&path);
        let clauses: Clauses = toml::from_str(&tree::read(&path)?).with_context(|| file.clone())?;
        findings.extend(clauses.clause.iter().filter_map(|clause| judge(clause, &done)).map(|why| format!("{file}: {why}")));
    }
    Ok(findings)
}

/// What is wrong with an open clause.
fn judge(clause: &Clause, done: &BTreeMap<String, bool>) -> Option<String> {
    if clause.state != "open" {
        return None;
    }
    let Some(owner) = &clause.milestone else {
        return Some(format!("{} is open and no milestone owns it", clause.id));
    };
    match done.get(owner) {
        Some(false) => None,
        Some(true) => Some(format!("{} is open but its milestone {owner} is done", clause.id)),
        None => Some(format!("{}: docs/milestones.toml has no {owner}", clause.id)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Clause, judge};

    #[test]
    fn a_done_milestone_owns_no_open_clause() {
        let done = BTreeMap::from([("slice".to_owned(), true), ("est".to_owned(), false)]);
        let clause = |state: &str, owner: Option<&str>| Clause {
            id: "E01".into(),
            state: state.into(),
            milestone: owner.map(str::to_owned),
        };
        assert!(judge(&clause("pass", Some("slice")), &done).is_none());
        assert!(judge(&clause("open", Some("est")), &done).is_none());
        assert!(judge(&clause("open", Some("slice")), &done).is_some());
        assert!(judge(&clause("open", Some("never")), &done).is_some());
        assert!(judge(&clause("open", None), &done).is_some());
    }
}
