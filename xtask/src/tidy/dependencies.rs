//! Who may depend on whom: `xtask/dependencies.toml` against what cargo resolves.

mod graph;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Findings;
use crate::{cargo, tree};
use graph::{Graph, Kind, Member};

/// The table. Its file tells what the keys mean.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    may: BTreeMap<String, Vec<String>>,
    dev: Dev,
    tests_only: TestsOnly,
    forbidden: Vec<Forbidden>,
}

/// What dev-dependencies add.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dev {
    may: Vec<String>,
    not_for: Vec<String>,
}

/// Crates that only tests link.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestsOnly {
    crates: Vec<String>,
}

/// Crates of others that some of ours must not reach.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forbidden {
    crates: Vec<String>,
    outside: Vec<String>,
    reason: String,
}

/// Dependencies that the table does not allow.
pub(super) fn findings() -> Result<Findings> {
    let text = tree::read(&tree::root().join("xtask/dependencies.toml"))?;
    let table: Table = toml::from_str(&text).context("xtask/dependencies.toml")?;
    let graph = Graph::new(&cargo::metadata(true)?, tree::root())?;
    Ok(graph
        .members()
        .iter()
        .flat_map(|member| {
            let mut findings = table.judge_ours(member);
            findings.extend(table.judge_others(member, &graph));
            findings
        })
        .collect())
}

impl Table {
    /// Findings on a member's edges to crates of ours.
    fn judge_ours(&self, member: &Member) -> Findings {
        let Some(allowed) = self.allowed(&member.folder) else {
            return vec![format!("{}: has no line in xtask/dependencies.toml", member.folder)];
        };
        let mut findings = Findings::new();
        for (to, kind) in &member.ours {
            let by_table = matches_any(allowed, to);
            let tests_only = &self.tests_only.crates;
            let may_ship = !tests_only.contains(to) || tests_only.contains(&member.folder);
            let by_dev = self.dev.may.contains(to) && !self.dev.not_for.contains(&member.folder);
            let fine = match kind {
                Kind::Normal => by_table && may_ship,
                Kind::Dev => by_table || by_dev,
            };
            if !fine {
                findings.push(format!("{} must not depend on {to} ({})", member.folder, kind.name()));
            }
        }
        findings
    }

    /// Findings on what a member reaches of other people's crates.
    fn judge_others(&self, member: &Member, graph: &Graph) -> Findings {
        let mut findings = Findings::new();
        for rule in self.forbidden.iter().filter(|rule| matches_any(&rule.crates, &member.folder)) {
            for (name, path) in graph.reached(member) {
                if matches_any(&rule.outside, &name) {
                    findings.push(format!("{} reaches {name} ({path}): {}", member.folder, rule.reason));
                }
            }
        }
        findings
    }

    /// The line for a folder: the most exact key, which is the longest.
    fn allowed(&self, folder: &str) -> Option<&[String]> {
        self.may
            .iter()
            .filter(|(key, _)| matches(key, folder))
            .max_by_key(|(key, _)| (key.as_str() == folder, key.len()))
            .map(|(_, allowed)| allowed.as_slice())
    }
}

fn matches_any(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, name))
}

/// A pattern is a name, or the beginning of one with `*` behind it.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Member, Table};

    fn table() -> Table {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/dependencies.toml")).unwrap();
        toml::from_str(&text).unwrap()
    }

    fn member(folder: &str, to: &str, kind: Kind) -> Member {
        Member { folder: folder.into(), id: folder.into(), ours: vec![(to.into(), kind)] }
    }

    #[test]
    fn layers_hold() {
        for (folder, to, kind, fine) in [
            ("protocols/est", "protocols/pki", Kind::Normal, true),
            ("protocols/est", "enrollment", Kind::Normal, false),
            ("protocols/pki", "protocols/est", Kind::Normal, false),
            ("protocols/est", "testkit", Kind::Dev, true),
            ("gateway", "testkit", Kind::Normal, false),
            ("gateway", "ca-backend/contract", Kind::Normal, false),
            ("ca-backend/local", "store", Kind::Normal, false),
            ("conformance", "testkit", Kind::Dev, false),
            ("conformance", "protocols/pki", Kind::Dev, false),
            ("unheard-of", "policy", Kind::Normal, false),
        ] {
            let findings = table().judge_ours(&member(folder, to, kind));
            assert_eq!(findings.is_empty(), fine, "{folder} -> {to}: {findings:?}");
        }
    }
}
