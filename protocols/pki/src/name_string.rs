//! Names as text: RFC 4514, most specific attribute first.

use std::fmt;
use std::str::FromStr;

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
            _ if character.is_control() => {
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

/// Reads `CN=Example Root,O=Example`; a backslash takes the next character as it is. Hex escapes and multi-valued RDNs are not taken.
impl FromStr for Name {
    type Err = InvalidNameString;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut attributes = Vec::new();
        for element in split_unescaped(text) {
            let (kind, value) = element.split_once('=').ok_or_else(|| InvalidNameString::NoEquals(element.clone()))?;
            let kind = NameAttributeType::from_short_name(kind.trim())
                .ok_or_else(|| InvalidNameString::UnknownType(kind.trim().to_owned()))?;
            let attribute = NameAttribute { kind, value: unescape(value.trim()) };
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

fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        out.push(if character == '\\' { characters.next().unwrap_or('\\') } else { character });
    }
    out
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
    }

    #[test]
    fn what_cannot_be_issued_is_refused() {
        for wrong in ["", "CN", "CN=", "C=DEU", "emailAddress=a@b", "serialNumber=a_b"] {
            assert!(wrong.parse::<Name>().is_err(), "{wrong}");
        }
    }
}
