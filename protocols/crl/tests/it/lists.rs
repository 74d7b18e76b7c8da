//! Lists that several tests make.

use certgate_crl::{CrlFields, CrlNumber, Entry, InvalidFields, Kind};
use certgate_pki::{
    CrlReason, DistributionPointName, KeyIdentifier, Name, NameAttribute, NameAttributeType, Serial, SignatureAlgorithm,
    StringType, Timestamp,
};

/// 2026-09-21T14:13:20Z.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
/// 2026-09-22T14:13:20Z.
pub(crate) const TOMORROW: Timestamp = Timestamp::from_seconds(1_790_086_400);
/// By which lists are signed where the signature is made up.
pub(crate) const ED25519: SignatureAlgorithm = SignatureAlgorithm::Ed25519;

/// What the fields of a list refer to.
pub(crate) struct Parts {
    pub(crate) issuer: Name,
    pub(crate) key: KeyIdentifier,
    pub(crate) number: CrlNumber,
}

impl Parts {
    pub(crate) fn new() -> Self {
        let kind = NameAttributeType::CommonName;
        let issuer = Name::from_attributes(vec![NameAttribute { kind, value: "CA".to_owned(), string_type: StringType::Utf8 }]);
        Self { issuer, key: KeyIdentifier::from_octets(vec![7; 20]), number: CrlNumber::from(5) }
    }

    /// A complete list for all certificates of the issuer.
    pub(crate) fn fields(&self) -> CrlFields<'_> {
        CrlFields {
            issuer: &self.issuer,
            this_update: NOW,
            next_update: TOMORROW,
            authority_key: &self.key,
            number: &self.number,
            distribution_point: None,
            kind: Kind::Complete { freshest: None },
        }
    }
}

/// The list of these fields and these octets of entries, with a signature that is none.
pub(crate) fn made(fields: &CrlFields<'_>, entries: &[u8]) -> Result<Vec<u8>, InvalidFields> {
    Ok(fields.prepare(ED25519, [entries])?.assemble(&[9; 64]))
}

pub(crate) fn name(url: &str) -> DistributionPointName {
    DistributionPointName::from_urls([url]).unwrap()
}

pub(crate) fn entry(serial: u64) -> Entry {
    let octets = serial.to_be_bytes();
    let serial = Serial::from_octets(&[&[1][..], &octets].concat()).unwrap();
    Entry { serial, revocation_date: NOW, reason: Some(CrlReason::Superseded), invalidity_date: None }
}

pub(crate) fn encoded(entries: &[Entry]) -> Vec<u8> {
    let mut octets = Vec::new();
    entries.iter().for_each(|entry| entry.encode_into(&mut octets));
    octets
}
