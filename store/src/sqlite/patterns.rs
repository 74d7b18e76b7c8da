//! Name patterns in a column.

use std::str::FromStr;

/// Name patterns as their column has them: a JSON array of texts.
pub(super) fn write_patterns(patterns: &[impl ToString]) -> String {
    let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
    serde_json::Value::from(patterns).to_string()
}

/// Reads what [`write_patterns`] wrote.
pub(super) fn read_patterns<P: FromStr>(text: &str) -> Option<Vec<P>> {
    let patterns: Vec<String> = serde_json::from_str(text).ok()?;
    patterns.iter().map(|pattern| pattern.parse().ok()).collect()
}
