//! Names as text: RFC 4514, most specific attribute first.

use std::fmt;
use std::str::FromStr;

use crate::limits::MAX_NAME_ATTRIBUTES;
use crate::name::{Name, NameAttribute, NameAttributeType};

/// The text is no RFC 4514 name of the attributes that certgate issues.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNameString {
    /// An element without `=`.
    #[error("`{0}` is not TYPE=value")]
    NoEquals(String),
    /// An attribute type that is not issued.
    #[error("`{0}` is not one of CN, C, ST, L, O, OU, serialNumber")]
    UnknownType(String),
    /// A value that cannot be written within the bounds of RFC 5280.
    #[error("the value of {0} is empty, too long, or of characters it cannot have")]
    BadValue(NameAttributeType),
    /// More than [`MAX_NAME_ATTRIBUTES`].
    #[error("a name has {MAX_NAME_ATTRIBUTES} attributes at the most")]
    TooManyAttributes,
}

/// `CN=ps1,C=DE`: RFC 4514 §2.1 reverses the order of DER.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, attribute) in self.attributes().iter().rev().enumerate() {
            if position > 0 {
                f.write_str(",")?;
            }
            write!(f, "{}=", attribute.kind)?;
            write_escaped(f, &attribute.value)?;
        }
        Ok(())
    }
}

/// RFC 4514 §2.4.
fn write_escaped(f: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    let last = value.chars().count().saturating_sub(1);
    for (position, character) in value.chars().enumerate() {
        let edge = (character == ' ' && (position == 0 || position == last)) || (character == '#' && position == 0);
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{character}")?,
            _ if edge => write!(f, "\\{character}")?,
            _ if is_invisible(character) => {
                let mut buffer = [0; 4];
                for byte in character.encode_utf8(&mut buffer).bytes() {
                    write!(f, "\\{byte:02x}")?;
                }
            }
            _ => write!(f, "{character}")?,
        }
    }
    Ok(())
}

/// Is a character one that is not seen, or that changes how the text around it is shown? Control characters, white space but for the
/// space, what Unicode has as `Default_Ignorable_Code_Point`, and blanks that it does not have there. They are written out where a
/// person reads a name.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || (character.is_whitespace() && character != ' ')
        || matches!(character, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}')
        || matches!(character, '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(character, '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}')
        || matches!(character, '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Reads `CN=Example Root,O=Example`. A backslash takes the next character as it is, or two hexadecimal digits as an octet of UTF-8 (RFC
/// 4514 §3). Multi-valued RDNs are not taken.
impl FromStr for Name {
    type Err = InvalidNameString;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut attributes = Vec::new();
        for element in split_unescaped(text) {
            if attributes.len() == MAX_NAME_ATTRIBUTES {
                return Err(InvalidNameString::TooManyAttributes);
            }
            let (kind, value) = element.split_once('=').ok_or_else(|| InvalidNameString::NoEquals(element.clone()))?;
            let kind = NameAttributeType::from_short_name(kind.trim())
                .ok_or_else(|| InvalidNameString::UnknownType(kind.trim().to_owned()))?;
            let value = unescape(trim_unescaped(value)).ok_or(InvalidNameString::BadValue(kind))?;
            let attribute = NameAttribute::new(kind, value);
            if !attribute.is_well_formed() {
                return Err(InvalidNameString::BadValue(kind));
            }
            attributes.push(attribute);
        }
        attributes.reverse();
        Ok(Self::from_attributes(attributes))
    }
}

fn split_unescaped(text: &str) -> Vec<String> {
    let mut elements = vec![String::new()];
    let mut escaped = false;
    for character in text.chars() {
        if character == ',' && !escaped {
            elements.push(String::new());
        } else if let Some(element) = elements.last_mut() {
            element.push(character);
        }
        escaped = character == '\\' && !escaped;
    }
    elements
}

/// Without the spaces around it, but for one that is escaped.
fn trim_unescaped(value: &str) -> &str {
    let trimmed = value.trim_matches(' ');
    let backslashes = trimmed.bytes().rev().take_while(|byte| *byte == b'\\').count();
    let value = value.trim_start_matches(' ');
    if backslashes % 2 == 1 { value.get(..trimmed.len() + 1).unwrap_or(trimmed) } else { trimmed }
}

/// `None` when hexadecimal digits make no UTF-8.
fn unescape(value: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    loop {
        match rest {
            [b'\\', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |octet: &u8| char::from(*octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                octets.push(digit(high)? << 4 | digit(low)?);
                rest = after;
            }
            [b'\\', octet, after @ ..] | [octet, after @ ..] => {
                octets.push(*octet);
                rest = after;
            }
            [] => return String::from_utf8(octets).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_reverse_of_der() {
        let name: Name = "CN=ps1,C=DE".parse().unwrap();
        assert_eq!(name.attributes()[0].kind, NameAttributeType::Country);
        assert_eq!(name.to_string(), "CN=ps1,C=DE");
        assert_eq!(Name::from_der(name.as_der()).unwrap(), name);
    }

    #[test]
    fn special_characters_are_escaped() {
        let name: Name = r"CN=a\, b \\ c,O=\#x".parse().unwrap();
        assert_eq!(name.attributes()[1].value, r"a, b \ c");
        assert_eq!(name.to_string(), r"CN=a\, b \\ c,O=\#x");
        for (text, value) in
            [(r"CN= a\  ", "a "), (r"CN=\ ", " "), (r"CN=a\\ ", r"a\"), (r"CN=\c3\96\2b", "Ö+"), ("CN=a\u{3000}", "a\u{3000}")]
        {
            let name: Name = text.parse().unwrap();
            assert_eq!(name.attributes()[0].value, value, "{text}");
            assert_eq!(name.to_string().parse().as_ref(), Ok(&name), "{text}");
        }
    }

    #[test]
    fn nothing_in_a_name_hides() {
        for hidden in ["a\u{202e}b", "a\u{200b}", "\u{2066}x", "a\u{2028}b"] {
            let name = Name::from_attributes(vec![NameAttribute::new(NameAttributeType::Organization, hidden)]);
            let shown = name.to_string();
            assert!(shown.is_ascii(), "{shown:?}");
            assert_eq!(shown.parse().as_ref(), Ok(&name), "{shown}");
        }
    }

    #[test]
    fn what_cannot_be_issued_is_refused() {
        for wrong in ["", "CN", "CN=", "C=DEU", "emailAddress=a@b", "serialNumber=a_b", r"CN=\c3", r"CN=a\0a"] {
            assert!(wrong.parse::<Name>().is_err(), "{wrong}");
        }
        let many = |count| vec!["OU=x"; count].join(",").parse::<Name>();
        assert!(many(MAX_NAME_ATTRIBUTES).is_ok());
        assert_eq!(many(MAX_NAME_ATTRIBUTES + 1), Err(InvalidNameString::TooManyAttributes));
    }
}
