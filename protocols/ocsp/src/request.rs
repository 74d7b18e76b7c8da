//! OCSPRequests (RFC 6960 §4.1.1).

use certgate_pki::ObjectIdentifier;
use certgate_pki::asn1::{DerReader, Tlv, tag};

use crate::cert_id::CertId;
use crate::extensions::{self, Nonce, RequestExtensions};
use crate::preferred::PreferredSignatureAlgorithms;

/// Largest request, in octets of DER. One certificate is asked for in about a hundred; signed requests carry certificates, which are large
/// where their keys are.
pub const MAX_REQUEST: usize = 64 * 1024;
/// Most certificates that one request may ask for. RFC 9919 has one; OpenSSL's client asks for a chain at once.
pub const MAX_CERT_IDS: usize = 64;
/// Most certificates that come along with a signature.
pub const MAX_CERTIFICATES: usize = 16;

/// Not a request, or beyond the bounds; says which part. It is to be answered with [`crate::ErrorStatus::MalformedRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an OCSP request (RFC 6960 §4.1.1): {0}")]
pub struct MalformedRequest(pub &'static str);

/// Puts the name of a part in place of what DER has to say about it.
pub(crate) fn malformed<E>(part: &'static str) -> impl FnOnce(E) -> MalformedRequest {
    move |_| MalformedRequest(part)
}

/// An OCSPRequest, borrowed from the octets it came in.
///
/// ```text
/// OCSPRequest ::= SEQUENCE {                               RFC 6960 §4.1.1, EXPLICIT tags
///     tbsRequest         TBSRequest,
///     optionalSignature  [0] Signature OPTIONAL }
/// TBSRequest ::= SEQUENCE {
///     version            [0] INTEGER { v1(0) } DEFAULT v1,
///     requestorName      [1] GeneralName OPTIONAL,
///     requestList        SEQUENCE OF Request,
///     requestExtensions  [2] Extensions OPTIONAL }
/// ```
#[derive(Clone, Debug)]
pub struct OcspRequest<'a> {
    first: Request<'a>,
    /// What follows the first in requestList; all of it was read once.
    others: DerReader<'a>,
    count: usize,
    requestor_name: Option<&'a [u8]>,
    extensions: RequestExtensions<'a>,
    unknown_critical: Option<ObjectIdentifier>,
    is_signed: bool,
}

/// What is asked about one certificate.
///
/// ```text
/// Request ::= SEQUENCE {                                   RFC 6960 §4.1.1
///     reqCert CertID, singleRequestExtensions [0] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Which certificate.
    pub cert_id: CertId<'a>,
    /// The first of its singleRequestExtensions that is critical: none is known here.
    pub unknown_critical: Option<ObjectIdentifier>,
}

impl<'a> OcspRequest<'a> {
    /// Reads a request: DER, at most [`MAX_REQUEST`] octets and nothing behind it, version 1. A version 1 that is written out is read as if it
    /// were left out, though a DEFAULT is to be (X.690 §11.5): it means the same, and other responders take it.
    ///
    /// A signature is read for its form and never verified (RFC 9919, "Signed OCSPRequests": "Responders MAY ignore the signature").
    ///
    /// # Errors
    /// [`MalformedRequest`] with the part that is malformed or too large.
    pub fn parse(der: &'a [u8]) -> Result<Self, MalformedRequest> {
        if der.len() > MAX_REQUEST {
            return Err(MalformedRequest("too large"));
        }
        let outer = Tlv::only(der).ok().filter(|outer| outer.tag == tag::SEQUENCE).ok_or(MalformedRequest("OCSPRequest"))?;
        let mut outer = outer.contents().map_err(malformed("OCSPRequest"))?;
        let tbs = outer.expect(tag::SEQUENCE).map_err(malformed("tbsRequest"))?;
        let signature = outer.optional(tag::context_constructed(0)).map_err(malformed("optionalSignature"))?;
        outer.finish().map_err(malformed("what follows optionalSignature"))?;
        signature.map_or(Ok(()), check_signature)?;
        Self::read_to_be_signed(tbs, signature.is_some())
    }

