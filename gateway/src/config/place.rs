//! Where in a file a value stands, and which key it belongs to.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys that lead to what stands at a byte, outermost first; places in lists are left out.
pub(super) fn keys_at(text: &str, at: usize) -> Vec<String> {
    let mut keys = Vec::new();
    if let Ok(document) = DeTable::parse(text) {
        walk_table(document.get_ref(), at, &mut keys);
    }
    keys
}

/// Follows the entry that reaches furthest into the text without beginning behind `at`.
fn walk_table(table: &DeTable<'_>, at: usize, keys: &mut Vec<String>) {
    let begins = |value: &Spanned<DeValue<'_>>| latest_before(value, at);
    let entry = table.iter().filter_map(|(key, value)| Some((begins(value).or_else(|| holds(key, at))?, key, value)));
    if let Some((_, key, value)) = entry.max_by_key(|(begin, ..)| *begin) {
        keys.push(key.get_ref().to_string());
        walk_value(value.get_ref(), at, keys);
    }
}

fn walk_value(value: &DeValue<'_>, at: usize, keys: &mut Vec<String>) {
    match value {
        DeValue::Table(table) => walk_table(table, at, keys),
        DeValue::Array(items) => {
            let item = items.iter().filter_map(|item| Some((latest_before(item, at)?, item))).max_by_key(|(begin, _)| *begin);
            if let Some((_, item)) = item {
                walk_value(item.get_ref(), at, keys);
            }
        }
        _ => {}
    }
}

fn holds<T>(one: &Spanned<T>, at: usize) -> Option<usize> {
    one.span().contains(&at).then_some(one.span().start)
}

/// Where the innermost part of a value that holds `at` begins. A table of a headline is at that headline, apart from what it has.
fn latest_before(value: &Spanned<DeValue<'_>>, at: usize) -> Option<usize> {
    let own = holds(value, at);
    let inner = match value.get_ref() {
        DeValue::Table(table) => {
            table.iter().filter_map(|(key, value)| latest_before(value, at).or_else(|| holds(key, at))).max()
        }
        DeValue::Array(items) => items.iter().filter_map(|item| latest_before(item, at)).max(),
        _ => None,
    };
    inner.max(own)
}

/// Where a key of the table that begins at `at` stands, if the table has it in a line of its own.
pub(super) fn key_of_table(text: &str, at: usize, key: &str) -> Option<usize> {
    let mut start = at;
    for (index, line) in text.get(at..)?.split_inclusive('\n').enumerate() {
        let code = line.trim_start();
        // The next headline ends the table.
        if index > 0 && code.starts_with('[') {
            return None;
        }
        let rest = code.strip_prefix(key).map(str::trim_start);
        if rest.is_some_and(|rest| rest.starts_with('=')) {
            return Some(start + line.len() - code.len());
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_lead_to_a_place() {
        let text = "[limits]\nbody = \"20\"\n[[listener]]\nbind = 1\n[[listener]]\nserves = [\n  \"est\",\n  3 ]\n\
                    [[profile]]\nsubject = { copy = 4 }\n[[authority]]\n[authority.crl]\nshards = 5\n";
        for (there, keys) in [
            ("\"20\"", "limits body"),
            ("bind", "listener bind"),
            ("1\n", "listener bind"),
            ("3 ]", "listener serves"),
            ("4 }", "profile subject copy"),
            ("5\n", "authority crl shards"),
            ("[[profile]]", "profile"),
        ] {
            assert_eq!(keys_at(text, text.find(there).unwrap()).join(" "), keys, "{there}");
        }
        assert!(keys_at("a = \n", 3).is_empty());
    }

    #[test]
    fn keys_of_a_table() {
        let text = "[a]\nx = 1\n  yy= 2\n[b]\ny = 3\n";
        let line = |at: Option<usize>| at.map(|at| text[at..].lines().next().unwrap());
        assert_eq!(line(key_of_table(text, 0, "x")), Some("x = 1"));
        assert_eq!(line(key_of_table(text, 0, "yy")), Some("yy= 2"));
        assert_eq!(line(key_of_table(text, 0, "y")), None);
        assert_eq!(line(key_of_table(text, text.find("[b]").unwrap(), "y")), Some("y = 3"));
    }
}
