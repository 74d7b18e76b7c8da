//! What is wrong with a configuration, where, and what would be right.

use std::path::Path;

use super::Source;

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

    /// An error of the TOML reader, with the nearest known key where one was not known.
    pub(super) fn from_toml(source: &Source, error: &toml::de::Error) -> Self {
        let message = unknown_key(error.message()).unwrap_or_else(|| error.message().trim().replace('`', "\""));
        match error.span() {
            Some(span) => source.error_at(span.start, message),
            None => Self::new(&source.name, None, message),
        }
    }
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
