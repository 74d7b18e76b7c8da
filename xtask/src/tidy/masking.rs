//! Blanks comments and literals of Rust source, so that what is searched afterwards is code.

/// `text` with every comment, string and character literal overwritten by spaces. Lines and columns
/// stay where they are.
pub(super) fn mask(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut masked = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        if end > at {
            blank(&mut masked[at..end]);
            at = end;
        } else {
            at += 1;
        }
    }
    String::from_utf8_lossy(&masked).into_owned()
}

/// Where the comment or literal that starts at `at` ends; `at` itself if none does.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => at + block_comment(rest),
        [b'"', ..] => at + quoted(rest),
        [b'r', b'"' | b'#', ..] if !continues_a_word(bytes, at) => at + raw_string(rest),
        [b'\'', ..] => at + character(rest),
        _ => at,
    }
}

/// Length of a block comment; they nest.
fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

/// Length of a string with escapes.
fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of a raw string; zero if it is a raw identifier.
fn raw_string(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|&&byte| byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let body = 2 + hashes;
    rest[body..].windows(close.len()).position(|window| window == close).map_or(rest.len(), |found| body + found + close.len())
}

/// Length of a character literal; zero if it is a lifetime.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        let close = rest.iter().skip(3).position(|&byte| byte == b'\'');
        return close.map_or(rest.len(), |found| found + 4);
    }
    let width = match rest.get(1) {
        Some(0xf0..) => 4,
        Some(0xe0..) => 3,
        Some(0xc0..) => 2,
        _ => 1,
    };
    if rest.get(1 + width) == Some(&b'\'') { 2 + width } else { 0 }
}

/// True if the byte before belongs to the same identifier (`br"…"` and `cr"…"` begin a literal).
fn continues_a_word(bytes: &[u8], at: usize) -> bool {
    let word = |index: usize| bytes.get(index).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    match at.checked_sub(1) {
        None => false,
        Some(before) if matches!(bytes[before], b'b' | b'c') => before.checked_sub(1).is_some_and(word),
        Some(before) => word(before),
    }
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn comments_and_literals_go_and_columns_stay() {
        let source = "let a = \"todo \\\" {\"; // {\nlet b = '{'; /* { /* } */ */ let c: &'static str = r#\"a\"{\"#;";
        let expected = "let a = \"\"; \nlet b = ; let c: &'static str = ;";
        let masked = mask(source);
        assert_eq!(masked.len(), source.len());
        assert!(!masked.contains('{'), "{masked}");
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeeze(&masked), squeeze(&expected.replace("\"\"", "")));
    }

    #[test]
    fn escaped_quotes_and_wide_characters_are_characters() {
        assert_eq!(mask(r"['\'', '\\', 'é', '{'] + x").replace(' ', ""), "[,,,]+x");
        assert_eq!(mask("br\"{\" r#fn bar").replace(' ', ""), "br#fnbar");
    }
}
