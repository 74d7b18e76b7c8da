//! Lists as they are read: our own, and the last one of a CA that is taken over.

use std::fmt;

use certgate_pki::asn1::{DerReader, Tlv, tag};
use certgate_pki::{
    BadSignature, DistributionPointName, Extension, Extensions, KeyIdentifier, Name, Provider, PublicKey, SignatureAlgorithm,
    Timestamp,
};

use crate::oid::{AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER, DELTA_CRL_INDICATOR, FRESHEST_CRL, ISSUING_DISTRIBUTION_POINT};
use crate::{CrlNumber, Entries, IssuingDistributionPoint};

/// Largest list that is read, in octets of DER: 1.3 million entries of ours, each with a reason.
pub const MAX_CRL: usize = 64 * 1024 * 1024;

/// 2050-01-01T00:00:00Z.
const YEAR_2050: Timestamp = Timestamp::from_seconds(2_524_608_000);

/// Not a list, or not one that is read here; says which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an X.509 v2 CRL that is read here (RFC 5280 §5): {0}")]
pub struct CrlError(pub &'static str);

/// [`CrlError`] of this part, whatever was wrong with it.
pub(crate) fn malformed<E>(part: &'static str) -> impl Fn(E) -> CrlError {
    move |_| CrlError(part)
}

/// A list that was read, over the octets it came as. Nothing of it is verified: see [`Self::verify_signed_by`].
///
/// What is read is of version 2, has a nextUpdate, dates in the form that RFC 5280 §5.1.2.4 has for their year, extensions critical or not
/// as RFC 5280 §5.2 and §5.3 have them, and is about certificates of its own issuer that were revoked for any reason: neither indirect, nor
/// for some reasons only, nor for attribute certificates. Extensions that are not known and not critical are passed over, of the list as
/// of its entries. Whether a serial number comes twice is not looked at.
#[derive(Clone)]
pub struct Crl<'a> {
    /// Who signed it, by name.
    pub issuer: Name,
    /// When it was made.
    pub this_update: Timestamp,
    /// When there will be another one at the latest.
    pub next_update: Timestamp,
    /// keyIdentifier of authorityKeyIdentifier; `None` where a CA keeps less to RFC 5280 §5.2.1 than it should.
    pub authority_key: Option<KeyIdentifier>,
    /// cRLNumber; `None` where a CA keeps less to RFC 5280 §5.2.3 than it should.
    pub number: Option<CrlNumber>,
    /// issuingDistributionPoint; `None` is a list for all certificates of its issuer.
    pub distribution_point: Option<IssuingDistributionPoint>,
    /// BaseCRLNumber of a delta; `None` is a complete list.
    pub delta_base: Option<CrlNumber>,
    /// Where deltas of this list are found, none in a delta.
    pub freshest: Vec<DistributionPointName>,
    der: &'a [u8],
    to_be_signed: &'a [u8],
    algorithm: Option<SignatureAlgorithm>,
    signature: &'a [u8],
    entries: &'a [u8],
    count: usize,
}

impl<'a> Crl<'a> {
    /// Reads a list in DER. Every entry is read once, to see that it can be, and none is kept.
    ///
    /// # Errors
    /// [`CrlError`] with the part that is malformed or not read here; also for more than [`MAX_CRL`] octets.
    pub fn parse(der: &'a [u8]) -> Result<Self, CrlError> {
        if der.len() > MAX_CRL {
            return Err(CrlError("too large"));
        }
        let outer = Tlv::only(der).ok().filter(|outer| outer.tag == tag::SEQUENCE).ok_or(CrlError("CertificateList"))?;
        let mut reader = outer.contents().map_err(malformed("CertificateList"))?;
        let tbs = reader.expect(tag::SEQUENCE).map_err(malformed("tbsCertList"))?;
        let outer_algorithm = reader.expect(tag::SEQUENCE).map_err(malformed("signatureAlgorithm"))?;
        let signature = reader.expect(tag::BIT_STRING).map_err(malformed("signatureValue"))?;
        reader.finish().map_err(malformed("what follows signatureValue"))?;
        let [0, signature @ ..] = signature.value else { return Err(CrlError("signatureValue")) };
        let fields = TbsFields::read(tbs, outer_algorithm)?;
        let mut crl = Self {
            issuer: fields.issuer,
            this_update: fields.this_update,
            next_update: fields.next_update,
            authority_key: None,
            number: None,
            distribution_point: None,
            delta_base: None,
            freshest: Vec::new(),
            der,
            to_be_signed: tbs.raw,
            algorithm: fields.algorithm,
            signature,
            entries: fields.entries,
            count: 0,
        };
        crl.take_extensions(&fields.extensions)?;
        crl.count = Entries::check(crl.entries, crl.is_delta())?;
        Ok(crl)
    }

