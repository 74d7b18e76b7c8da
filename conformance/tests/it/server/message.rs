//! What the server answers with, built on the types of `cms`.

use base64ct::{Base64, Encoding};
use certgate_conformance::{
    asn1::{Element, tag},
    csr::CHALLENGE_PASSWORD,
    http::Response,
};
use cms::{
    cert::CertificateChoices,
    content_info::{CmsVersion, ContentInfo},
    signed_data::{CertificateSet, EncapsulatedContentInfo, SignedData, SignerInfos},
};
use const_oid::ObjectIdentifier;
use der::{Any, Decode, Encode, asn1::SetOfVec};
use x509_cert::Certificate;

/// The curve that the endpoint `demanding` demands.
pub(crate) const DEMANDED_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
/// `id-ecPublicKey` (RFC 5480 §2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

pub(super) fn refusal(status: u16, words: &str) -> Response {
    let fields = vec![("Content-Type".into(), "text/plain; charset=utf-8".into())];
    Response { status, fields, content: words.as_bytes().to_vec(), ..Response::default() }
}

pub(super) fn method_not_allowed(allowed: &str) -> Response {
    let mut response = refusal(405, "another method, please");
    response.fields.push(("Allow".into(), allowed.into()));
    response
}

/// One certificate by itself (RFC 2585 §4.1).
pub(super) fn certificate(certificate: &Certificate) -> Response {
    let fields = vec![("Content-Type".into(), "application/pkix-cert".into())];
    Response { status: 200, fields, content: certificate.to_der().expect("DER"), ..Response::default() }
}

pub(super) fn unauthorized() -> Response {
    let mut response = refusal(401, "name and password, please");
    response.fields.push(("WWW-Authenticate".into(), "Basic realm=\"est\"".into()));
    response
}

pub(super) fn accepted() -> Response {
    let mut response = refusal(202, "somebody has to look at it first");
    response.fields.push(("Retry-After".into(), "1".into()));
    response
}

/// The csrattrs of the endpoint `demanding` (RFC 8951 §4).
pub(super) fn demands() -> Response {
    let curve = Element::constructed(tag::SET, vec![Element::object_identifier(DEMANDED_CURVE)]);
    let attribute = Element::sequence(vec![Element::object_identifier(EC_PUBLIC_KEY), curve]);
    let list = Element::sequence(vec![Element::object_identifier(CHALLENGE_PASSWORD), attribute]);
    let fields = vec![("Content-Type".into(), "application/csrattrs".into())];
    Response { status: 200, fields, content: Base64::encode_string(&list.encode()).into_bytes(), ..Response::default() }
}

pub(super) fn issued(certificate: &Certificate) -> Response {
    let mut response = certs_only(&[certificate]);
    response.fields = vec![("Content-Type".into(), "application/pkcs7-mime; smime-type=certs-only".into())];
    response
}

pub(super) fn certs_only(certificates: &[&Certificate]) -> Response {
    let choices: Vec<CertificateChoices> =
        certificates.iter().map(|certificate| CertificateChoices::Certificate((*certificate).clone())).collect();
    let signed_data = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::default(),
        encap_content_info: EncapsulatedContentInfo { econtent_type: const_oid::db::rfc5911::ID_DATA, econtent: None },
        certificates: Some(CertificateSet::try_from(choices).expect("a set")),
        crls: None,
        signer_infos: SignerInfos(SetOfVec::default()),
    };
    let content = Any::from_der(&signed_data.to_der().expect("DER")).expect("a value");
    let message = ContentInfo { content_type: const_oid::db::rfc5911::ID_SIGNED_DATA, content };
    let fields = vec![("Content-Type".into(), "application/pkcs7-mime".into())];
    Response {
        status: 200,
        fields,
        content: Base64::encode_string(&message.to_der().expect("DER")).into_bytes(),
        ..Response::default()
    }
}
