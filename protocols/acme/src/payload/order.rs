//! Applying for a certificate (RFC 8555 §7.4).

use std::collections::HashSet;

use serde_json::Value;

use crate::base64url;
use crate::error::{IdentifierFault, RequestError};
use crate::identifier::{Identifier, IdentifierObject};
use crate::json::Members;
use crate::problem::ErrorType;

use super::object;

/// Most identifiers of an order.
pub const MAX_IDENTIFIERS: usize = 100;
/// Longest `notBefore` and `notAfter`, in octets.
pub const MAX_DATE: usize = 64;

/// newOrder, RFC 8555 §7.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// `identifiers`: 1 to [`MAX_IDENTIFIERS`], none of them twice, in the order that they came in.
    pub identifiers: Vec<Identifier>,
    /// `notBefore` as it was sent, to be a date of RFC 3339.
    pub not_before: Option<String>,
    /// `notAfter` as it was sent, to be a date of RFC 3339.
    pub not_after: Option<String>,
}

impl NewOrder {
    /// Reads the payload.
    ///
    /// # Errors
    /// [`RequestError::BadIdentifiers`] with each identifier that is not taken; [`RequestError::Malformed`], [`RequestError::Member`].
    pub fn parse(payload: &[u8]) -> Result<Self, RequestError> {
        let mut members = object(payload)?;
        let (not_before, not_after) = (date(&mut members, "notBefore")?, date(&mut members, "notAfter")?);
        Ok(Self { identifiers: identifiers(&mut members)?, not_before, not_after })
    }
}

/// A request to finalize an order, RFC 8555 §7.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finalize {
    /// `csr`: what should be the DER of a CSR.
    pub csr: Vec<u8>,
}

impl Finalize {
    /// Reads the payload.
    ///
    /// # Errors
    /// [`RequestError::BadCsr`] for what is no base64url; [`RequestError::Malformed`], [`RequestError::Member`].
    pub fn parse(payload: &[u8]) -> Result<Self, RequestError> {
        let csr = object(payload)?.string("csr")?;
        base64url::decode(&csr).map(|csr| Self { csr }).ok_or(RequestError::BadCsr)
    }
}

fn date(members: &mut Members, name: &'static str) -> Result<Option<String>, RequestError> {
    match members.optional_string(name)? {
        Some(date) if date.len() > MAX_DATE => Err(RequestError::Member { name, shape: "a date of RFC 3339" }),
        date => Ok(date),
    }
}