    /// Is the signature that key's?
    ///
    /// # Errors
    /// [`BadSignature`] when it is not, or is of an algorithm that is not supported.
    pub fn verify_signed_by(&self, key: &PublicKey, provider: &Provider) -> Result<(), BadSignature> {
        provider.verify.verify(key, self.algorithm.ok_or(BadSignature)?, self.to_be_signed, self.signature)
    }

    /// Its entries, in order; each is read when it is asked for.
    #[must_use]
    pub const fn entries(&self) -> Entries<'a> {
        Entries::of(self.entries, self.delta_base.is_some())
    }

    /// How many entries there are.
    #[must_use]
    pub const fn entry_count(&self) -> usize {
        self.count
    }

    /// The octets of its entries, as they came: what [`crate::CrlFields::prepare`] takes, for the next list of the same kind. There may be
    /// extensions in them that [`Self::entries`] passes over.
    #[must_use]
    pub const fn encoded_entries(&self) -> &'a [u8] {
        self.entries
    }

    /// Is it a delta (RFC 5280 §5.2.4)?
    #[must_use]
    pub const fn is_delta(&self) -> bool {
        self.delta_base.is_some()
    }

    /// The algorithm of its signature; `None` is one that is not known here.
    #[must_use]
    pub const fn algorithm(&self) -> Option<SignatureAlgorithm> {
        self.algorithm
    }

    /// The TBSCertList as received.
    #[must_use]
    pub const fn to_be_signed(&self) -> &'a [u8] {
        self.to_be_signed
    }

    /// DER, byte for byte as received.
    #[must_use]
    pub const fn as_der(&self) -> &'a [u8] {
        self.der
    }

    fn take_extensions(&mut self, extensions: &Extensions) -> Result<(), CrlError> {
        for extension in extensions.iter() {
            match extension.oid {
                AUTHORITY_KEY_IDENTIFIER => {
                    let identifier = extensions.authority_key_identifier().map_err(malformed("authorityKeyIdentifier"))?;
                    self.authority_key = identifier.map(KeyIdentifier::from_octets);
                }
                CRL_NUMBER => self.number = Some(read_number(extension).ok_or(CrlError("cRLNumber"))?),
                DELTA_CRL_INDICATOR => {
                    self.delta_base = Some(read_number(extension).ok_or(CrlError("deltaCRLIndicator"))?);
                }
                ISSUING_DISTRIBUTION_POINT => {
                    let point = IssuingDistributionPoint::read(&extension.value).map_err(CrlError)?;
                    self.distribution_point = Some(point);
                }
                FRESHEST_CRL => self.freshest = extensions.freshest_crl().map_err(malformed("freshestCRL"))?,
                // RFC 5280 §5.2: "If a CRL contains a critical extension that the application cannot process, then the application MUST
                // NOT use that CRL".
                _ if extension.critical => return Err(CrlError("crlExtensions: a critical one that is not known")),
                _ => continue,
            }
            // RFC 5280 §5.2.4, §5.2.5: these two are critical; §5.2.1, §5.2.3, §5.2.6: the others are not.
            if extension.critical != matches!(extension.oid, DELTA_CRL_INDICATOR | ISSUING_DISTRIBUTION_POINT) {
                return Err(CrlError("crlExtensions: critical, or not, against RFC 5280 §5.2"));
            }
        }
        // RFC 5280 §5.2.6: "This extension MUST NOT appear in delta CRLs."
        if self.is_delta() && extensions.value_of(FRESHEST_CRL).is_some() {
            return Err(CrlError("freshestCRL in a delta CRL"));
        }
        Ok(())
    }
}

