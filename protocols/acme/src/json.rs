//! JSON as requests have it: one object, bounded in depth, without duplicate members.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::RequestError;

/// Deepest nesting of objects and arrays.
pub const MAX_DEPTH: usize = 16;

/// The members of an object, to be taken out one by one. Those that nobody takes are ignored.
#[derive(Debug)]
pub(crate) struct Members(Map<String, Value>);

impl Members {
    /// Reads one object and nothing else; `fault` is what to say when it is none.
    ///
    /// RFC 8259 §4 leaves open what duplicate names mean: they are refused, so that nobody else reads a request in another way.
    pub(crate) fn parse(json: &[u8], fault: &'static str) -> Result<Self, RequestError> {
        let malformed = |_| RequestError::Malformed(fault);
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let value = Strict { depth: MAX_DEPTH }.deserialize(&mut deserializer).map_err(malformed)?;
        deserializer.end().map_err(malformed)?;
        match value {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(RequestError::Malformed(fault)),
        }
    }

    /// The members of a value that has to be an object.
    pub(crate) fn of(value: Value, name: &'static str) -> Result<Self, RequestError> {
        match value {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(RequestError::Member { name, shape: "an object" }),
        }
    }

    /// Is there one of this name, `null` or not?
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Any value but `null`: libraries write it for what is absent.
    pub(crate) fn optional(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// A string that may be absent.
    pub(crate) fn optional_string(&mut self, name: &'static str) -> Result<Option<String>, RequestError> {
        self.optional(name).map(|value| string(value, name)).transpose()
    }

    /// A string that must be there.
    pub(crate) fn string(&mut self, name: &'static str) -> Result<String, RequestError> {
        string(self.0.remove(name).unwrap_or_default(), name)
    }

    /// An object that must be there.
    pub(crate) fn object(&mut self, name: &'static str) -> Result<Self, RequestError> {
        Self::of(self.0.remove(name).unwrap_or_default(), name)
    }

    /// A boolean; `false` when it is absent.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<bool, RequestError> {
        match self.optional(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(RequestError::Member { name, shape: "a boolean" }),
        }
    }

    /// An array that may be absent.
    pub(crate) fn optional_array(&mut self, name: &'static str) -> Result<Option<Vec<Value>>, RequestError> {
        match self.optional(name) {
            None => Ok(None),
            Some(Value::Array(values)) => Ok(Some(values)),
            Some(_) => Err(RequestError::Member { name, shape: "an array" }),
        }
    }
}

/// A value that has to be a string.
fn string(value: Value, name: &'static str) -> Result<String, RequestError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(RequestError::Member { name, shape: "a string" }),
    }
}

/// Reads a value of so much depth at most, without duplicate members anywhere in it.
struct Strict {
    depth: usize,
}

impl Strict {
    fn nested<E: Error>(&self) -> Result<usize, E> {
        self.depth.checked_sub(1).ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let depth = self.nested()?;
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(Self { depth })? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let depth = self.nested()?;
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if map.insert(name, members.next_value_seed(Self { depth })?).is_some() {
                return Err(A::Error::custom("a duplicate member"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Members, RequestError> {
        Members::parse(json.as_bytes(), "no object")
    }

    #[test]
    fn reads_what_serde_json_reads() {
        let json = r#" {"a":[1,-2,3.5,true,null,"x\u0041"],"b":{"c":{}},"d":""} "#;
        assert_eq!(Value::Object(parse(json).unwrap().0), serde_json::from_str::<Value>(json).unwrap());
    }

    #[test]
    fn what_is_no_object_without_duplicates() {
        for wrong in [
            "",
            "[]",
            "\"a\"",
            "null",
            "{",
            "{}{}",
            "{} x",
            r#"{"a":1,"a":1}"#,
            r#"{"b":{"a":1,"\u0061":2}}"#,
            "{\"a\":1e999}",
            "{'a':1}",
        ] {
            assert_eq!(parse(wrong).unwrap_err(), RequestError::Malformed("no object"), "{wrong}");
        }
        assert!(Members::parse(b"{\"a\":\"\xff\"}", "").is_err());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert!(parse(&nested(MAX_DEPTH + 1)).is_err());
        assert!(parse(&nested(30_000)).is_err());
    }
}
