//! All of a list but its entries and its signature.

use certgate_pki::asn1::{DerWriter, header_octets, tag};
use certgate_pki::{DistributionPointName, Extension, KeyIdentifier, Name, ObjectIdentifier, SignatureAlgorithm, Timestamp};

use crate::oid::{CRL_NUMBER, DELTA_CRL_INDICATOR, ISSUING_DISTRIBUTION_POINT};
use crate::{CrlNumber, Draft, IssuingDistributionPoint};

/// What a list is: all that is revoked, or what has changed since a list that was (RFC 5280 §5.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// All that is revoked in its scope.
    Complete {
        /// Where its deltas are found: freshestCRL (RFC 5280 §5.2.6), which "MUST NOT appear in delta CRLs".
        freshest: Option<&'a DistributionPointName>,
    },
    /// What has changed since the complete list of this number, which was published: deltaCRLIndicator, critical.
    Delta {
        /// BaseCRLNumber, at most the list's own number: both kinds share one numbering.
        base: &'a CrlNumber,
    },
}

/// Fields of a list that no entry changes.
#[derive(Clone, Debug)]
pub struct CrlFields<'a> {
    /// The CA's subject, byte for byte (RFC 5280 §5.1.2.3: "The issuer field MUST contain a non-empty X.500 distinguished name (DN)").
    pub issuer: &'a Name,
    /// When it was made; milliseconds are not written.
    pub this_update: Timestamp,
    /// When there will be another one at the latest (RFC 5280 §5.1.2.5: "MUST include the nextUpdate field in all CRLs"); milliseconds are
    /// not written.
    pub next_update: Timestamp,
    /// subjectKeyIdentifier of the CA's certificate, copied and not computed again (RFC 5280 §5.2.1).
    pub authority_key: &'a KeyIdentifier,
    /// Greater than that of every earlier list of this issuer and scope; not 0.
    pub number: &'a CrlNumber,
    /// What it is for, if not for all certificates of its issuer: critical, and not every reader knows it.
    pub distribution_point: Option<&'a IssuingDistributionPoint>,
    /// Complete or delta.
    pub kind: Kind<'a>,
}

/// No list can be made of these fields: a fault of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFields {
    /// The issuer has no name.
    #[error("the issuer of a CRL has a name that is not empty (RFC 5280 §5.1.2.3)")]
    NoIssuer,
    /// nextUpdate is not after thisUpdate, both in whole seconds.
    #[error("nextUpdate of a CRL is after its thisUpdate (RFC 5280 §5.1.2.5)")]
    Dates,
    /// The number is 0.
    #[error("the number of a CRL is positive (RFC 5280 §5.2.3)")]
    Number,
    /// The number of the base is 0, or greater than the number.
    #[error("a delta CRL is of a CRL that was before it, or is of the same moment (RFC 5280 §5.2.4)")]
    Base,
    /// The pieces were not the same when they were asked for again.
    #[error("the entries of a CRL do not change while it is made")]
    Entries,
}

impl CrlFields<'_> {
    /// The list, to be signed by `algorithm`.
    ///
    /// `entries` are pieces of any size, each of whole entries as [`crate::Entry::encode_into`] and, for deltas, [`crate::Removal::encode_into`]
    /// have made them, or [`crate::Crl::encoded_entries`] has given them. They are not looked into; every serial number is to come once. The
    /// pieces are gone through twice, to add up their lengths and to copy each of them once, to where it stays. There is no bound on how
    /// many octets they have, but what is longer than [`crate::MAX_CRL`] is not read here.
    ///
    /// ```text
    /// TBSCertList ::= SEQUENCE {                               RFC 5280 §5.1
    ///     version INTEGER { v2(1) }, signature AlgorithmIdentifier, issuer Name, thisUpdate Time, nextUpdate Time,
    ///     revokedCertificates SEQUENCE OF SEQUENCE { … } OPTIONAL, crlExtensions [0] EXPLICIT SEQUENCE OF Extension }
    /// ```
    ///
    /// # Errors
    /// [`InvalidFields`] with what is wrong.
    pub fn prepare<'e, I>(&self, algorithm: SignatureAlgorithm, entries: I) -> Result<Draft, InvalidFields>
    where
        I: IntoIterator<Item = &'e [u8], IntoIter: Clone>,
    {
        self.check()?;
        let entries = entries.into_iter();
        let revoked = entries.clone().map(<[u8]>::len).sum();
        let (before, after) = (self.before_entries(algorithm), self.extensions());
        // RFC 5280 §5.1.2.6: "When there are no revoked certificates, the revoked certificates list MUST be absent."
        let list = if revoked == 0 { 0 } else { header_octets(revoked) + revoked };
        let contents = before.len() + list + after.len();
        let length = header_octets(contents) + contents;
        let draft = Draft::new(algorithm, length, |w| {
            w.header(tag::SEQUENCE, contents).raw(&before);
            if revoked > 0 {
                w.header(tag::SEQUENCE, revoked);
                for piece in entries {
                    w.raw(piece);
                }
            }
            w.raw(&after);
        });
        if draft.to_be_signed().len() == length { Ok(draft) } else { Err(InvalidFields::Entries) }
    }

    fn check(&self) -> Result<(), InvalidFields> {
        if self.issuer.is_empty() {
            return Err(InvalidFields::NoIssuer);
        }
        if self.next_update.seconds() <= self.this_update.seconds() {
            return Err(InvalidFields::Dates);
        }
        if self.number.is_zero() {
            return Err(InvalidFields::Number);
        }
        match self.kind {
            Kind::Delta { base } if base.is_zero() || base > self.number => Err(InvalidFields::Base),
            _ => Ok(()),
        }
    }

    /// version to nextUpdate, DER.
    fn before_entries(&self, algorithm: SignatureAlgorithm) -> Vec<u8> {
        let mut writer = DerWriter::with_capacity(256);
        writer.tlv(tag::INTEGER, &[1]);
        algorithm.write(&mut writer);
        writer.raw(self.issuer.as_der());
        self.this_update.write_time(&mut writer);
        self.next_update.write_time(&mut writer);
        writer.finish()
    }

    /// crlExtensions, DER.
    fn extensions(&self) -> Vec<u8> {
        let number = |w: &mut DerWriter| self.number.write(w);
        let mut extensions =
            vec![Extension::authority_key_identifier(self.authority_key.as_octets()), extension(CRL_NUMBER, false, number)];
        if let Kind::Delta { base } = self.kind {
            extensions.push(extension(DELTA_CRL_INDICATOR, true, |w| base.write(w)));
        }
        if let Some(point) = self.distribution_point {
            extensions.push(extension(ISSUING_DISTRIBUTION_POINT, true, |w| point.write(w)));
        }
        if let Kind::Complete { freshest: Some(name) } = self.kind {
            extensions.push(Extension::freshest_crl(name));
        }
        let mut writer = DerWriter::with_capacity(256);
        writer.nested(tag::context_constructed(0), |w| {
            w.sequence(|w| extensions.iter().for_each(|extension| extension.write(w)));
        });
        writer.finish()
    }
}

fn extension(oid: ObjectIdentifier, critical: bool, write: impl FnOnce(&mut DerWriter)) -> Extension {
    let mut writer = DerWriter::default();
    write(&mut writer);
    Extension { oid, critical, value: writer.finish() }
}
