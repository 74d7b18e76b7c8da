//! Where relying parties learn what became of a certificate: cRLDistributionPoints, freshestCRL, authorityInfoAccess, noRevAvail.

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5280, rfc5912};

use super::{Extension, Extensions, sequence};
use crate::asn1::{DerReader, DerWriter, Tlv, tag};
use crate::general_name::GeneralName;
use crate::limits::{MAX_ACCESS_DESCRIPTIONS, MAX_DISTRIBUTION_POINTS, MAX_GENERAL_NAMES};

/// DistributionPointName by its fullName: names of one and the same CRL (RFC 5280 §4.2.1.13), at least one. Certificates and CRLs are to
/// have the same encoding of it (RFC 5280 §5.2.5), so all write it by this type.
///
/// ```text
/// DistributionPointName ::= CHOICE {                           RFC 5280 §4.2.1.13
///     fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RelativeDistinguishedName }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistributionPointName(Vec<GeneralName>);

impl DistributionPointName {
    /// URLs under which a CRL is found, the preferred one first. `None` when there is no URL, there are more than [`MAX_GENERAL_NAMES`],
    /// or one is no URI: has no scheme, or anything but visible ASCII.
    #[must_use]
    pub fn from_urls<'u>(urls: impl IntoIterator<Item = &'u str>) -> Option<Self> {
        let is_uri =
            |url: &str| url.bytes().all(|octet| octet.is_ascii_graphic()) && url.find(':').is_some_and(|colon| colon > 0);
        let name = |url: &str| is_uri(url).then(|| GeneralName::Uri(url.to_owned()));
        let names = urls.into_iter().map(name).collect::<Option<Vec<_>>>()?;
        (1..=MAX_GENERAL_NAMES).contains(&names.len()).then_some(Self(names))
    }

    /// Its names, in order.
    #[must_use]
    pub fn names(&self) -> &[GeneralName] {
        &self.0
    }

    /// Those of its names that are URIs, in order.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|name| match name {
            GeneralName::Uri(uri) => Some(uri.as_str()),
            _ => None,
        })
    }

    /// Writes `distributionPoint [0]`, which is EXPLICIT, since the name is a CHOICE.
    pub fn write(&self, writer: &mut DerWriter) {
        writer.nested(tag::context_constructed(0), |w| {
            w.nested(tag::context_constructed(0), |w| self.0.iter().for_each(|name| name.write(w)));
        });
    }

    /// Reads `distributionPoint [0]`.
    ///
    /// # Errors
    /// When it is malformed, without any name or with more than [`MAX_GENERAL_NAMES`], or relative to the CRL's issuer, which RFC 5280
    /// §4.2.1.13 advises against.
    pub fn read(tlv: Tlv<'_>) -> der::Result<Self> {
        let mut reader = tlv.contents()?;
        let names = reader.expect(tag::context_constructed(0))?;
        reader.finish()?;
        GeneralName::read_contents(names.value).map(Self)
    }

    /// Reads the value of cRLDistributionPoints or freshestCRL. Points that are for some reasons only, or for CRLs of other issuers, are
    /// left out.
    ///
    /// # Errors
    /// When it is malformed, empty, or has more than [`MAX_DISTRIBUTION_POINTS`].
    pub fn read_points(value: &[u8]) -> der::Result<Vec<Self>> {
        let mut reader = sequence(value)?;
        let (mut names, mut points) = (Vec::new(), 0);
        while !reader.is_finished() && points < MAX_DISTRIBUTION_POINTS {
            names.extend(read_point(reader.expect(tag::SEQUENCE)?)?);
            points += 1;
        }
        reader.finish()?;
        if points == 0 { Err(der::ErrorKind::Failed.into()) } else { Ok(names) }
    }
}