/// Says what it is, not what is in it.
impl fmt::Debug for Crl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crl")
            .field("issuer", &self.issuer)
            .field("number", &self.number)
            .field("delta_base", &self.delta_base)
            .field("entries", &self.count)
            .finish_non_exhaustive()
    }
}

/// The fields of a TBSCertList: its entries and its extensions are still to be looked at.
struct TbsFields<'a> {
    algorithm: Option<SignatureAlgorithm>,
    issuer: Name,
    this_update: Timestamp,
    next_update: Timestamp,
    entries: &'a [u8],
    extensions: Extensions,
}

impl<'a> TbsFields<'a> {
    fn read(tbs: Tlv<'a>, outer_algorithm: Tlv<'_>) -> Result<Self, CrlError> {
        let mut fields = tbs.contents().map_err(malformed("tbsCertList"))?;
        // RFC 5280 §5.1.2.1: "this field MUST be present and MUST specify version 2 (the integer value is 1)", of lists with extensions.
        if fields.expect(tag::INTEGER).map_err(malformed("version"))?.value != [1] {
            return Err(CrlError("version"));
        }
        let algorithm = fields.expect(tag::SEQUENCE).map_err(malformed("signature"))?;
        // RFC 5280 §5.1.1.2: "MUST contain the same algorithm identifier as the signature field in the sequence tbsCertList".
        if algorithm.raw != outer_algorithm.raw {
            return Err(CrlError("signatureAlgorithm differs from signature"));
        }
        let algorithm = SignatureAlgorithm::read(algorithm).map_err(malformed("signature"))?;
        let issuer = fields.expect(tag::SEQUENCE).and_then(|tlv| Name::from_der(tlv.raw)).map_err(malformed("issuer"))?;
        // RFC 5280 §5.1.2.3: "The issuer field MUST contain a non-empty X.500 distinguished name (DN)."
        if issuer.is_empty() {
            return Err(CrlError("issuer"));
        }
        let this_update = next_date(&mut fields).ok_or(CrlError("thisUpdate"))?;
        // RFC 5280 §5.1.2.5: "Conforming CRL issuers MUST include the nextUpdate field in all CRLs."
        let next_update = next_date(&mut fields).ok_or(CrlError("nextUpdate"))?;
        let entries = fields.optional(tag::SEQUENCE).map_err(malformed("revokedCertificates"))?;
        // RFC 5280 §5.1.2.6: "When there are no revoked certificates, the revoked certificates list MUST be absent."
        if entries.is_some_and(|entries| entries.value.is_empty()) {
            return Err(CrlError("revokedCertificates: empty"));
        }
        let extensions = fields.optional(tag::context_constructed(0)).map_err(malformed("crlExtensions"))?;
        fields.finish().map_err(malformed("what follows crlExtensions"))?;
        let extensions = extensions.map_or_else(|| Ok(Extensions::default()), |tlv| Extensions::from_der(tlv.value));
        let extensions = extensions.map_err(malformed("crlExtensions"))?;
        let entries = entries.map_or(&[][..], |entries| entries.value);
        Ok(Self { algorithm, issuer, this_update, next_update, entries, extensions })
    }
}

fn next_date(fields: &mut DerReader<'_>) -> Option<Timestamp> {
    fields.any().ok().and_then(read_date)
}

/// RFC 5280 §5.1.2.4 to §5.1.2.6: UTCTime through the year 2049, GeneralizedTime from 2050, and not the other way about.
pub(crate) fn read_date(tlv: Tlv<'_>) -> Option<Timestamp> {
    let date = Timestamp::read_time(tlv).ok()?;
    ((tlv.tag == tag::GENERALIZED_TIME) == (date >= YEAR_2050)).then_some(date)
}

fn read_number(extension: &Extension) -> Option<CrlNumber> {
    Tlv::only(&extension.value).ok().and_then(CrlNumber::read)
}
