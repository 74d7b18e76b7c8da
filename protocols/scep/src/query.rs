//! `?operation=OPERATION[&message=MESSAGE]` (RFC 8894 §4.1), read from the query as it was sent: clients disagree about what has to be
//! escaped in it.

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::message::MAX_MESSAGE;

/// The operations that are known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// RFC 8894 §3.5.
    GetCaCaps,
    /// RFC 8894 §4.2.
    GetCaCert,
    /// RFC 8894 §4.3 and on.
    PkiOperation,
}

impl Operation {
    const ALL: [(Self, &'static str); 3] =
        [(Self::GetCaCaps, "GetCACaps"), (Self::GetCaCert, "GetCACert"), (Self::PkiOperation, "PKIOperation")];

    /// Letter case does not matter: some clients write it in lower case.
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(operation, _)| operation)
    }
}

/// A query of SCEP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'q> {
    /// What is asked; `None` when the query does not say, as in some POSTs.
    pub operation: Option<Operation>,
    /// The message as it stands in the query: see [`decode_message`].
    pub message: Option<&'q str>,
}

/// The query is none of SCEP's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuery {
    /// An operation that is not served.
    #[error("operation is GetCACaps, GetCACert or PKIOperation (RFC 8894 §4.1)")]
    UnknownOperation,
    /// The message is no base64.
    #[error("message is not base64 (RFC 8894 §4.1)")]
    NotBase64,
    /// The message is too long.
    #[error("message is longer than {MAX_MESSAGE} octets")]
    TooLong,
}

impl<'q> Query<'q> {
    /// Reads the part of a URL that follows `?`. Parameters that are not known are passed over.
    ///
    /// # Errors
    /// [`InvalidQuery::UnknownOperation`].
    pub fn parse(query: &'q str) -> Result<Self, InvalidQuery> {
        let (mut operation, mut message) = (None, None);
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if name.eq_ignore_ascii_case("operation") && operation.is_none() {
                operation = Some(Operation::parse(value).ok_or(InvalidQuery::UnknownOperation)?);
            } else if name.eq_ignore_ascii_case("message") && message.is_none() {
                message = Some(value);
            }
        }
        Ok(Self { operation, message })
    }
}

/// The octets of a message in a query: base64 of either alphabet, with or without padding, with or without percent-encoding, with white
/// space anywhere. A space is a `+` that was decoded on its way.
///
/// # Errors
/// [`InvalidQuery::NotBase64`], [`InvalidQuery::TooLong`].
pub fn decode_message(text: &str) -> Result<Vec<u8>, InvalidQuery> {
    // Three characters for each of four that stand for three octets.
    if text.len() > MAX_MESSAGE * 4 {
        return Err(InvalidQuery::TooLong);
    }
    let mut characters = Vec::with_capacity(text.len());
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        let octet = match octet {
            b'%' => escaped(octets.next(), octets.next()).ok_or(InvalidQuery::NotBase64)?,
            other => other,
        };
        match octet {
            b'\r' | b'\n' | b'\t' => {}
            b' ' | b'+' => characters.push(b'-'),
            b'/' => characters.push(b'_'),
            other => characters.push(other),
        }
    }
    while characters.last() == Some(&b'=') {
        characters.pop();
    }
    let text = std::str::from_utf8(&characters).map_err(|_| InvalidQuery::NotBase64)?;
    let message = Base64UrlUnpadded::decode_vec(text).map_err(|_| InvalidQuery::NotBase64)?;
    if message.len() > MAX_MESSAGE { Err(InvalidQuery::TooLong) } else { Ok(message) }
}

fn escaped(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |octet: Option<u8>| char::from(octet?).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        for (text, operation, message) in [
            ("operation=GetCACaps", Some(Operation::GetCaCaps), None),
            ("operation=getcacert&message=0", Some(Operation::GetCaCert), Some("0")),
            ("message=MII%2B&operation=PKIOperation&x", Some(Operation::PkiOperation), Some("MII%2B")),
            ("operation=PKIOperation&message=a==", Some(Operation::PkiOperation), Some("a==")),
            ("", None, None),
            ("operation=GetCACert&operation=PKIOperation", Some(Operation::GetCaCert), None),
        ] {
            assert_eq!(Query::parse(text), Ok(Query { operation, message }), "{text}");
        }
        for wrong in ["operation=", "operation", "operation=GetNextCACert", "operation=GetCACaps%00"] {
            assert_eq!(Query::parse(wrong), Err(InvalidQuery::UnknownOperation), "{wrong}");
        }
    }

    /// Named after who sends it so.
    #[test]
    fn messages() {
        let octets = [0xfb, 0xef, 0xff, 0x01];
        for (client, text) in [
            ("RFC 8894", "%2B%2B%2F%2FAQ%3D%3D"),
            ("macOS", "++//AQ%3D%3D"),
            ("Cisco", "%2B%2B//%0AAQ==%0A"),
            ("a proxy that decoded", "  //AQ=="),
            ("a proxy that decoded and encoded", "%20%20//AQ=="),
            ("the other alphabet", "--__AQ"),
        ] {
            assert_eq!(decode_message(text).as_deref(), Ok(&octets[..]), "{client}");
        }
        for wrong in ["A", "!AAA", "AA%3", "AA%zz", "ä", "AA=A", "AB"] {
            assert_eq!(decode_message(wrong), Err(InvalidQuery::NotBase64), "{wrong}");
        }
        assert_eq!(decode_message(&"A".repeat(4 * MAX_MESSAGE + 1)), Err(InvalidQuery::TooLong));
        assert_eq!(decode_message(&"A".repeat(MAX_MESSAGE / 3 * 4 + 4)), Err(InvalidQuery::TooLong));
    }
}
