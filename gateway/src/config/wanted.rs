//! What a key of the file wants, in the words of its schema.

use serde_json::Value;

/// The schema of a key, found by the keys that lead to it.
pub(super) fn find<'schema>(schema: &'schema Value, keys: &[String]) -> Option<&'schema Value> {
    keys.iter().try_fold(schema, |at, key| at.get("items").unwrap_or(at).get("properties")?.get(key))
}

/// What a value of this schema is: "a whole number from 1 to 64".
pub(super) fn describe(schema: &Value) -> String {
    if let Some(item) = schema.get("items") {
        return match first_value(item) {
            Some(value) => format!("a list like [{value}]"),
            None => "a list of tables".to_owned(),
        };
    }
    let values = values(schema);
    if !values.is_empty() {
        return format!("one of {}", values.join(", "));
    }
    let examples: Vec<String> = list(schema, "examples").map(Value::to_string).collect();
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => whole_number(schema),
        Some("boolean") => "true or false".to_owned(),
        Some("object") => "a table".to_owned(),
        _ if examples.is_empty() => "text in quotes".to_owned(),
        _ => format!("text in quotes, like {}", examples.join(", ")),
    }
}

fn whole_number(schema: &Value) -> String {
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
    match (bound("minimum").unwrap_or(0), bound("maximum")) {
        (least, Some(most)) => format!("a whole number from {least} to {most}"),
        (least, None) => format!("a whole number, {least} or more"),
    }
}

fn list<'schema>(schema: &'schema Value, key: &str) -> impl Iterator<Item = &'schema Value> {
    schema.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// The values that are allowed, if they can be counted.
fn values(schema: &Value) -> Vec<String> {
    let described = list(schema, "oneOf").filter_map(|one| one.get("const"));
    list(schema, "enum").chain(described).map(Value::to_string).collect()
}

/// One that may stand in a list.
fn first_value(item: &Value) -> Option<String> {
    values(item).into_iter().next().or_else(|| list(item, "examples").next().map(Value::to_string))
}