/// ```text
/// DistributionPoint ::= SEQUENCE {                             RFC 5280 §4.2.1.13
///     distributionPoint [0] DistributionPointName OPTIONAL, reasons [1] ReasonFlags OPTIONAL,
///     cRLIssuer [2] GeneralNames OPTIONAL }
/// ```
fn read_point(tlv: Tlv<'_>) -> der::Result<Option<DistributionPointName>> {
    let mut reader = tlv.contents()?;
    let name = reader.optional(tag::context_constructed(0))?.map(DistributionPointName::read).transpose()?;
    let reasons = reader.optional(tag::context(1))?;
    let issuer = reader.optional(tag::context_constructed(2))?;
    reader.finish()?;
    // RFC 5280 §4.2.1.13: "a DistributionPoint MUST NOT consist of only the reasons field; either distributionPoint or cRLIssuer MUST be
    // present."
    if name.is_none() && issuer.is_none() {
        return Err(der::ErrorKind::Failed.into());
    }
    Ok(name.filter(|_| reasons.is_none() && issuer.is_none()))
}

/// Where an authority is asked about its certificates (RFC 5280 §4.2.2.1): URIs, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorityInfoAccess {
    /// id-ad-ocsp: OCSP responders.
    pub ocsp: Vec<String>,
    /// id-ad-caIssuers: the issuer's certificate.
    pub ca_issuers: Vec<String>,
}

impl AuthorityInfoAccess {
    fn read(value: &[u8]) -> der::Result<Self> {
        let mut reader = sequence(value)?;
        let (mut access, mut read) = (Self::default(), 0);
        while !reader.is_finished() && read < MAX_ACCESS_DESCRIPTIONS {
            access.read_description(reader.expect(tag::SEQUENCE)?.contents()?)?;
            read += 1;
        }
        reader.finish()?;
        if read == 0 { Err(der::ErrorKind::Failed.into()) } else { Ok(access) }
    }

    fn read_description(&mut self, mut reader: DerReader<'_>) -> der::Result<()> {
        let method = reader.expect(tag::OID)?.oid()?;
        let location = GeneralName::read(reader.any()?);
        reader.finish()?;
        match (method, location) {
            (rfc5280::ID_AD_OCSP, GeneralName::Uri(url)) => self.ocsp.push(url),
            (rfc5280::ID_AD_CA_ISSUERS, GeneralName::Uri(url)) => self.ca_issuers.push(url),
            _ => {}
        }
        Ok(())
    }
}

/// What a certificate says of where to learn more about it. Nothing, by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointers {
    /// authorityInfoAccess: where the issuer's certificate is found, and who is asked by OCSP.
    pub access: AuthorityInfoAccess,
    /// cRLDistributionPoints: where the CRL is found that would list it.
    pub crl: Option<DistributionPointName>,
    /// freshestCRL: where the deltas of that CRL are found.
    pub freshest_crl: Option<DistributionPointName>,
    /// noRevAvail: nobody is told what became of it. Then all of the above but the issuer's certificate are left out (RFC 9608 §3).
    pub no_rev_avail: bool,
}

impl Pointers {
    /// The extensions that say so, in the order in which they are written.
    #[must_use]
    pub fn extensions(&self) -> Vec<Extension> {
        if self.no_rev_avail {
            let access = AuthorityInfoAccess { ocsp: Vec::new(), ca_issuers: self.access.ca_issuers.clone() };
            return Extension::authority_info_access(&access).into_iter().chain([Extension::no_rev_avail()]).collect();
        }
        let crl = self.crl.as_ref().map(Extension::crl_distribution_points);
        let freshest = self.freshest_crl.as_ref().map(Extension::freshest_crl);
        crl.into_iter().chain(freshest).chain(Extension::authority_info_access(&self.access)).collect()
    }
}

impl Extension {
    /// cRLDistributionPoints with one point (RFC 5280 §4.2.1.13: "The extension SHOULD be non-critical").
    #[must_use]
    pub fn crl_distribution_points(name: &DistributionPointName) -> Self {
        Self::points(rfc5280::ID_CE_CRL_DISTRIBUTION_POINTS, name)
    }

    /// freshestCRL with one point, of certificates and of CRLs (RFC 5280 §4.2.1.15: "The extension MUST be marked as non-critical").
    #[must_use]
    pub fn freshest_crl(name: &DistributionPointName) -> Self {
        Self::points(rfc5280::ID_CE_FRESHEST_CRL, name)
    }

    fn points(oid: ObjectIdentifier, name: &DistributionPointName) -> Self {
        Self::build(oid, false, |w| {
            w.sequence(|w| {
                w.sequence(|w| name.write(w));
            });
        })
    }

