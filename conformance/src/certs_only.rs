//! The certs-only CMC Simple PKI Response (RFC 5272 §4.1), read strictly: RFC 7030 §4.1.3 and §4.2.3 answer with it.

use base64ct::{Base64, Encoding};

use crate::{
    asn1::{Element, Fault, tag},
    certificate::Certificate,
};

const ID_SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const ID_DATA: &str = "1.2.840.113549.1.7.1";

/// Decodes an answer's body: RFC 4648 §4 base64, in lines or not (RFC 8951 §3).
///
/// # Errors
/// Other characters than the alphabet and line ends, wrong padding, or nothing at all.
pub fn decode_base64(body: &[u8]) -> Result<Vec<u8>, Fault> {
    let text = std::str::from_utf8(body).map_err(|_| Fault::new("base64: not text"))?;
    let joined: String = text.chars().filter(|character| !matches!(character, '\r' | '\n')).collect();
    if joined.is_empty() {
        return Err(Fault::new("base64: empty"));
    }
    Base64::decode_vec(&joined).map_err(|error| Fault(format!("base64: {error}")))
}

/// The certificates of a base64 certs-only answer.
///
/// # Errors
/// The first departure from DER, RFC 5652 §5.1 or RFC 5272 §4.1.
pub fn decode(body: &[u8]) -> Result<Vec<Certificate>, Fault> {
    let message = Element::parse(&decode_base64(body)?)?;
    certificate_set(&message)?.iter().map(Certificate::from_element).collect()
}

/// The `certificates` of a certs-only `ContentInfo`.
///
/// # Errors
/// As [`decode`].
pub fn certificate_set(message: &Element) -> Result<&[Element], Fault> {
    let [kind, content] = message.elements() else { return Err(Fault::new("ContentInfo is a SEQUENCE of two")) };
    if kind.oid().is_none_or(|oid| oid.to_string() != ID_SIGNED_DATA) {
        return Err(Fault::new("contentType is not id-signedData"));
    }
    let [signed_data] = content.expect_tag(tag::context(0), "content")?.elements() else {
        return Err(Fault::new("content [0] holds one SignedData"));
    };
    let [version, digests, encapsulated, optional @ .., signers] = signed_data.elements() else {
        return Err(Fault::new("SignedData without all its fields"));
    };
    // RFC 5652 §5.1, certificates of no special type and id-data: "ELSE version MUST be 1".
    if version.octets() != [1] {
        return Err(Fault::new("SignedData version is not 1"));
    }
    digests.expect_tag(tag::SET, "digestAlgorithms")?;
    check_encapsulated(encapsulated)?;
    // RFC 5272 §4.1: "The Simple PKI Response consists of a SignedData with no EncapsulatedContentInfo and no SignerInfo."
    if !signers.expect_tag(tag::SET, "signerInfos")?.elements().is_empty() {
        return Err(Fault::new("a certs-only message has a SignerInfo"));
    }
    let certificates = match optional {
        [certificates] => certificates,
        [certificates, crls] if crls.tag == tag::context(1) => certificates,
        _ => return Err(Fault::new("SignedData without certificates")),
    };
    let set = certificates.expect_tag(tag::context(0), "certificates")?.elements();
    // X.690 §11.6, which an IMPLICIT tag hides from a reader that knows no types.
    if !set.iter().map(Element::encode).is_sorted() {
        return Err(Fault::new("certificates: a SET OF that is not in ascending order"));
    }
    Ok(set)
}

/// RFC 5652 §5.2, with no signers: the content type "MUST be id-data (as defined in Section 4), and the content field of the
/// EncapsulatedContentInfo value MUST be omitted."
fn check_encapsulated(encapsulated: &Element) -> Result<(), Fault> {
    match encapsulated.elements() {
        [kind] if kind.oid().is_some_and(|oid| oid.to_string() == ID_DATA) => Ok(()),
        [_] => Err(Fault::new("eContentType is not id-data")),
        _ => Err(Fault::new("a certs-only message has an eContent")),
    }
}