    fn read_to_be_signed(tbs: Tlv<'a>, is_signed: bool) -> Result<Self, MalformedRequest> {
        let mut fields = tbs.contents().map_err(malformed("tbsRequest"))?;
        let version = fields.optional(tag::context_constructed(0)).map_err(malformed("version"))?;
        if version.is_some_and(|version| version.value != [tag::INTEGER, 1, 0]) {
            return Err(MalformedRequest("version"));
        }
        let name = fields.optional(tag::context_constructed(1)).map_err(malformed("requestorName"))?;
        let requestor_name = name.map(read_general_name).transpose()?;
        let list = fields.expect(tag::SEQUENCE).map_err(malformed("requestList"))?;
        let extensions = fields.optional(tag::context_constructed(2)).map_err(malformed("requestExtensions"))?;
        fields.finish().map_err(malformed("what follows requestExtensions"))?;
        let extensions = extensions.map_or(Ok(RequestExtensions::NONE), RequestExtensions::read)?;
        let mut list = list.contents().map_err(malformed("requestList"))?;
        // RFC 6960 §4.1.1: "requestList contains one or more single certificate status requests."
        let first = Request::read(&mut list)?;
        let others = list.clone();
        let mut unknown_critical = extensions.unknown_critical.or(first.unknown_critical);
        let mut count = 1;
        while !list.is_finished() {
            if count == MAX_CERT_IDS {
                return Err(MalformedRequest("too many certificates asked for"));
            }
            unknown_critical = unknown_critical.or(Request::read(&mut list)?.unknown_critical);
            count += 1;
        }
        Ok(Self { first, others, count, requestor_name, extensions, unknown_critical, is_signed })
    }

    /// By which the answer to this request may be looked up, if nothing but the certificate that is asked for decides about it: its CertID,
    /// whose octets are a slice of the request. `None` when several certificates are asked for, or there is a nonce, a preference for signature
    /// algorithms, an AcceptableResponses without id-pkix-ocsp-basic, or a critical extension that is not known.
    ///
    /// A signature and a requestorName are ignored, and so are extensions that are neither known nor critical (RFC 6960 §4.1.2: "MUST be
    /// ignored"). Whoever keeps answers by these octets decides which: anyone can ask for CertIDs that nobody has.
    #[must_use]
    pub const fn sole_cert_id(&self) -> Option<&CertId<'a>> {
        let extensions = &self.extensions;
        let is_simple = self.count == 1
            && extensions.nonce.is_none()
            && extensions.preferred.is_none()
            && extensions.accepts_basic
            && self.unknown_critical.is_none();
        if is_simple { Some(&self.first.cert_id) } else { None }
    }

    /// What is asked, in the order of the request: at least one, at most [`MAX_CERT_IDS`].
    pub fn requests(&self) -> impl Iterator<Item = Request<'a>> + use<'a> {
        let mut others = self.others.clone();
        // All of them have been read once.
        std::iter::once(self.first).chain(std::iter::from_fn(move || Request::read(&mut others).ok()))
    }

    /// How many certificates are asked for.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// requestorName, a GeneralName in DER. RFC 9919, "Signed OCSPRequests": unsigned requests that have it are to be handled "as if the
    /// requestorName field were absent".
    #[must_use]
    pub const fn requestor_name(&self) -> Option<&'a [u8]> {
        self.requestor_name
    }

    /// The nonce that an answer should repeat (RFC 9654).
    #[must_use]
    pub const fn nonce(&self) -> Option<Nonce<'a>> {
        self.extensions.nonce
    }

    /// What the client would have its answer signed with (RFC 6960 §4.4.7).
    #[must_use]
    pub const fn preferred_signature_algorithms(&self) -> Option<PreferredSignatureAlgorithms<'a>> {
        self.extensions.preferred
    }

    /// Does the client take id-pkix-ocsp-basic? True unless an AcceptableResponses (RFC 6960 §4.4.3) leaves it out.
    #[must_use]
    pub const fn accepts_basic(&self) -> bool {
        self.extensions.accepts_basic
    }

    /// The first extension, wherever it is in the request, that is critical and not known here: the request must not be answered as if it
    /// were not there (RFC 6960 §4.1.2).
    #[must_use]
    pub const fn unknown_critical(&self) -> Option<ObjectIdentifier> {
        self.unknown_critical
    }

    /// Is there a signature? It is not verified.
    #[must_use]
    pub const fn is_signed(&self) -> bool {
        self.is_signed
    }
}

