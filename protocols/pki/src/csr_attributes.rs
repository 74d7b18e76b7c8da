//! The attributes of a PKCS#10 request (RFC 2986 §4.1) that certgate judges.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::ID_EXTENSION_REQ;
use zeroize::Zeroizing;

use crate::asn1::{Tlv, tag};
use crate::limits::{MAX_CHALLENGE_PASSWORD, MAX_CSR_ATTRIBUTES};
use crate::name::read_string;
use crate::{CsrError, Extensions, GeneralName, Name, RequestedExtensions};

/// challengePassword, RFC 2985 §5.4.1.
const CHALLENGE_PASSWORD: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.7");
/// id-cmc-changeSubjectName, RFC 6402 §2.8.
const CHANGE_SUBJECT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.7.36");

/// What is read of a request's attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CsrAttributes {
    pub(crate) requested: RequestedExtensions,
    pub(crate) challenge_password: Option<Secret>,
    pub(crate) change_subject_name: Option<ChangeSubjectName>,
    /// Every attribute but the challengePassword, DER.
    others: Vec<Vec<u8>>,
}

impl CsrAttributes {
    /// Every attribute but the challengePassword, DER.
    pub(crate) fn others(&self) -> impl Iterator<Item = &[u8]> {
        self.others.iter().map(Vec::as_slice)
    }
}

/// A password: not for logs, zeroized when dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Zeroizing<String>);

impl std::ops::Deref for Secret {
    type Target = String;

    fn deref(&self) -> &String {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The names that a re-enrolling requester wants instead of its old ones.
///
/// ```text
/// ChangeSubjectName ::= SEQUENCE {                                     RFC 6402 §2.8
///     subject     Name OPTIONAL,
///     subjectAlt  [1] SubjectAltName OPTIONAL }                        tagged by erratum 3943; one of both is there
/// ```
///
/// The form without the tag is read too: what starts with a SET is a Name, anything else are GeneralNames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSubjectName {
    /// Another subject; `None` keeps the old one.
    pub subject: Option<Name>,
    /// Other alternative names; `None` keeps the old ones.
    pub subject_alt_names: Option<Vec<GeneralName>>,
}

impl ChangeSubjectName {
    fn read(value: Tlv<'_>) -> der::Result<Self> {
        let mut reader = value.contents()?;
        let mut change = Self { subject: None, subject_alt_names: None };
        while !reader.is_finished() {
            let field = reader.any()?;
            let is_name = field.tag == tag::SEQUENCE && matches!(field.contents()?.peek(), None | Some(tag::SET));
            if is_name && change.subject.is_none() && change.subject_alt_names.is_none() {
                change.subject = Some(Name::read(field)?);
            } else if !is_name && change.subject_alt_names.is_none() {
                change.subject_alt_names = Some(read_alternatives(field)?);
            } else {
                return Err(der::ErrorKind::Failed.into());
            }
        }
        let is_empty = change.subject.is_none() && change.subject_alt_names.is_none();
        if value.tag != tag::SEQUENCE || is_empty { Err(der::ErrorKind::Failed.into()) } else { Ok(change) }
    }
}

/// GeneralNames as a SEQUENCE, or under `[1]`, IMPLICIT or EXPLICIT.
fn read_alternatives(field: Tlv<'_>) -> der::Result<Vec<GeneralName>> {
    match (field.tag, field.contents()?.peek()) {
        (tag::SEQUENCE, _) => GeneralName::read_contents(field.value),
        (tag, Some(tag::SEQUENCE)) if tag == tag::context_constructed(1) => GeneralName::read_sequence(field.value),
        (tag, _) if tag == tag::context_constructed(1) => GeneralName::read_contents(field.value),
        _ => Err(der::ErrorKind::Failed.into()),
    }
}

/// Reads `[0] IMPLICIT SET OF Attribute`.
pub(crate) fn read_attributes(attributes: Tlv<'_>) -> Result<CsrAttributes, CsrError> {
    let malformed = |part: &'static str| move |_: der::Error| CsrError::Malformed(part);
    let mut reader = attributes.contents().map_err(malformed("attributes"))?;
    let mut seen: Vec<ObjectIdentifier> = Vec::new();
    let mut read = CsrAttributes::default();
    while !reader.is_finished() {
        let attribute = reader.expect(tag::SEQUENCE).map_err(malformed("attributes"))?;
        let (oid, values) = split(attribute).map_err(malformed("attributes"))?;
        // RFC 2986 §4.1: an attribute type occurs once; two extension requests would let the reader choose.
        if seen.len() == MAX_CSR_ATTRIBUTES || seen.contains(&oid) {
            return Err(CsrError::Malformed("attributes"));
        }
        seen.push(oid);
        match oid {
            ID_EXTENSION_REQ => {
                let extensions = Extensions::from_der(values.value).map_err(malformed("attributes"))?;
                read.requested = RequestedExtensions::read(&extensions).map_err(malformed("a requested extension"))?;
            }
            CHALLENGE_PASSWORD => {
                read.challenge_password = Some(read_challenge(values).map_err(malformed("challengePassword"))?);
                continue;
            }
            CHANGE_SUBJECT_NAME => {
                let change = Tlv::only(values.value).and_then(ChangeSubjectName::read);
                read.change_subject_name = Some(change.map_err(malformed("ChangeSubjectName"))?);
            }
            _ => {}
        }
        read.others.push(attribute.raw.to_vec());
    }
    Ok(read)
}

/// `Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET }` (RFC 2986 §4.1).
fn split(attribute: Tlv<'_>) -> der::Result<(ObjectIdentifier, Tlv<'_>)> {
    let mut fields = attribute.contents()?;
    let oid = fields.expect(tag::OID)?.oid()?;
    let values = fields.expect(tag::SET)?;
    fields.finish().map(|()| (oid, values))
}

/// RFC 2985 §5.4.1: a DirectoryString, SINGLE VALUE TRUE; living clients send IA5String too.
fn read_challenge(values: Tlv<'_>) -> der::Result<Secret> {
    let value = Tlv::only(values.value)?;
    if value.value.len() > MAX_CHALLENGE_PASSWORD {
        return Err(der::ErrorKind::Overlength.into());
    }
    read_string(value).map(|text| Secret(Zeroizing::new(text)))
}
