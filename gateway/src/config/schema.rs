//! The configuration file as a JSON Schema, made from the types that read it.

use std::borrow::Cow;

use certgate_pki::NameAttributeType;
use certgate_policy::AllowedKey;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::authority::{KeyName, Subject};
use super::profile::{Attribute, Eku};
use super::tls::{HostName, Place};
use super::{File, Network, Period, PublicUrl, SecretSource};

/// What a configuration file may say: JSON Schema, draft 2020-12, of the file's TOML as JSON. No key that it does not have is taken.
#[must_use]
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.with_transform(RecursiveTransform(as_toml)).into_generator().into_root_schema_for::<File>();
    schema.insert("title".to_owned(), "certgate.toml".into());
    schema.to_value()
}

/// TOML has no null: a key that may be absent is just not required. Formats of Rust's numbers say nothing to others.
fn as_toml(schema: &mut Schema) {
    let null = Value::from("null");
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| *name != null);
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = schema.remove("anyOf") {
        let mut choices: Vec<Value> = choices.into_iter().filter(|one| one.get("type") != Some(&null)).collect();
        match choices.pop() {
            Some(Value::Object(only)) if choices.is_empty() => {
                for (key, value) in only {
                    // What the key says of itself counts more than what its type says.
                    if schema.get(&key).is_none() {
                        schema.insert(key, value);
                    }
                }
            }
            last => {
                choices.extend(last);
                schema.insert("anyOf".to_owned(), choices.into());
            }
        }
    }
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
    let is_number = schema.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint"));
    if is_number {
        schema.remove("format");
    }
}

/// An address and a port, as text.
pub(super) struct Address;

/// A text of a type of our own: its form, for programs, and how it looks, for people.
macro_rules! texts {
    ($($type:ident: $schema:expr;)+) => {$(
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+};
}

texts! {
    Address: json_schema!({ "type": "string", "pattern": r"^(\d+\.\d+\.\d+\.\d+|\[[0-9A-Fa-f:.%]+\]):\d+$",
        "examples": ["127.0.0.1:8443", "[::1]:8443", "0.0.0.0:443"] });
    Period: json_schema!({ "type": "string", "pattern": "^0*[1-9][0-9]*(ms|s|m|h|d)$", "examples": ["90d", "12h", "5m", "30s", "250ms"] });
    KeyName: json_schema!({ "type": "string", "enum": AllowedKey::ALL.map(AllowedKey::name) });
    PublicUrl: json_schema!({ "type": "string", "pattern": "^https?://[^@?#]+$", "examples": ["http://pki.example.com:8080"] });
    Subject: json_schema!({ "type": "string", "pattern": "=", "examples": ["CN=Example Root CA,O=Example"] });
    HostName: json_schema!({ "type": "string", "minLength": 1, "examples": ["pki.example.com", "192.0.2.7"] });
    Place: json_schema!({ "type": "string", "minLength": 1, "examples": ["/etc/certgate/server.pem", "env:CERTGATE_TLS_CERT"] });
    Network: json_schema!({ "type": "string", "pattern": "^[0-9A-Fa-f:.]+(/[0-9]+)?$", "examples": ["10.0.0.0/8", "fd00::/8"] });
    SecretSource: json_schema!({ "type": "string", "pattern": "^(env:[^=]+|file:.+|prompt)$",
        "examples": ["env:CERTGATE_PASSPHRASE", "file:/run/secrets/ca-passphrase", "prompt"] });
    Attribute: json_schema!({ "type": "string", "enum": copied_attributes() });
    Eku: json_schema!({ "type": "string", "pattern": r"^([A-Za-z]+|\d+(\.\d+)+)$",
        "examples": ["serverAuth", "clientAuth", "codeSigning", "emailProtection", "timeStamping", "1.3.6.1.4.1.311.20.2.2"] });
}

/// CN is never copied: a credential authorizes it.
fn copied_attributes() -> Vec<String> {
    let known = NameAttributeType::KNOWN.into_iter().filter(|kind| *kind != NameAttributeType::CommonName);
    known.map(|kind| kind.to_string()).collect()
}

/// Values that are more than text are written as the file has them, for the defaults that the schema tells.
macro_rules! written {
    ($($type:ident: $text:expr;)+) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let text: fn(&Self) -> String = $text;
                serializer.serialize_str(&text(self))
            }
        }
    )+};
}

written! {
    Period: Self::to_string;
    KeyName: |key| key.0.name();
    HostName: |name| name.0.to_string();
    Place: Self::to_configured;
    Network: |network| network.0.to_string();
    Attribute: |attribute| attribute.0.to_string();
    Eku: |eku| eku.0.to_string();
}

#[cfg(test)]
mod tests;