/// Reads `identifiers`: all of them, so that all faults are told at once.
fn identifiers(members: &mut Members) -> Result<Vec<Identifier>, RequestError> {
    let name = "identifiers";
    let values = members.optional_array(name)?.filter(|values| (1..=MAX_IDENTIFIERS).contains(&values.len()));
    let values = values.ok_or(RequestError::Member { name, shape: "an array of 1 to 100 identifiers" })?;
    let objects = values.into_iter().map(identifier_object).collect::<Result<Vec<_>, _>>()?;
    let (mut identifiers, mut faults, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for object in objects {
        match Identifier::parse(object.clone()) {
            Ok(identifier) if seen.insert(identifier.clone()) => identifiers.push(identifier),
            Ok(_) => {
                let detail = "the identifier is in the order more than once";
                faults.push(IdentifierFault { kind: ErrorType::Malformed, detail, identifier: object });
            }
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(identifiers) } else { Err(RequestError::BadIdentifiers(faults)) }
}

fn identifier_object(value: Value) -> Result<IdentifierObject, RequestError> {
    let mut members = Members::of(value, "identifiers")?;
    Ok(IdentifierObject { kind: members.string("type")?, value: members.string("value")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(json: &str) -> Result<NewOrder, RequestError> {
        NewOrder::parse(json.as_bytes())
    }

    #[test]
    fn the_request_of_rfc_8555() {
        let request = order(
            r#"{ "identifiers": [ { "type": "dns", "value": "www.example.org" }, { "type": "dns", "value": "example.org" } ],
                 "notBefore": "2016-01-01T00:04:00+04:00", "notAfter": "2016-01-08T00:04:00+04:00" }"#,
        )
        .unwrap();
        let values: Vec<String> = request.identifiers.iter().map(Identifier::value).collect();
        assert_eq!(values, ["www.example.org", "example.org"]);
        assert_eq!(request.not_before.as_deref(), Some("2016-01-01T00:04:00+04:00"));
        assert_eq!(request.not_after.as_deref(), Some("2016-01-08T00:04:00+04:00"));
    }

    #[test]
    fn each_bad_identifier_is_told() {
        let error = order(
            r#"{"identifiers":[{"type":"dns","value":"_example.org"},{"type":"dns","value":"A.example"},{"type":"dns","value":"a.example"},
                {"type":"ip","value":"::0001"},{"type":"dns","value":"*.a.example"}]}"#,
        )
        .unwrap_err();
        assert_eq!(error.kind(), ErrorType::Malformed);
        let RequestError::BadIdentifiers(faults) = error else { panic!("{error}") };
        let values: Vec<&str> = faults.iter().map(|fault| fault.identifier.value.as_str()).collect();
        assert_eq!(values, ["_example.org", "a.example", "::0001"]);
    }

    #[test]
    fn faults_of_several_types_are_compound() {
        let of = |list: &str| order(&format!(r#"{{"identifiers":[{list}]}}"#)).unwrap_err().kind();
        let (unknown, empty) = (r#"{"type":"email","value":"a@example.org"}"#, r#"{"type":"dns","value":""}"#);
        assert_eq!(of(unknown), ErrorType::UnsupportedIdentifier);
        assert_eq!(of(empty), ErrorType::Malformed);
        assert_eq!(of(&format!("{unknown},{empty}")), ErrorType::Compound);
    }

    #[test]
    fn what_is_no_order_is_malformed() {
        let list = |count: usize| {
            let names: Vec<String> =
                (0..count).map(|number| format!(r#"{{"type":"dns","value":"a{number}.example"}}"#)).collect();
            format!(r#"{{"identifiers":[{}]}}"#, names.join(","))
        };
        assert_eq!(order(&list(MAX_IDENTIFIERS)).unwrap().identifiers.len(), MAX_IDENTIFIERS);
        let dated = |date: &str| format!(r#"{{"identifiers":[{{"type":"dns","value":"a.example"}}],"notAfter":{date}}}"#);
        assert!(order(&dated("null")).is_ok());
        for wrong in [
            "{}".to_owned(),
            list(0),
            list(MAX_IDENTIFIERS + 1),
            dated("1"),
            dated(&format!("\"{}\"", "0".repeat(MAX_DATE + 1))),
            r#"{"identifiers":{"type":"dns","value":"a.example"}}"#.to_owned(),
            r#"{"identifiers":["a.example"]}"#.to_owned(),
            r#"{"identifiers":[{"type":"dns"}]}"#.to_owned(),
            r#"{"identifiers":[{"type":"dns","value":["a.example"]}]}"#.to_owned(),
            r#"{"identifiers":[{"type":null,"value":"a.example"}]}"#.to_owned(),
        ] {
            assert!(matches!(order(&wrong), Err(RequestError::Member { .. })), "{wrong}");
        }
    }

    #[test]
    fn a_csr_is_base64url() {
        assert_eq!(Finalize::parse(br#"{"csr":"MIIB-_8"}"#).unwrap().csr, [0x30, 0x82, 0x01, 0xfb, 0xff]);
        for (wrong, kind) in [
            (r#"{"csr":"MIIB-_8="}"#, ErrorType::BadCsr),
            (r#"{"csr":"MIIB+/8"}"#, ErrorType::BadCsr),
            (r#"{"csr":"-----BEGIN CERTIFICATE REQUEST-----"}"#, ErrorType::BadCsr),
            (r#"{"csr":null}"#, ErrorType::Malformed),
            (r#"{}"#, ErrorType::Malformed),
            ("", ErrorType::Malformed),
        ] {
            assert_eq!(Finalize::parse(wrong.as_bytes()).map_err(|error| error.kind()), Err(kind), "{wrong}");
        }
    }
}
