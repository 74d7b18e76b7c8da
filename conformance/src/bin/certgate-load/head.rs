//! The head of an answer as a file: its status, and a line for each header field.

use anyhow::Context;
use hyper::{
    HeaderMap, StatusCode,
    header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderName, HeaderValue},
};

/// Without the fields that a server adds by itself.
pub(crate) fn write(status: StatusCode, fields: &HeaderMap) -> String {
    let mut text = format!("{}\n", status.as_u16());
    for (name, value) in fields.iter().filter(|(name, _)| ![CONNECTION, CONTENT_LENGTH, DATE].contains(name)) {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
    }
    text
}

/// What [`write`] has written.
pub(crate) fn read(text: &str) -> anyhow::Result<(StatusCode, HeaderMap)> {
    let (status, lines) = text.split_once('\n').context("a head without status")?;
    let mut fields = HeaderMap::new();
    for line in lines.lines() {
        let (name, value) = line.split_once(": ").with_context(|| format!("no header field: {line:?}"))?;
        fields.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    Ok((status.parse()?, fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let text = "304\netag: \"a\"\nlink: <a>\nlink: <b>\n";
        let (status, mut fields) = read(text).unwrap();
        fields.insert(DATE, HeaderValue::from_static("now"));
        assert_eq!(write(status, &fields), text);
        assert!(read("200").is_err() && read("200\nno field\n").is_err());
    }
}
