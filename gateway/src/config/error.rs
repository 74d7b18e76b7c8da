//! What is wrong with a configuration, where, and what would be right.

use std::path::Path;

use super::place::keys_at;
use super::{Source, schema, wanted};

/// How alike a known key must be to be suggested, from 0 to 1.
const ALIKE: f64 = 0.75;

/// The first thing that is wrong with a configuration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct ConfigError {
    file: String,
    line: Option<usize>,
    message: String,
}

impl ConfigError {
    pub(super) fn new(file: &str, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }

    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::new(&path.display().to_string(), None, error.to_string())
    }

    /// An error of the TOML reader, with what would be right: the nearest known key, or what the key wants.
    pub(super) fn from_toml(source: &Source, error: &toml::de::Error) -> Self {
        let said = error.message().trim();
        let at = error.span().map(|span| span.start);
        let keys = at.map(|at| keys_at(&source.text, at)).unwrap_or_default();
        let message = unknown_key(said)
            .or_else(|| missing_key(said, &keys))
            .or_else(|| wrong_type(said, &keys))
            .or_else(|| wrong_form(said, error.span().and_then(|span| source.text.get(span))))
            .unwrap_or_else(|| said.replace('`', "\"").replace('\n', ", "));
        match at {
            Some(at) => source.error_at(at, message),
            None => Self::new(&source.name, None, message),
        }
    }
}

/// Says more of serde's "missing field `x`".
fn missing_key(message: &str, keys: &[String]) -> Option<String> {
    let key = message.strip_prefix("missing field `")?.strip_suffix('`')?;
    let schema = schema();
    let path: Vec<String> = keys.iter().cloned().chain([key.to_owned()]).collect();
    let wanted = wanted::find(&schema, &path)?;
    let headline = if keys.len() == 1 { format!("[[{}]]", keys.join(".")) } else { format!("[{}]", keys.join(".")) };
    Some(format!("{headline} has no {key}, and needs it: {}", wanted::describe(wanted)))
}

/// Says more of what is no TOML; `there` is the text that is to blame.
fn wrong_form(message: &str, there: Option<&str>) -> Option<String> {
    match message {
        "duplicate key" => Some(format!("{} is there twice: leave one out", there.unwrap_or_default().trim())),
        _ if message.starts_with("string values must be quoted") => {
            Some("a value is missing, or is text without quotes: write it like \"info\"".to_owned())
        }
        _ if message.starts_with("invalid basic string") => {
            Some("a text is not as TOML has it: it ends with \" in its own line, and \\ stands as \\\\ in it".to_owned())
        }
        _ => None,
    }
}

/// Says more of serde's "invalid type: string "x", expected usize", and of addresses that are none.
fn wrong_type(message: &str, keys: &[String]) -> Option<String> {
    let schema = schema();
    let key = keys.last()?;
    let wanted = wanted::find(&schema, keys)?;
    if wanted.pointer("/items/properties").is_some() {
        return Some(format!("{key} is a list of tables: each begins with [[{key}]]"));
    }
    if wanted.get("properties").is_some() {
        return Some(format!("{key} is one table: it begins with [{}]", keys.join(".")));
    }
    let wanted = wanted::describe(wanted);
    if message == "invalid socket address syntax" {
        return Some(format!("{key} is no address and port: {wanted}"));
    }
    let found = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "))?;
    let (found, _) = found.rsplit_once(", expected ")?;
    let found = match found {
        "map" => "table".to_owned(),
        "sequence" => "list".to_owned(),
        other => other.replace('`', ""),
    };
    Some(format!("{key} is {wanted}; here it is the {found}"))
}

/// Says more of serde's "unknown field `x`, expected one of `a`, `b`" and "unknown variant …".
fn unknown_key(message: &str) -> Option<String> {
    let what = ["field", "variant"].into_iter().find(|what| message.contains(&format!("unknown {what} `")))?;
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    let known: Vec<&str> = quoted.collect();
    let alike = |candidate: &&&str| strsim::jaro_winkler(&unknown.to_lowercase(), &candidate.to_lowercase());
    let nearest = known.iter().max_by(|a, b| alike(a).total_cmp(&alike(b))).filter(|nearest| alike(nearest) >= ALIKE);
    let kind = if what == "field" { "key" } else { "value" };
    let suggestion = nearest.map(|nearest| format!(": did you mean \"{nearest}\"?")).unwrap_or_default();
    Some(format!("unknown {kind} \"{unknown}\"{suggestion} (known here: {})", known.join(", ")))
}
