//! Objects as clients read them (RFC 8555 §7.1). What is absent is left out: clients fall over `null` and over empty arrays where they do not
//! look for any.

use certgate_pki::Timestamp;
use serde::{Serialize, Serializer};

use crate::contact::Contact;
use crate::identifier::Identifier;
use crate::key_authorization::Token;
use crate::problem::Problem;

/// The JSON of an object or a [`Problem`].
#[must_use]
pub fn to_json(object: &impl Serialize) -> Vec<u8> {
    // Members are strings, booleans, arrays and objects, which are never refused.
    serde_json::to_vec(object).unwrap_or_default()
}

/// The directory, RFC 8555 §7.1.1: URLs of what is served, and no others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    /// `newNonce`.
    pub new_nonce: String,
    /// `newAccount`.
    pub new_account: String,
    /// `newOrder`.
    pub new_order: String,
    /// `newAuthz`. Without pre-authorization, a server "MUST omit" it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_authz: Option<String>,
    /// `revokeCert`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoke_cert: Option<String>,
    /// `keyChange`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_change: Option<String>,
    /// `meta`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

/// `meta` of the directory, RFC 8555 §7.1.1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// `termsOfService`, a URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms_of_service: Option<String>,
    /// `website`, a URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// `caaIdentities`: host names by which CAA records mean this CA.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caa_identities: Vec<String>,
    /// `externalAccountRequired`; left out when false.
    #[serde(skip_serializing_if = "is_false")]
    pub external_account_required: bool,
}

/// `status` of an account, RFC 8555 §7.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountStatus {
    /// In use.
    Valid,
    /// Ended by the client.
    Deactivated,
    /// Ended by the server.
    Revoked,
}

/// An account, RFC 8555 §7.1.2. Nothing of a request is reflected that is not stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// `status`.
    pub status: AccountStatus,
    /// `contact`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contact: Vec<Contact>,
    /// `orders`: the URL of the list of its orders.
    pub orders: String,
}

/// The list of an account's orders, RFC 8555 §7.1.2.1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Orders {
    /// `orders`: URLs; there, even if there are none.
    pub orders: Vec<String>,
}

/// `status` of an order, RFC 8555 §7.1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderStatus {
    /// Authorizations are missing.
    Pending,
    /// It may be finalized.
    Ready,
    /// The certificate is being issued.
    Processing,
    /// The certificate is issued.
    Valid,
    /// There will be no certificate.
    Invalid,
}

/// An order, RFC 8555 §7.1.3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// `status`.
    pub status: OrderStatus,
    /// `expires`, "REQUIRED for objects with "pending" or "valid" in the status field".
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "rfc_3339")]
    pub expires: Option<Timestamp>,
    /// `identifiers`, which never change.
    pub identifiers: Vec<Identifier>,
    /// `notBefore` as it was requested, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// `notAfter` as it was requested, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
    /// `error`: why there will be no certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// `authorizations`: URLs, which never change.
    pub authorizations: Vec<String>,
    /// `finalize`: a URL.
    pub finalize: String,
    /// `certificate`: its URL, of a valid order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// `status` of an authorization, RFC 8555 §7.1.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthorizationStatus {
    /// No challenge is fulfilled.
    Pending,
    /// A challenge is fulfilled.
    Valid,
    /// A challenge has failed.
    Invalid,
    /// Ended by the client.
    Deactivated,
    /// Ended by time.
    Expired,
    /// Ended by the server.
    Revoked,
}

/// An authorization, RFC 8555 §7.1.4.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Authorization {
    /// `identifier`, without the `*.` of a wildcard: see [`Identifier::authorized`].
    pub identifier: Identifier,
    /// `status`.
    pub status: AuthorizationStatus,
    /// `expires`, "REQUIRED for objects with "valid" in the "status" field".
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "rfc_3339")]
    pub expires: Option<Timestamp>,
    /// `challenges`.
    pub challenges: Vec<Challenge>,
    /// `wildcard`: "MUST be present and true" for a wildcard domain name; "For other authorizations, it MUST be absent."
    #[serde(skip_serializing_if = "is_false")]
    pub wildcard: bool,
}

/// How control of an identifier is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum ChallengeType {
    /// RFC 8555 §8.3.
    #[serde(rename = "http-01")]
    Http01,
    /// RFC 8555 §8.4.
    #[serde(rename = "dns-01")]
    Dns01,
    /// RFC 8737 §3.
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
}

/// `status` of a challenge, RFC 8555 §8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChallengeStatus {
    /// The client has not answered.
    Pending,
    /// It is being validated.
    Processing,
    /// Fulfilled.
    Valid,
    /// Failed.
    Invalid,
}

/// A challenge, RFC 8555 §8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Challenge {
    /// `type`.
    #[serde(rename = "type")]
    pub kind: ChallengeType,
    /// `url`.
    pub url: String,
    /// `status`.
    pub status: ChallengeStatus,
    /// `token`.
    pub token: Token,
    /// `validated`, "REQUIRED if the "status" field is "valid"".
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "rfc_3339")]
    pub validated: Option<Timestamp>,
    /// `error` of the validation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A date of RFC 3339 in UTC, whole seconds.
fn rfc_3339<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_none(),
    }
}
