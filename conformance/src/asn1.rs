//! The Distinguished Encoding Rules (X.690): a tree that is read strictly and written plainly.
//!
//! Reading accepts one encoding only, so that writing a tree that was read gives back the same octets; tests and mutations change
//! the tree in between.

use std::fmt;

use const_oid::ObjectIdentifier;

pub(crate) mod strict;

/// Deeper nesting than any certificate or CMS message of these protocols has.
const DEPTH_LIMIT: usize = 32;

/// Identifier octets of the universal types used here (X.690 §8.1.2).
pub mod tag {
    /// BOOLEAN.
    pub const BOOLEAN: u8 = 0x01;
    /// INTEGER.
    pub const INTEGER: u8 = 0x02;
    /// BIT STRING.
    pub const BIT_STRING: u8 = 0x03;
    /// OCTET STRING.
    pub const OCTET_STRING: u8 = 0x04;
    /// NULL.
    pub const NULL: u8 = 0x05;
    /// OBJECT IDENTIFIER.
    pub const OBJECT_IDENTIFIER: u8 = 0x06;
    /// ENUMERATED.
    pub const ENUMERATED: u8 = 0x0a;
    /// UTF8String.
    pub const UTF8_STRING: u8 = 0x0c;
    /// PrintableString.
    pub const PRINTABLE_STRING: u8 = 0x13;
    /// TeletexString.
    pub const TELETEX_STRING: u8 = 0x14;
    /// IA5String.
    pub const IA5_STRING: u8 = 0x16;
    /// UTCTime.
    pub const UTC_TIME: u8 = 0x17;
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: u8 = 0x18;
    /// SEQUENCE and SEQUENCE OF.
    pub const SEQUENCE: u8 = 0x30;
    /// SET and SET OF.
    pub const SET: u8 = 0x31;

    /// The identifier octet of `[number]`, constructed.
    #[must_use]
    pub const fn context(number: u8) -> u8 {
        0xa0 | number
    }

    /// The identifier octet of `[number] IMPLICIT`, primitive.
    #[must_use]
    pub const fn context_primitive(number: u8) -> u8 {
        0x80 | number
    }
}

/// Why octets are not DER, or not the structure that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

impl Fault {
    /// A fault with this text.
    pub fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string())
    }
}

/// One encoded value: identifier octet and contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The identifier octet.
    pub tag: u8,
    /// The contents.
    pub body: Body,
}

/// The contents of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Content octets.
    Primitive(Vec<u8>),
    /// Elements, in the order of their encodings.
    Constructed(Vec<Element>),
}

impl Element {
    /// Reads exactly one element, in DER, with nothing behind it.
    ///
    /// # Errors
    /// The first departure from X.690 §§8, 10 and 11.
    pub fn parse(octets: &[u8]) -> Result<Self, Fault> {
        let (element, rest) = read(octets, DEPTH_LIMIT)?;
        if !rest.is_empty() {
            return Err(Fault::new(format_args!("{} octets after the end", rest.len())));
        }
        strict::check(&element)?;
        Ok(element)
    }

    /// An element of content octets.
    #[must_use]
    pub fn primitive(tag: u8, octets: &[u8]) -> Self {
        Self { tag, body: Body::Primitive(octets.to_vec()) }
    }

    /// An element made of elements.
    #[must_use]
    pub const fn constructed(tag: u8, elements: Vec<Self>) -> Self {
        Self { tag, body: Body::Constructed(elements) }
    }

    /// A SEQUENCE.
    #[must_use]
    pub const fn sequence(elements: Vec<Self>) -> Self {
        Self::constructed(tag::SEQUENCE, elements)
    }

    /// An OBJECT IDENTIFIER.
    #[must_use]
    pub fn object_identifier(oid: ObjectIdentifier) -> Self {
        Self::primitive(tag::OBJECT_IDENTIFIER, oid.as_bytes())
    }

    /// The elements inside; none when the element is primitive.
    #[must_use]
    pub fn elements(&self) -> &[Self] {
        match &self.body {
            Body::Primitive(_) => &[],
            Body::Constructed(elements) => elements,
        }
    }

    /// The elements inside, to be changed.
    pub fn elements_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.body {
            Body::Primitive(_) => None,
            Body::Constructed(elements) => Some(elements),
        }
    }

    /// The content octets; none when the element is constructed.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        match &self.body {
            Body::Primitive(octets) => octets,
            Body::Constructed(_) => &[],
        }
    }

    /// The OBJECT IDENTIFIER this element is.
    #[must_use]
    pub fn oid(&self) -> Option<ObjectIdentifier> {
        (self.tag == tag::OBJECT_IDENTIFIER).then(|| ObjectIdentifier::from_bytes(self.octets()).ok()).flatten()
    }

    /// This element, when it has the identifier octet `tag`.
    ///
    /// # Errors
    /// Names `what` was expected when it has another.
    pub fn expect_tag(&self, tag: u8, what: &str) -> Result<&Self, Fault> {
        if self.tag == tag { Ok(self) } else { Err(Fault(format!("{what}: identifier octet {:02x}, not {tag:02x}", self.tag))) }
    }

    /// The encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let content = match &self.body {
            Body::Primitive(octets) => octets.clone(),
            Body::Constructed(elements) => elements.iter().flat_map(Self::encode).collect(),
        };
        let mut octets = vec![self.tag];
        octets.extend(encode_length(content.len()));
        octets.extend(content);
        octets
    }
}

fn encode_length(length: usize) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => vec![short],
        _ => {
            let octets: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
            let count = u8::try_from(octets.len()).unwrap_or(0);
            std::iter::once(0x80 | count).chain(octets).collect()
        }
    }
}

fn read(octets: &[u8], depth: usize) -> Result<(Element, &[u8]), Fault> {
    let (&tag, rest) = octets.split_first().ok_or_else(|| Fault::new("ends before an identifier octet"))?;
    if tag & 0x1f == 0x1f {
        return Err(Fault::new("a tag number above 30"));
    }
    let (length, rest) = read_length(rest)?;
    if length > rest.len() {
        return Err(Fault(format!("a length of {length} where {} octets are left", rest.len())));
    }
    let (content, rest) = rest.split_at(length);
    if tag & 0x20 == 0 {
        return Ok((Element::primitive(tag, content), rest));
    }
    let depth = depth.checked_sub(1).ok_or_else(|| Fault::new("nested too deeply"))?;
    let mut elements = Vec::new();
    let mut inner = content;
    while !inner.is_empty() {
        let (element, left) = read(inner, depth)?;
        elements.push(element);
        inner = left;
    }
    Ok((Element::constructed(tag, elements), rest))
}

/// X.690 §10.1: "The definite form of length encoding shall be used, encoded in the minimum number of octets."
fn read_length(octets: &[u8]) -> Result<(usize, &[u8]), Fault> {
    let (&first, rest) = octets.split_first().ok_or_else(|| Fault::new("ends before a length"))?;
    if first < 0x80 {
        return Ok((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 {
        return Err(Fault::new("a length in the indefinite form"));
    }
    if count > 4 || count > rest.len() {
        return Err(Fault::new("a length that cannot be right"));
    }
    let (digits, rest) = rest.split_at(count);
    let length = digits.iter().fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
    if length < 0x80 || digits.first() == Some(&0) {
        return Err(Fault(format!("a length of {length} in more octets than it needs")));
    }
    Ok((length, rest))
}

#[cfg(test)]
mod tests;
