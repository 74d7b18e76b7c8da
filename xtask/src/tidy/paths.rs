//! Every path of this repository that a document names exists.

use std::collections::BTreeSet;

use anyhow::Result;

use super::Findings;
use crate::tree;

/// Paths in backticks, in docs and in the README, that lead nowhere.
pub(super) fn findings() -> Result<Findings> {
    let folders = top_folders()?;
    let mut documents = tree::files(&tree::root().join("docs"), ".md")?;
    for name in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        let path = tree::root().join(name);
        if path.exists() {
            documents.push(path);
        }
    }
    let mut findings = Findings::new();
    for document in documents {
        for (line, path) in named_paths(&tree::read(&document)?, &folders) {
            if !tree::root().join(&path).exists() {
                findings.push(format!("{}:{line}: there is no {path}", tree::relative(&document)));
            }
        }
    }
    Ok(findings)
}

/// The repository's own folders: a path is one of ours if it begins with one of them.
fn top_folders() -> Result<BTreeSet<String>> {
    let mut folders = BTreeSet::new();
    for entry in std::fs::read_dir(tree::root())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !matches!(name.as_str(), "target" | ".git" | "certgate-data") {
            folders.insert(name);
        }
    }
    Ok(folders)
}

/// Paths of ours between single backticks, with their line. Fenced blocks are left out.
fn named_paths(text: &str, folders: &BTreeSet<String>) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let inline = line.split('`').skip(1).step_by(2);
            paths.extend(inline.filter_map(|span| our_path(span, folders)).map(|path| (index + 1, path)));
        }
    }
    paths
}

/// The path in a span of code, without a line number, if it is one of ours and names no placeholder.
fn our_path(span: &str, folders: &BTreeSet<String>) -> Option<String> {
    let path = match span.rsplit_once(':') {
        Some((path, line)) if line.bytes().all(|byte| byte.is_ascii_digit()) => path,
        _ => span,
    };
    let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    let first = path.split('/').next()?;
    let placeholder = path
        .split('/')
        .any(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte == b'-'));
    let ours = plain && !placeholder && path.contains('/') && folders.contains(first);
    ours.then(|| path.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::named_paths;

    #[test]
    fn only_paths_of_ours_are_taken() {
        let folders = BTreeSet::from(["gateway".to_owned(), "fuzz".to_owned()]);
        let text = "`gateway/src/assemble.rs` and `gateway/src/lib.rs:12`, `ca/root.pem`\n\
                    ```\n`gateway/fenced`\n```\n\
                    `fuzz/corpus/TARGET/` `https://gateway/x` `protocols/*` `gateway/` `gateway`";
        let paths = named_paths(text, &folders);
        assert_eq!(
            paths,
            [(1, "gateway/src/assemble.rs".to_owned()), (1, "gateway/src/lib.rs".to_owned()), (5, "gateway".to_owned())]
        );
    }
}
