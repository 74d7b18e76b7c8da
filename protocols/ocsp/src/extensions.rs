//! Extensions of requests (RFC 6960 §4.4), read in place.

use certgate_pki::ObjectIdentifier;
use certgate_pki::asn1::{Tlv, tag};

use crate::oid;
use crate::preferred::PreferredSignatureAlgorithms;
use crate::request::{MalformedRequest, malformed};

/// Most extensions in one place of a request.
pub const MAX_EXTENSIONS: usize = 16;
/// Most octets of a nonce (RFC 9654 §2.1).
pub const MAX_NONCE: usize = 128;
/// Most response types in AcceptableResponses.
const MAX_RESPONSE_TYPES: usize = 32;

/// The octets of a nonce: at least one, at most [`MAX_NONCE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce<'a>(&'a [u8]);

impl<'a> Nonce<'a> {
    /// A nonce of these octets; `None` when there are none or too many, and then the request is to be rejected (RFC 9654 §2.1).
    #[must_use]
    pub fn new(octets: &'a [u8]) -> Option<Self> {
        (1..=MAX_NONCE).contains(&octets.len()).then_some(Self(octets))
    }

    /// The octets inside the OCTET STRING.
    #[must_use]
    pub const fn as_octets(self) -> &'a [u8] {
        self.0
    }

    /// `Nonce ::= OCTET STRING` in extnValue (RFC 9654 §2.1). Octets that stand in extnValue by themselves are none.
    fn read(value: &'a [u8]) -> Result<Self, MalformedRequest> {
        let tlv = Tlv::only(value).ok().filter(|tlv| tlv.tag == tag::OCTET_STRING);
        tlv.and_then(|tlv| Self::new(tlv.value)).ok_or(MalformedRequest("nonce"))
    }
}

/// What requestExtensions say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestExtensions<'a> {
    pub(crate) nonce: Option<Nonce<'a>>,
    pub(crate) preferred: Option<PreferredSignatureAlgorithms<'a>>,
    /// True if no AcceptableResponses says otherwise.
    pub(crate) accepts_basic: bool,
    /// The first critical one that is not known.
    pub(crate) unknown_critical: Option<ObjectIdentifier>,
}

impl<'a> RequestExtensions<'a> {
    /// Of a request that has none.
    pub(crate) const NONE: Self = Self { nonce: None, preferred: None, accepts_basic: true, unknown_critical: None };

    /// Reads what is in the explicit tag.
    pub(crate) fn read(explicit: Tlv<'a>) -> Result<Self, MalformedRequest> {
        let mut all = Self::NONE;
        each(explicit, |extension| {
            match extension.oid {
                oid::NONCE => all.nonce = Some(Nonce::read(extension.value)?),
                oid::PREFERRED_SIGNATURE_ALGORITHMS => {
                    all.preferred = Some(PreferredSignatureAlgorithms::read(extension.value)?);
                }
                oid::ACCEPTABLE_RESPONSES => all.accepts_basic = has_basic(extension.value)?,
                _ => all.unknown_critical = all.unknown_critical.or(extension.if_critical()),
            }
            Ok(())
        })?;
        Ok(all)
    }
}

/// The first critical one of singleRequestExtensions: none is known here. serviceLocator (RFC 6960 §4.4.6) is for responders that pass
/// requests on.
pub(crate) fn read_single(explicit: Tlv<'_>) -> Result<Option<ObjectIdentifier>, MalformedRequest> {
    let mut unknown_critical = None;
    each(explicit, |extension| {
        unknown_critical = unknown_critical.or(extension.if_critical());
        Ok(())
    })?;
    Ok(unknown_critical)
}

/// One Extension, borrowed.
struct Extension<'a> {
    oid: ObjectIdentifier,
    critical: bool,
    /// Contents of extnValue.
    value: &'a [u8],
}

impl Extension<'_> {
    fn if_critical(&self) -> Option<ObjectIdentifier> {
        self.critical.then_some(self.oid)
    }
}

/// Reads `Extensions` in an explicit tag and gives them to `take` in their order. An empty list is taken, as in requests for certificates.
fn each<'a>(
    explicit: Tlv<'a>,
    mut take: impl FnMut(Extension<'a>) -> Result<(), MalformedRequest>,
) -> Result<(), MalformedRequest> {
    let list = Tlv::only(explicit.value).ok().filter(|list| list.tag == tag::SEQUENCE);
    let mut list = list.ok_or(MalformedRequest("Extensions"))?.contents().map_err(malformed("Extensions"))?;
    let mut seen: [&[u8]; MAX_EXTENSIONS] = [&[]; MAX_EXTENSIONS];
    let mut slots = 0..MAX_EXTENSIONS;
    while !list.is_finished() {
        let (oid, extension) = read(list.expect(tag::SEQUENCE).map_err(malformed("Extension"))?)?;
        // RFC 5280 §4.2: "MUST NOT include more than one instance of a particular extension".
        if seen.contains(&oid) {
            return Err(MalformedRequest("the same extension twice"));
        }
        let slot = slots.next().and_then(|at| seen.get_mut(at)).ok_or(MalformedRequest("too many extensions"))?;
        *slot = oid;
        take(extension)?;
    }
    Ok(())
}

/// One Extension, and its identifier as it came, which is never empty.
fn read<'a>(tlv: Tlv<'a>) -> Result<(&'a [u8], Extension<'a>), MalformedRequest> {
    let mut fields = tlv.contents().map_err(malformed("Extension"))?;
    let id = fields.expect(tag::OID).map_err(malformed("extnID"))?;
    let oid = id.oid().map_err(malformed("extnID"))?;
    // An explicit FALSE is not DER, yet living clients write it; anything but zero is TRUE, as in BER.
    let critical = match fields.optional(tag::BOOLEAN).map_err(malformed("critical"))? {
        None => false,
        Some(Tlv { value: [octet], .. }) => *octet != 0,
        Some(_) => return Err(MalformedRequest("critical")),
    };
    let value = fields.expect(tag::OCTET_STRING).map_err(malformed("extnValue"))?.value;
    fields.finish().map_err(malformed("what follows extnValue"))?;
    Ok((id.raw, Extension { oid, critical, value }))
}

/// `AcceptableResponses ::= SEQUENCE OF OBJECT IDENTIFIER` (RFC 6960 §4.4.3): is id-pkix-ocsp-basic among them?
fn has_basic(value: &[u8]) -> Result<bool, MalformedRequest> {
    const PART: &str = "AcceptableResponses";
    let list = Tlv::only(value).ok().filter(|list| list.tag == tag::SEQUENCE).ok_or(MalformedRequest(PART))?;
    let mut types = list.contents().map_err(malformed(PART))?;
    let mut found = false;
    for _ in 0..MAX_RESPONSE_TYPES {
        if types.is_finished() {
            return Ok(found);
        }
        let response_type = types.expect(tag::OID).and_then(|oid| oid.oid()).map_err(malformed(PART))?;
        found |= response_type == oid::BASIC;
    }
    types.finish().map(|()| found).map_err(malformed("too many response types"))
}