impl<'a> Request<'a> {
    fn read(list: &mut DerReader<'a>) -> Result<Self, MalformedRequest> {
        let mut fields = list.expect(tag::SEQUENCE).and_then(|tlv| tlv.contents()).map_err(malformed("Request"))?;
        let cert_id = CertId::read(fields.any().map_err(malformed("CertID"))?)?;
        let extensions = fields.optional(tag::context_constructed(0)).map_err(malformed("singleRequestExtensions"))?;
        fields.finish().map_err(malformed("what follows singleRequestExtensions"))?;
        let unknown_critical = extensions.map_or(Ok(None), extensions::read_single)?;
        Ok(Self { cert_id, unknown_critical })
    }
}

/// The one GeneralName in an explicit tag: `[0]` to `[8]` (RFC 5280 §4.2.1.6), read no further.
fn read_general_name(explicit: Tlv<'_>) -> Result<&[u8], MalformedRequest> {
    let name = Tlv::only(explicit.value).ok().filter(|name| matches!(name.tag & !tag::CONSTRUCTED, 0x80..=0x88));
    name.map(|name| name.raw).ok_or(MalformedRequest("requestorName"))
}

/// The form of a Signature in its explicit tag.
///
/// ```text
/// Signature ::= SEQUENCE {                                 RFC 6960 §4.1.1
///     signatureAlgorithm AlgorithmIdentifier, signature BIT STRING, certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
/// ```
fn check_signature(explicit: Tlv<'_>) -> Result<(), MalformedRequest> {
    const PART: &str = "optionalSignature";
    let signature = Tlv::only(explicit.value).ok().filter(|signature| signature.tag == tag::SEQUENCE);
    let mut fields = signature.ok_or(MalformedRequest(PART))?.contents().map_err(malformed(PART))?;
    let algorithm = fields.expect(tag::SEQUENCE).and_then(|tlv| tlv.contents()?.expect(tag::OID)?.oid());
    algorithm.map_err(malformed("signatureAlgorithm"))?;
    let bits = fields.expect(tag::BIT_STRING).map_err(malformed("signature"))?;
    if !matches!(bits.value, [0] | [0..=7, _, ..]) {
        return Err(MalformedRequest("signature"));
    }
    let certificates = fields.optional(tag::context_constructed(0)).map_err(malformed("certs"))?;
    fields.finish().map_err(malformed("what follows certs"))?;
    certificates.map_or(Ok(()), check_certificates)
}

/// `SEQUENCE OF Certificate` in its explicit tag. The certificates are not looked into: nothing is made of them.
fn check_certificates(explicit: Tlv<'_>) -> Result<(), MalformedRequest> {
    let list = Tlv::only(explicit.value).ok().filter(|list| list.tag == tag::SEQUENCE).ok_or(MalformedRequest("certs"))?;
    let mut certificates = list.contents().map_err(malformed("certs"))?;
    for _ in 0..MAX_CERTIFICATES {
        if certificates.is_finished() {
            return Ok(());
        }
        certificates.expect(tag::SEQUENCE).map_err(malformed("certs"))?;
    }
    certificates.finish().map_err(malformed("too many certificates"))
}
