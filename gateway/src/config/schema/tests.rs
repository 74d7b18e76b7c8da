use std::path::Path;

use serde_json::{Map, Value, json};

use super::*;
use crate::config::EMBEDDED;

/// A file as the schema sees it.
fn as_json(text: &str) -> Value {
    let table: toml::Table = text.parse().unwrap();
    serde_json::to_value(table).unwrap()
}

/// Every table of the schema: the keys that lead to it, and its schema.
fn tables(path: &[String], schema: &Value, found: &mut Vec<(Vec<String>, Value)>) {
    let schema = schema.get("items").unwrap_or(schema);
    let Some(keys) = schema.get("properties").and_then(Value::as_object) else { return };
    found.push((path.to_vec(), schema.clone()));
    for (key, inner) in keys {
        tables(&[path, std::slice::from_ref(key)].concat(), inner, found);
    }
}

fn all_tables() -> Vec<(Vec<String>, Value)> {
    let mut found = Vec::new();
    tables(&[], &schema(), &mut found);
    found
}

/// The table at `path` of a file, made if it is not there; of a list its first item.
fn reach<'file>(file: &'file mut Value, path: &[String]) -> &'file mut Map<String, Value> {
    let mut at = file;
    for key in path {
        at = at.as_object_mut().unwrap().entry(key.clone()).or_insert_with(|| json!({}));
        if at.is_array() {
            at = &mut at[0];
        }
    }
    at.as_object_mut().unwrap()
}

#[test]
fn it_takes_what_the_gateway_takes() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema()), "it is a schema itself");
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/samples");
    let samples = std::fs::read_dir(samples).unwrap().map(|file| file.unwrap().path());
    let samples: Vec<_> = samples.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    assert!(samples.len() >= 3);
    let texts = samples.iter().map(|path| std::fs::read_to_string(path).unwrap());
    for text in texts.chain([EMBEDDED.to_owned(), String::new()]) {
        let faults: Vec<String> = validator.iter_errors(&as_json(&text)).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, [""; 0], "{text}");
    }
}

#[test]
fn it_refuses_an_unknown_key_in_each_table() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let tables = all_tables();
    assert!(tables.len() > 12, "{}", tables.len());
    for (path, _) in tables {
        let mut file = as_json(EMBEDDED);
        reach(&mut file, &path);
        assert!(validator.is_valid(&file), "{path:?}");
        reach(&mut file, &path).insert("unheard_of".to_owned(), json!(1));
        assert!(!validator.is_valid(&file), "{path:?}");
    }
}

#[test]
fn it_refuses_what_the_gateway_refuses() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    for (table, key, value) in [
        ("listener", "bind", json!("localhost")),
        ("listener", "bind", json!(8443)),
        ("listener", "serves", json!([])),
        ("listener", "serves", json!(["http"])),
        ("listener", "min_tls", json!("1.1")),
        ("authority", "key", json!("p255")),
        ("authority", "validity", json!("0d")),
        ("authority", "validity", json!("1y")),
        ("authority", "public_url", json!("ldap://a")),
        ("profile", "key_types", json!([])),
        ("profile", "subject", json!({ "copy": ["CN"] })),
        ("endpoint", "base64_line_length", json!(63)),
        ("endpoint", "auth", json!("basic")),
        ("validation", "http01_port", json!(0)),
        ("validation", "http01_port", json!(65536)),
        ("validation", "deny_networks", json!(["example"])),
        ("store", "queue", json!(1023)),
        ("limits", "rsa_threads", json!(65)),
        ("limits", "ocsp_bytes", json!(1)),
        ("log", "level", json!("loud")),
    ] {
        let mut file = as_json(EMBEDDED);
        reach(&mut file, &[table.to_owned()]).insert(key.to_owned(), value.clone());
        assert!(!validator.is_valid(&file), "{table}.{key} = {value}");
    }
}

/// What a key means is said by the schema, from which the reference is made, and its name stands in the embedded file.
#[test]
fn every_key_is_described() {
    for (path, table) in all_tables() {
        for (key, schema) in table["properties"].as_object().unwrap() {
            let said = schema["description"].as_str().unwrap_or_default();
            assert!(said.len() > 5 && said.ends_with('.'), "{path:?} {key}: {said:?}");
            let is_named = EMBEDDED.lines().any(|line| {
                let line = line.trim_start_matches(['#', ' ']);
                line.starts_with(&format!("{key} = "))
                    || line.contains(&format!("{{ {key} = "))
                    || line.trim_end_matches([']']).rsplit(['[', '.']).next() == Some(key)
            });
            assert!(is_named, "{path:?} {key} is not in the embedded configuration");
        }
    }
}
