//! What a list is for, when it is not for every certificate of its issuer.

use certgate_pki::DistributionPointName;
use certgate_pki::asn1::{DerReader, DerWriter, Tlv, tag};

/// Which certificates a list is about. At most one of onlyContainsUserCerts, onlyContainsCACerts and onlyContainsAttributeCerts may be TRUE
/// (RFC 5280 §5.2.5); the last one never is here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All that the distribution point is for. Readers that check CAs' certificates as well find fault with any other.
    #[default]
    All,
    /// onlyContainsUserCerts: those of end entities.
    UserCertificates,
    /// onlyContainsCACerts: those of CAs.
    CaCertificates,
}

/// issuingDistributionPoint, for every reason and for certificates of the list's issuer.
///
/// ```text
/// IssuingDistributionPoint ::= SEQUENCE {                      RFC 5280 §5.2.5
///     distributionPoint [0] DistributionPointName OPTIONAL, onlyContainsUserCerts [1] BOOLEAN DEFAULT FALSE,
///     onlyContainsCACerts [2] BOOLEAN DEFAULT FALSE, onlySomeReasons [3] ReasonFlags OPTIONAL,
///     indirectCRL [4] BOOLEAN DEFAULT FALSE, onlyContainsAttributeCerts [5] BOOLEAN DEFAULT FALSE }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuingDistributionPoint {
    name: Option<DistributionPointName>,
    scope: Scope,
}

impl IssuingDistributionPoint {
    /// The point of this name, which is that of the certificates' cRLDistributionPoints (RFC 5280 §5.2.5: "The identical encoding MUST be
    /// used"). `None` without a name and without a limit: "MUST NOT issue CRLs where the DER encoding of the issuing distribution point
    /// extension is an empty sequence".
    #[must_use]
    pub fn new(name: Option<DistributionPointName>, scope: Scope) -> Option<Self> {
        (name.is_some() || scope != Scope::All).then_some(Self { name, scope })
    }

    /// Where the list is found.
    #[must_use]
    pub const fn name(&self) -> Option<&DistributionPointName> {
        self.name.as_ref()
    }

    /// What it is about.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    pub(crate) fn write(&self, writer: &mut DerWriter) {
        writer.sequence(|w| {
            if let Some(name) = &self.name {
                name.write(w);
            }
            let only = match self.scope {
                Scope::All => return,
                Scope::UserCertificates => 1,
                Scope::CaCertificates => 2,
            };
            w.tlv(tag::context(only), &[0xff]);
        });
    }

    /// Reads the extension's value. What is wrong is said: a list for some reasons only, for certificates of others or for attribute
    /// certificates cannot be taken for one that is complete.
    pub(crate) fn read(value: &[u8]) -> Result<Self, &'static str> {
        const MALFORMED: &str = "issuingDistributionPoint";
        let outer = Tlv::only(value).ok().filter(|outer| outer.tag == tag::SEQUENCE).ok_or(MALFORMED)?;
        let mut reader = outer.contents().map_err(|_| MALFORMED)?;
        let name = reader.optional(tag::context_constructed(0)).map_err(|_| MALFORMED)?;
        let name = name.map(DistributionPointName::read).transpose().map_err(|_| MALFORMED)?;
        let users = read_true(&mut reader, 1).ok_or(MALFORMED)?;
        let cas = read_true(&mut reader, 2).ok_or(MALFORMED)?;
        if reader.optional(tag::context(3)).map_err(|_| MALFORMED)?.is_some() {
            return Err("issuingDistributionPoint: onlySomeReasons");
        }
        if read_true(&mut reader, 4).ok_or(MALFORMED)? {
            return Err("issuingDistributionPoint: indirectCRL");
        }
        if read_true(&mut reader, 5).ok_or(MALFORMED)? {
            return Err("issuingDistributionPoint: onlyContainsAttributeCerts");
        }
        reader.finish().map_err(|_| MALFORMED)?;
        let scope = match (users, cas) {
            (false, false) => Scope::All,
            (true, false) => Scope::UserCertificates,
            (false, true) => Scope::CaCertificates,
            (true, true) => return Err("issuingDistributionPoint: onlyContainsUserCerts and onlyContainsCACerts"),
        };
        Self::new(name, scope).ok_or("issuingDistributionPoint: empty")
    }
}

/// `[number] BOOLEAN DEFAULT FALSE` in DER: there and TRUE, or not there (X.690 §11.1, §11.5). `None` is anything else.
fn read_true(reader: &mut DerReader<'_>, number: u8) -> Option<bool> {
    match reader.optional(tag::context(number)).ok()? {
        None => Some(false),
        Some(Tlv { value: [0xff], .. }) => Some(true),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(point: &IssuingDistributionPoint) -> Vec<u8> {
        let mut writer = DerWriter::default();
        point.write(&mut writer);
        writer.finish()
    }

    #[test]
    fn a_name_a_limit_or_both() {
        let name = DistributionPointName::from_urls(["x:a", "x:b"]);
        let full_name = [0xa0, 12, 0xa0, 10, 0x86, 3, b'x', b':', b'a', 0x86, 3, b'x', b':', b'b'];
        for (name, scope, expected) in [
            (name.clone(), Scope::All, [&[0x30, 14], &full_name[..]].concat()),
            (name.clone(), Scope::UserCertificates, [&[0x30, 17], &full_name[..], &[0x81, 1, 0xff]].concat()),
            (name, Scope::CaCertificates, [&[0x30, 17], &full_name[..], &[0x82, 1, 0xff]].concat()),
            (None, Scope::UserCertificates, vec![0x30, 3, 0x81, 1, 0xff]),
        ] {
            let point = IssuingDistributionPoint::new(name, scope).unwrap();
            assert_eq!(written(&point), expected);
            assert_eq!(IssuingDistributionPoint::read(&expected), Ok(point));
        }
        assert_eq!(IssuingDistributionPoint::new(None, Scope::All), None);
    }

    #[test]
    fn what_would_be_taken_for_complete_is_refused() {
        for (value, part) in [
            (&[0x30, 0][..], "empty"),
            (&[0x30, 6, 0x81, 1, 0xff, 0x82, 1, 0xff], "onlyContainsCACerts"),
            (&[0x30, 4, 0x83, 2, 6, 0x40], "onlySomeReasons"),
            (&[0x30, 3, 0x84, 1, 0xff], "indirectCRL"),
            (&[0x30, 3, 0x85, 1, 0xff], "onlyContainsAttributeCerts"),
            (&[0x30, 3, 0x81, 1, 0], "issuingDistributionPoint"),
            (&[0x30, 3, 0x81, 1, 1], "issuingDistributionPoint"),
            (&[0x30, 6, 0x82, 1, 0xff, 0x81, 1, 0xff], "issuingDistributionPoint"),
            (&[0x30, 3, 0x86, 1, 0xff], "issuingDistributionPoint"),
            (&[0x30, 4, 0xa0, 2, 0xa1, 0], "issuingDistributionPoint"),
            (&[0x31, 3, 0x81, 1, 0xff], "issuingDistributionPoint"),
            (&[], "issuingDistributionPoint"),
        ] {
            let refused = IssuingDistributionPoint::read(value).unwrap_err();
            assert!(refused.ends_with(part), "{value:02x?}: {refused}");
        }
    }
}