    /// authorityInfoAccess: responders first, then where the issuer's certificate is found; URIs in ASCII (RFC 5280 §4.2.2.1: "MUST mark
    /// this extension as non-critical"). `None` when there is nothing to say.
    #[must_use]
    pub fn authority_info_access(access: &AuthorityInfoAccess) -> Option<Self> {
        let ocsp = access.ocsp.iter().map(|url| (rfc5280::ID_AD_OCSP, url));
        let descriptions: Vec<_> = ocsp.chain(access.ca_issuers.iter().map(|url| (rfc5280::ID_AD_CA_ISSUERS, url))).collect();
        let build = || {
            Self::build(rfc5280::ID_PE_AUTHORITY_INFO_ACCESS, false, |w| {
                w.sequence(|w| {
                    for (method, url) in &descriptions {
                        w.sequence(|w| {
                            w.oid(method).tlv(tag::context(6), url.as_bytes());
                        });
                    }
                });
            })
        };
        (!descriptions.is_empty()).then(build)
    }

    /// noRevAvail: there is no revocation information, and there will be none (RFC 9608 §2). Not critical, of end entities only, and never
    /// beside cRLDistributionPoints, freshestCRL or id-ad-ocsp.
    #[must_use]
    pub fn no_rev_avail() -> Self {
        Self::build(rfc5912::ID_CE_NO_REV_AVAIL, false, |w| {
            w.tlv(tag::NULL, &[]);
        })
    }
}

impl Extensions {
    /// Points of cRLDistributionPoints that are for every reason and for CRLs of the certificate's issuer, none if there is no such
    /// extension.
    ///
    /// # Errors
    /// As [`DistributionPointName::read_points`].
    pub fn crl_distribution_points(&self) -> der::Result<Vec<DistributionPointName>> {
        self.points(rfc5280::ID_CE_CRL_DISTRIBUTION_POINTS)
    }

    /// Points of freshestCRL, likewise.
    ///
    /// # Errors
    /// As [`DistributionPointName::read_points`].
    pub fn freshest_crl(&self) -> der::Result<Vec<DistributionPointName>> {
        self.points(rfc5280::ID_CE_FRESHEST_CRL)
    }

    fn points(&self, oid: ObjectIdentifier) -> der::Result<Vec<DistributionPointName>> {
        self.value_of(oid).map_or_else(|| Ok(Vec::new()), DistributionPointName::read_points)
    }

    /// The URIs of authorityInfoAccess that are OCSP responders or lead to the issuer; none if there is no such extension.
    ///
    /// # Errors
    /// When it is malformed, empty, or has more than [`MAX_ACCESS_DESCRIPTIONS`].
    pub fn authority_info_access(&self) -> der::Result<AuthorityInfoAccess> {
        self.value_of(rfc5280::ID_PE_AUTHORITY_INFO_ACCESS)
            .map_or_else(|| Ok(AuthorityInfoAccess::default()), AuthorityInfoAccess::read)
    }

    /// Is there noRevAvail (RFC 9608 §2)?
    ///
    /// # Errors
    /// When it is anything but NULL.
    pub fn no_rev_avail(&self) -> der::Result<bool> {
        match self.value_of(rfc5912::ID_CE_NO_REV_AVAIL) {
            None => Ok(false),
            Some([tag::NULL, 0]) => Ok(true),
            Some(_) => Err(der::ErrorKind::Failed.into()),
        }
    }

    /// The keyIdentifier of authorityKeyIdentifier (RFC 5280 §4.2.1.1); `None` if there is no such extension, or it names the key in
    /// another way.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn authority_key_identifier(&self) -> der::Result<Option<Vec<u8>>> {
        let Some(value) = self.value_of(rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER) else { return Ok(None) };
        let mut reader = sequence(value)?;
        let identifier = reader.optional(tag::context(0))?.map(|tlv| tlv.value.to_vec());
        reader.optional(tag::context_constructed(1))?;
        reader.optional(tag::context(2))?;
        reader.finish().map(|()| identifier)
    }
}

#[cfg(test)]
mod tests;
