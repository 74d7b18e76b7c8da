//! Making and changing accounts (RFC 8555 §7.3).

use serde_json::Value;

use crate::contact::Contact;
use crate::error::RequestError;
use crate::json::Members;

use super::object;

/// Most contacts of an account.
pub const MAX_CONTACTS: usize = 10;

/// newAccount, RFC 8555 §7.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    /// `termsOfServiceAgreed`.
    pub terms_of_service_agreed: bool,
    /// `onlyReturnExisting`: "the server MUST NOT create a new account if one does not already exist".
    pub only_return_existing: bool,
    /// `contact`, or what is wrong with it: of no matter where the account exists, since "any fields in the request object MUST be ignored"
    /// then (§7.3.1).
    pub contact: Result<Vec<Contact>, RequestError>,
    /// `externalAccountBinding`, an object as it was sent: a JWS (§7.3.4).
    pub external_account_binding: Option<Value>,
}

impl NewAccount {
    /// Reads the payload.
    ///
    /// # Errors
    /// [`RequestError::Malformed`], [`RequestError::Member`].
    pub fn parse(payload: &[u8]) -> Result<Self, RequestError> {
        let mut members = object(payload)?;
        let name = "externalAccountBinding";
        let external_account_binding = members.optional(name);
        if external_account_binding.as_ref().is_some_and(|binding| !binding.is_object()) {
            return Err(RequestError::Member { name, shape: "an object" });
        }
        let (contact, fault) = match contacts(&mut members) {
            Ok(contact) => (contact, None),
            Err(fault @ RequestError::Member { .. }) => return Err(fault),
            Err(fault) => (None, Some(fault)),
        };
        Ok(Self {
            terms_of_service_agreed: members.flag("termsOfServiceAgreed")?,
            only_return_existing: members.flag("onlyReturnExisting")?,
            contact: fault.map_or_else(|| Ok(contact.unwrap_or_default()), Err),
            external_account_binding,
        })
    }
}

/// A change of an account, RFC 8555 §7.3.2 and §7.3.6. Whatever else it says is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountUpdate {
    /// `contact`, in place of what was there; none where it stays as it is.
    pub contact: Option<Vec<Contact>>,
    /// `status` is `deactivated`. Any other status is ignored (§7.3.2).
    pub deactivated: bool,
}

impl AccountUpdate {
    /// Reads the payload.
    ///
    /// # Errors
    /// [`RequestError::Malformed`], [`RequestError::Member`]; [`RequestError::UnsupportedContact`], [`RequestError::InvalidContact`].
    pub fn parse(payload: &[u8]) -> Result<Self, RequestError> {
        let mut members = object(payload)?;
        let status = members.optional_string("status")?;
        Ok(Self { contact: contacts(&mut members)?, deactivated: status.is_some_and(|status| status == "deactivated") })
    }
}

/// Reads `contact`.
fn contacts(members: &mut Members) -> Result<Option<Vec<Contact>>, RequestError> {
    let name = "contact";
    let wrong = RequestError::Member { name, shape: "an array of at most 10 strings" };
    let Some(values) = members.optional_array(name)? else { return Ok(None) };
    if values.len() > MAX_CONTACTS || !values.iter().all(Value::is_string) {
        return Err(wrong);
    }
    values.iter().filter_map(Value::as_str).map(Contact::parse).collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_of_rfc_8555() {
        let payload =
            br#"{ "termsOfServiceAgreed": true, "contact": [ "mailto:cert-admin@example.org", "mailto:admin@example.org" ] }"#;
        let request = NewAccount::parse(payload).unwrap();
        assert!(request.terms_of_service_agreed && !request.only_return_existing);
        let contact = request.contact.unwrap();
        let contact: Vec<&str> = contact.iter().map(Contact::as_str).collect();
        assert_eq!(contact, ["mailto:cert-admin@example.org", "mailto:admin@example.org"]);
        assert_eq!(request.external_account_binding, None);
    }

    #[test]
    fn what_is_absent_is_not_agreed_to() {
        for empty in
            [&b"{}"[..], br#"{"contact":null,"termsOfServiceAgreed":null,"externalAccountBinding":null}"#, br#"{"x":[{}]}"#]
        {
            let request = NewAccount::parse(empty).unwrap();
            assert!(!request.terms_of_service_agreed && !request.only_return_existing);
            assert_eq!((request.contact, request.external_account_binding), (Ok(Vec::new()), None));
        }
    }

    #[test]
    fn bad_contacts_are_told_but_do_not_spoil_the_request() {
        let request = NewAccount::parse(br#"{"onlyReturnExisting":true,"contact":["mailto:a@example.org","tel:1"]}"#).unwrap();
        assert_eq!((request.only_return_existing, request.contact), (true, Err(RequestError::UnsupportedContact)));
        let request = NewAccount::parse(br#"{"contact":["mailto:"]}"#).unwrap();
        assert!(matches!(request.contact, Err(RequestError::InvalidContact(_))));
    }

    #[test]
    fn what_is_of_the_wrong_type_is_malformed() {
        let eleven = format!(r#"{{"contact":[{}"mailto:a@example.org"]}}"#, r#""mailto:a@example.org","#.repeat(10));
        for wrong in [
            "",
            "[]",
            r#"{"termsOfServiceAgreed":"true"}"#,
            r#"{"onlyReturnExisting":1}"#,
            r#"{"contact":"mailto:a@example.org"}"#,
            r#"{"contact":[null]}"#,
            r#"{"contact":["mailto:",1]}"#,
            r#"{"externalAccountBinding":"e30"}"#,
            r#"{"contact":[],"contact":[]}"#,
            &eleven,
        ] {
            let error = NewAccount::parse(wrong.as_bytes()).unwrap_err();
            assert!(matches!(error, RequestError::Malformed(_) | RequestError::Member { .. }), "{wrong}: {error}");
        }
    }

    #[test]
    fn updates_change_contacts_and_deactivate_and_nothing_else() {
        let update = |json: &str| AccountUpdate::parse(json.as_bytes());
        assert_eq!(update(r#"{"status":"deactivated"}"#), Ok(AccountUpdate { contact: None, deactivated: true }));
        let ignored = r#"{"status":"revoked","orders":"https://x.example/","termsOfServiceAgreed":7,"contact":[]}"#;
        assert_eq!(update(ignored), Ok(AccountUpdate { contact: Some(Vec::new()), deactivated: false }));
        assert_eq!(update(r#"{"contact":["tel:1"]}"#), Err(RequestError::UnsupportedContact));
        assert!(update(r#"{"status":1}"#).is_err());
    }
}
