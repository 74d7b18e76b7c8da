//! Operators look lines of the log up in docs/operations.md: every one from `info` up is there.

use anyhow::Result;

use super::{
    Findings,
    source::{self, Source},
};
use crate::tree;

/// Where they are listed.
const PAGE: &str = "docs/operations.md";
/// What is logged by default, and how it stands in code.
const LEVELS: [&str; 3] = ["tracing::info!(", "tracing::warn!(", "tracing::error!("];
/// So much of a message has to be there, in octets: the page may shorten what follows.
const TELLING: usize = 40;

/// Messages that the page has not.
pub(super) fn findings() -> Result<Findings> {
    let page = tree::read(&tree::root().join(PAGE))?;
    let mut findings = Findings::new();
    for file in source::all()?.iter().filter(|file| !file.is_test() && !file.path.starts_with("xtask/")) {
        let missing = messages(file).into_iter().filter(|(_, message)| !page.contains(beginning(message)));
        findings.extend(missing.map(|(line, message)| format!("{}:{line}: {PAGE} has no `{message}`", file.path)));
    }
    Ok(findings)
}

/// The messages of a file and their lines. One that is put together (`"{message}"`) is not judged.
fn messages(file: &Source) -> Vec<(usize, String)> {
    let mut messages = Vec::new();
    for (line, code) in file.code_lines() {
        for (at, level) in LEVELS.iter().filter_map(|level| Some((code.find(level)?, level))) {
            let begin = file.text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>() + at + level.len();
            let end = closing(&file.code, begin);
            messages.extend(last_literal(&file.text[begin..end]).filter(|it| !it.starts_with('{')).map(|it| (line, it)));
        }
    }
    messages
}

/// Where the parenthesis closes that was opened before `from`.
fn closing(code: &str, from: usize) -> usize {
    let mut open = 1;
    for (offset, byte) in code[from..].bytes().enumerate() {
        open += i32::from(byte == b'(') - i32::from(byte == b')');
        if open == 0 {
            return from + offset;
        }
    }
    code.len()
}

/// What stands between the last two quotes.
fn last_literal(arguments: &str) -> Option<String> {
    let (before, _) = arguments.rsplit_once('"')?;
    let (_, literal) = before.rsplit_once('"')?;
    Some(literal.to_owned())
}

fn beginning(message: &str) -> &str {
    message.get(..TELLING).unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::{Source, messages};

    #[test]
    fn messages_of_what_is_logged_by_default_are_found() {
        let text = "fn f() {\n    tracing::info!(\n        path = say(\"a\"),\n        \"one\"\n    );\n    tracing::debug!(\"two\");\n    \
                    match x { _ => tracing::error!(\"three\"), }\n    tracing::warn!(\"{message}\");\n}\n";
        let found = messages(&Source::new("a.rs".to_owned(), text.to_owned()));
        assert_eq!(found, [(2, "one".to_owned()), (7, "three".to_owned())]);
    }
}
