//! Which keys two configurations have in a different way.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

/// Every key of a configuration by its name, such as `limits.drain` or `endpoint[est/default].auth`, with what the file has, or else
/// the embedded configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys(BTreeMap<String, Value>);

impl Keys {
    /// The keys of a file over those of the embedded configuration: lists that the file has replace the embedded ones.
    pub(super) fn of(file: Table, embedded: Table) -> Self {
        let mut merged = embedded;
        for (name, value) in file {
            match (merged.get_mut(&name), value) {
                (Some(Value::Table(below)), Value::Table(above)) => below.extend(above),
                (_, value) => {
                    merged.insert(name, value);
                }
            }
        }
        let mut keys = Self::default();
        merged.into_iter().for_each(|(name, value)| keys.add(name, value));
        keys
    }

    fn add(&mut self, name: String, value: Value) {
        match value {
            Value::Table(table) => table.into_iter().for_each(|(key, value)| self.add(format!("{name}.{key}"), value)),
            Value::Array(items) if items.iter().any(Value::is_table) => {
                for (index, item) in items.into_iter().enumerate() {
                    self.add(format!("{name}[{}]", identity(&item, index)), item);
                }
            }
            value => {
                self.0.insert(name, value);
            }
        }
    }

    /// The names of all keys that one has and the other has not, or has otherwise.
    #[must_use]
    pub fn differing(&self, other: &Self) -> BTreeSet<String> {
        let names = self.0.keys().chain(other.0.keys());
        names.filter(|name| self.0.get(*name) != other.0.get(*name)).cloned().collect()
    }
}

/// What an item of a list is known by, wherever it stands there.
fn identity(item: &Value, index: usize) -> String {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    match (text("protocol"), text("name").or_else(|| text("bind"))) {
        (Some(protocol), Some(name)) => format!("{protocol}/{name}"),
        (None, Some(name)) => name.to_owned(),
        _ => (index + 1).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMBEDDED: &str = "[limits]\ndrain = \"30s\"\nqueue = 1\n[[profile]]\nname = \"default\"\nvalidity = \"90d\"\n";

    fn keys(text: &str) -> Keys {
        Keys::of(text.parse().unwrap(), EMBEDDED.parse().unwrap())
    }

    #[test]
    fn keys_that_differ_are_named_and_no_others() {
        for (one, other, expected) in [
            ("", "", &[][..]),
            ("", "[limits]\ndrain = \"30s\"\n", &[]),
            ("", "[limits]\ndrain = \"5s\"\n", &["limits.drain"]),
            ("[limits]\ndrain = \"5s\"\n", "", &["limits.drain"]),
            ("", "[tls]\nadditional_sans = [\"a\"]\n", &["tls.additional_sans"]),
            ("", "[[profile]]\nname = \"default\"\nvalidity = \"7d\"\n", &["profile[default].validity"]),
            (
                "[[endpoint]]\nprotocol = \"est\"\nname = \"a\"\n[[endpoint]]\nprotocol = \"est\"\nname = \"b\"\n",
                "[[endpoint]]\nprotocol = \"est\"\nname = \"b\"\n[[endpoint]]\nprotocol = \"scep\"\nname = \"a\"\n",
                &["endpoint[est/a].name", "endpoint[est/a].protocol", "endpoint[scep/a].name", "endpoint[scep/a].protocol"],
            ),
            (
                "[[authority]]\nname = \"x\"\ncrl = { delta = \"1h\" }\n",
                "[[authority]]\nname = \"x\"\ncrl = { delta = \"2h\" }\n",
                &["authority[x].crl.delta"],
            ),
        ] {
            let found = keys(one).differing(&keys(other));
            assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{one}\n{other}");
        }
    }
}
