//! The dependency graph as `cargo metadata` tells it.

use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
};

use anyhow::{Context, Result};
use serde_json::Value;

/// What an edge is for. A build dependency counts as a normal one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Linked into what is shipped.
    Normal,
    /// Linked into tests only.
    Dev,
}

impl Kind {
    /// The word for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal dependency",
            Self::Dev => "dev-dependency",
        }
    }
}

/// A member of the workspace.
pub(super) struct Member {
    /// Folder from the repository's root, with `/`.
    pub(super) folder: String,
    /// Cargo's name for the exact package.
    pub(super) id: String,
    /// Folders of the members it names as dependencies.
    pub(super) ours: Vec<(String, Kind)>,
}

/// Members, and every resolved edge that is no dev-dependency.
pub(super) struct Graph {
    members: Vec<Member>,
    names: BTreeMap<String, String>,
    edges: BTreeMap<String, Vec<String>>,
}

impl Graph {
    /// Reads the metadata of the workspace at `root`.
    pub(super) fn new(metadata: &Value, root: &Path) -> Result<Self> {
        let packages = list(metadata, "packages")?;
        let folders: BTreeMap<String, String> =
            packages.iter().filter_map(|package| Some((text(package, "name")?, folder(package, root)?))).collect();
        let ids: Vec<&str> = list(metadata, "workspace_members")?.iter().filter_map(Value::as_str).collect();
        let members = packages
            .iter()
            .filter(|package| package["id"].as_str().is_some_and(|id| ids.contains(&id)))
            .map(|package| member(package, root, &folders))
            .collect::<Result<_>>()?;
        let names = packages.iter().filter_map(|package| Some((text(package, "id")?, text(package, "name")?))).collect();
        let by_id = packages.iter().filter_map(|package| Some((package["id"].as_str()?, package))).collect();
        let nodes = list(&metadata["resolve"], "nodes")?.iter();
        let edges = nodes.filter_map(|node| Some((text(node, "id")?, linked(node, &by_id)))).collect();
        Ok(Self { members, names, edges })
    }

    /// The members of the workspace.
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// Every crate that `member` links, with the chain of names that leads there.
    pub(super) fn reached(&self, member: &Member) -> BTreeMap<String, String> {
        let mut chains = BTreeMap::from([(member.id.clone(), self.name(&member.id).to_owned())]);
        let mut waiting = VecDeque::from([member.id.clone()]);
        while let Some(id) = waiting.pop_front() {
            let chain = chains.get(&id).cloned().unwrap_or_default();
            for next in self.edges.get(&id).into_iter().flatten() {
                if !chains.contains_key(next) {
                    chains.insert(next.clone(), format!("{chain} > {}", self.name(next)));
                    waiting.push_back(next.clone());
                }
            }
        }
        chains.remove(&member.id);
        chains.into_iter().map(|(id, chain)| (self.name(&id).to_owned(), chain)).collect()
    }

    fn name<'graph>(&'graph self, id: &'graph str) -> &'graph str {
        self.names.get(id).map_or(id, String::as_str)
    }
}

/// A member with the members it names.
fn member(package: &Value, root: &Path, folders: &BTreeMap<String, String>) -> Result<Member> {
    let mut ours = Vec::new();
    for dependency in list(package, "dependencies")? {
        let name = text(dependency, "name").unwrap_or_default();
        if let (Some(folder), true) = (folders.get(&name), dependency["path"].is_string()) {
            let kind = if dependency["kind"] == "dev" { Kind::Dev } else { Kind::Normal };
            ours.push((folder.clone(), kind));
        }
    }
    let folder = folder(package, root).context("a member outside the repository")?;
    Ok(Member { folder, id: text(package, "id").unwrap_or_default(), ours })
}

/// Packages that a node links outside tests. Build scripts of others run tools, they do not reach
/// the binary: only normal edges are followed. What an optional dependency's weak feature alone
/// resolves (`ring?/alloc`) is in the lock file and never built.
fn linked(node: &Value, packages: &BTreeMap<&str, &Value>) -> Vec<String> {
    let normal = |dependency: &&Value| {
        dependency["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
    };
    let package = node["id"].as_str().and_then(|id| packages.get(id));
    let built = |id: &String| match (package, packages.get(id.as_str()).and_then(|to| to["name"].as_str())) {
        (Some(package), Some(name)) => is_built(package, &node["features"], name),
        _ => true,
    };
    let dependencies = node["deps"].as_array().map(Vec::as_slice).unwrap_or_default();
    dependencies.iter().filter(normal).filter_map(|dependency| text(dependency, "pkg")).filter(built).collect()
}

/// True if the dependency of that name is required, or a feature that is on asks for it.
fn is_built(package: &Value, features: &Value, name: &str) -> bool {
    let declared = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut optional = declared.iter().filter(|one| one["name"] == name && one["kind"].is_null());
    let asked = |key: &str| {
        let wants = |word: &str| {
            word.strip_prefix("dep:") == Some(key) || word.strip_prefix(key).is_some_and(|rest| rest.starts_with('/'))
        };
        let on = features.as_array().into_iter().flatten().filter_map(Value::as_str);
        on.filter_map(|feature| package["features"][feature].as_array()).flatten().filter_map(Value::as_str).any(wants)
    };
    optional.any(|one| one["optional"] != true || one["rename"].as_str().or(Some(name)).is_some_and(asked))
}

/// The folder of a package of ours.
fn folder(package: &Value, root: &Path) -> Option<String> {
    let manifest = package["manifest_path"].as_str()?;
    let folder = Path::new(manifest).parent()?.strip_prefix(root).ok()?;
    Some(folder.to_string_lossy().replace('\\', "/"))
}

fn list<'value>(value: &'value Value, key: &str) -> Result<&'value [Value]> {
    value[key].as_array().map(Vec::as_slice).with_context(|| format!("cargo metadata has no {key}"))
}

fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_built;

    #[test]
    fn a_weak_feature_builds_nothing() {
        let package = json!({
            "dependencies": [
                { "name": "ring", "optional": true, "kind": null, "rename": null },
                { "name": "aws-lc-rs", "optional": true, "kind": null, "rename": null },
                { "name": "rustls-pki-types", "optional": true, "kind": null, "rename": "pki-types" },
                { "name": "untrusted", "optional": false, "kind": null, "rename": null },
            ],
            "features": {
                "alloc": ["ring?/alloc", "pki-types/alloc"],
                "aws-lc-rs": ["dep:aws-lc-rs"],
                "ring": ["dep:ring"],
            },
        });
        let on = json!(["alloc", "aws-lc-rs"]);
        for (name, built) in [("ring", false), ("aws-lc-rs", true), ("rustls-pki-types", true), ("untrusted", true)] {
            assert_eq!(is_built(&package, &on, name), built, "{name}");
        }
        assert!(is_built(&package, &json!(["ring"]), "ring"));
    }
}
