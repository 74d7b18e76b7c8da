//! A Rust source file as the rules see it: code without comments and literals, production without
//! tests, functions with their lengths.

use std::ops::Range;

use anyhow::Result;

use super::masking::mask;
use crate::tree;

/// One file.
pub(super) struct Source {
    /// Path from the repository's root.
    pub(super) path: String,
    /// As it is written.
    pub(super) text: String,
    /// The same with comments and literals blanked, byte for byte in place.
    pub(super) code: String,
    /// Byte ranges of `#[cfg(test)]` items.
    tests: Vec<Range<usize>>,
}

/// A function and where it stands.
pub(super) struct Function {
    /// Its name.
    pub(super) name: String,
    /// Line of `fn`, from 1.
    pub(super) line: usize,
    /// Lines from `fn` to the closing brace, both counted.
    pub(super) lines: usize,
}

/// Every Rust file of the repository, those of tests too.
pub(super) fn all() -> Result<Vec<Source>> {
    tree::files(tree::root(), ".rs")?.iter().map(|path| Ok(Source::new(tree::relative(path), tree::read(path)?))).collect()
}

impl Source {
    /// Reads the structure of a file's text.
    pub(super) fn new(path: String, text: String) -> Self {
        let code = mask(&text);
        let tests = test_items(&code);
        Self { path, text, code, tests }
    }

    /// True for files that hold nothing but tests.
    pub(super) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// Lines of the file that are not in a `#[cfg(test)]` item.
    pub(super) fn production_lines(&self) -> usize {
        let tests: usize = self.tests.iter().map(|range| self.text[range.clone()].lines().count()).sum();
        self.text.lines().count() - tests
    }

    /// The lines of code, numbered from 1, without comments, literals and tests.
    pub(super) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut start = 0;
        self.code.split_inclusive('\n').enumerate().filter_map(move |(index, line)| {
            let at = start;
            start += line.len();
            (!self.in_test(at)).then_some((index + 1, line))
        })
    }

    /// The functions with a body that are not tests.
    pub(super) fn functions(&self) -> Vec<Function> {
        let mut functions = Vec::new();
        for (at, _) in self.code.match_indices("fn ") {
            let starts_a_word = at == 0 || !is_word(self.code.as_bytes()[at - 1]);
            if !starts_a_word || self.in_test(at) {
                continue;
            }
            let name: String = self.code[at + 3..].chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect();
            let end = item_end(&self.code, at);
            let has_body = self.code[at..end].ends_with('}');
            if !name.is_empty() && has_body {
                let line = 1 + self.code[..at].matches('\n').count();
                let lines = 1 + self.code[at..end].matches('\n').count();
                functions.push(Function { name, line, lines });
            }
        }
        functions
    }

    fn in_test(&self, at: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&at))
    }
}

/// Byte ranges of the items under a `cfg` that begins with `test`, attribute included.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut items: Vec<Range<usize>> = Vec::new();
    for marker in ["#[cfg(test)]", "#[cfg(all(test,"] {
        for (at, _) in code.match_indices(marker) {
            let attribute_end = at + code[at..].find(']').map_or(marker.len(), |found| found + 1);
            items.push(at..item_end(code, attribute_end));
        }
    }
    items
}

/// Where the item that begins at `from` ends: after its `;` or its closing brace.
fn item_end(code: &str, from: usize) -> usize {
    let (mut braces, mut brackets) = (0_i32, 0_i32);
    for (offset, byte) in code[from..].bytes().enumerate() {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets -= 1,
            b'{' => braces += 1,
            b'}' => braces -= 1,
            _ => {}
        }
        let closes = byte == b';' || byte == b'}';
        if closes && braces <= 0 && brackets <= 0 {
            return from + offset + 1;
        }
    }
    code.len()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::Source;

    const FILE: &str = "\
fn short(a: [u8; 4]) -> u8 { a[0] }

trait T {
    fn declared(&self);
    fn given(&self) {
        // }
        print(\"{\");
    }
}

#[cfg(test)]
mod tests {
    fn unseen() {
    }
}
";

    #[test]
    fn functions_are_measured_and_tests_left_out() {
        let source = Source::new("a/src/x.rs".into(), FILE.into());
        let seen: Vec<_> = source.functions().into_iter().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(seen, [("short".to_owned(), 1, 1), ("given".to_owned(), 5, 4)]);
        assert_eq!(source.production_lines(), 10);
        assert!(source.code_lines().all(|(_, line)| !line.contains("unseen")));
    }
}
