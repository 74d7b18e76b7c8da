//! A JSON Schema of a TOML file as markdown: a section a table, a row a key.

use serde_json::Value;

/// All tables of the file, in the order of the schema.
pub(super) fn tables(schema: &Value) -> String {
    let mut sections = Vec::new();
    for (name, table) in properties(schema) {
        match table.get("items") {
            Some(item) => section(&mut sections, &format!("[[{name}]]"), name, (table, item)),
            None => section(&mut sections, &format!("[{name}]"), name, (table, table)),
        }
    }
    sections.join("\n")
}

/// One table and those within it. `described` says what it is for, `table` has the keys.
fn section(sections: &mut Vec<String>, title: &str, path: &str, (described, table): (&Value, &Value)) {
    let (inner, keys): (Vec<_>, Vec<_>) = properties(table).partition(|(_, key)| is_table(key));
    let required: Vec<&str> = list(table, "required").iter().filter_map(Value::as_str).collect();
    let mut text = format!("## `{title}`\n\n{}\n", of(described, "description"));
    if !keys.is_empty() {
        text.push_str("\n| key | type | default | meaning |\n|---|---|---|---|\n");
    }
    for (name, key) in keys {
        let default = match (key.get("default"), required.contains(&name.as_str())) {
            (_, true) => "required".to_owned(),
            (Some(value), _) => format!("`{}`", toml(value)),
            (None, _) => "-".to_owned(),
        };
        text.push_str(&format!("| `{name}` | {} | {default} | {} |\n", kind(key), meaning(key)));
    }
    sections.push(text);
    for (name, key) in inner {
        let path = format!("{path}.{name}");
        section(sections, &format!("[{path}]"), &path, (key, key));
    }
}

fn is_table(schema: &Value) -> bool {
    schema.get("properties").is_some()
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn list<'schema>(schema: &'schema Value, key: &str) -> &'schema [Value] {
    schema.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text of the schema, as a cell takes it.
fn of(schema: &Value, key: &str) -> String {
    schema.get(key).and_then(Value::as_str).unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}

/// What a value of this key is.
fn kind(schema: &Value) -> String {
    if let Some(item) = schema.get("items") {
        let least = if schema.get("minItems").is_some() { ", one at least" } else { "" };
        return format!("list of {}{least}", kind(item));
    }
    let values = values(schema);
    if !values.is_empty() {
        return values.iter().map(|(value, _)| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    }
    let examples: Vec<String> = list(schema, "examples").iter().map(|example| format!("`{}`", toml(example))).collect();
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => whole_number(schema),
        Some("boolean") => "`true` or `false`".to_owned(),
        _ if examples.is_empty() => "text".to_owned(),
        _ => format!("text like {}", examples.join(", ")),
    }
}

fn whole_number(schema: &Value) -> String {
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
    let range = match (bound("minimum").unwrap_or(0), bound("maximum")) {
        (least, Some(most)) => format!(" from {least} to {most}"),
        (0, None) => String::new(),
        (least, None) => format!(", {least} at least"),
    };
    let step = bound("multipleOf").map(|step| format!(", a multiple of {step}")).unwrap_or_default();
    format!("whole number{range}{step}")
}

/// The values that are allowed, each with what it means if that is told.
fn values(schema: &Value) -> Vec<(String, String)> {
    let named = list(schema, "enum").iter().map(|value| (toml(value), String::new()));
    let described = list(schema, "oneOf").iter().filter_map(|one| Some((toml(one.get("const")?), of(one, "description"))));
    named.chain(described).collect()
}

/// What the key is for, and what each of its values means.
fn meaning(schema: &Value) -> String {
    let values = values(schema.get("items").unwrap_or(schema));
    let told = values.iter().filter(|(_, meaning)| !meaning.is_empty());
    let told: Vec<String> = told.map(|(value, meaning)| format!("<br>`{value}`: {meaning}")).collect();
    format!("{}{}", of(schema, "description"), told.concat())
}

/// A value as the file has it: TOML's texts, numbers and lists are written as JSON's are.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::tables;

    #[test]
    fn a_section_a_table_and_a_row_a_key() {
        let inner = json!({ "description": "Within.", "properties": { "on": { "type": "boolean", "default": false } } });
        let named = json!({ "description": "A|b.", "oneOf": [{ "const": "a", "description": "This." }], "default": "a" });
        let count = json!({ "description": "How many.", "type": "integer", "minimum": 1, "maximum": 3 });
        let item = json!({ "properties": { "kind": named, "count": count, "more": inner }, "required": ["count"] });
        let schema = json!({ "properties": { "thing": { "description": "Things.", "items": item } } });
        assert_eq!(
            tables(&schema),
            "## `[[thing]]`\n\nThings.\n\n| key | type | default | meaning |\n|---|---|---|---|\n\
             | `kind` | `\"a\"` | `\"a\"` | A\\|b.<br>`\"a\"`: This. |\n\
             | `count` | whole number from 1 to 3 | required | How many. |\n\n\
             ## `[thing.more]`\n\nWithin.\n\n| key | type | default | meaning |\n|---|---|---|---|\n\
             | `on` | `true` or `false` | `false` |  |\n"
        );
    }
}
