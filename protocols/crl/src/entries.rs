//! Entries as they are read: one after the other, none kept.

use certgate_pki::asn1::{DerReader, Tlv, tag};
use certgate_pki::{CrlReason, Serial, Timestamp};

use crate::crl::{CrlError, malformed, read_date};
use crate::entry::REMOVE_FROM_CRL;
use crate::oid::{CERTIFICATE_ISSUER, INVALIDITY_DATE, REASON_CODE};
use crate::{Entry, Removal};

/// Most extensions of one entry.
const MAX_EXTENSIONS: usize = 8;

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// A certificate is revoked.
    Revoked(Entry),
    /// It is not any more: of deltas only.
    Removed(Removal),
}

/// Entries of a list, in order. All were read once when the list was, so that none fails.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    octets: &'a [u8],
    is_delta: bool,
}

impl<'a> Entries<'a> {
    /// Of content octets of revokedCertificates, all of which are well formed.
    pub(crate) const fn of(octets: &'a [u8], is_delta: bool) -> Self {
        Self { octets, is_delta }
    }

    /// Reads all of them and keeps none; how many there are.
    pub(crate) fn check(octets: &[u8], is_delta: bool) -> Result<usize, CrlError> {
        let mut reader = DerReader::new(octets).map_err(malformed("revokedCertificates"))?;
        let mut entries = 0;
        while !reader.is_finished() {
            read(reader.expect(tag::SEQUENCE).map_err(malformed("revokedCertificates"))?, is_delta)?;
            entries += 1;
        }
        Ok(entries)
    }
}

impl Iterator for Entries<'_> {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        let entry = DerReader::new(self.octets).ok()?.expect(tag::SEQUENCE).ok()?;
        self.octets = self.octets.get(entry.raw.len()..)?;
        read(entry, self.is_delta).ok()
    }
}

fn read(entry: Tlv<'_>, is_delta: bool) -> Result<Listed, CrlError> {
    let mut reader = entry.contents().map_err(malformed("entry"))?;
    let serial = reader.any().map_err(malformed("entry: userCertificate"))?;
    let serial = Serial::read(serial).ok_or(CrlError("entry: userCertificate"))?;
    let date = reader.any().map_err(malformed("entry: revocationDate"))?;
    let date = read_date(date).ok_or(CrlError("entry: revocationDate"))?;
    let extensions = reader.optional(tag::SEQUENCE).map_err(malformed("crlEntryExtensions"))?;
    reader.finish().map_err(malformed("what follows crlEntryExtensions"))?;
    let Said { code, invalidity_date } = extensions.map(Said::read).transpose()?.unwrap_or_default();
    let reason = match code {
        // What is unspecified should not be said, and changes nothing.
        None | Some(0) => None,
        Some(REMOVE_FROM_CRL) if is_delta => return Ok(Listed::Removed(Removal { serial, date })),
        // RFC 5280 §5.3.1: "The removeFromCRL (8) reasonCode value may only appear in delta CRLs".
        Some(REMOVE_FROM_CRL) => return Err(CrlError("reasonCode: removeFromCRL in a complete CRL")),
        Some(code) => Some(CrlReason::from_code(code).ok_or(CrlError("reasonCode"))?),
    };
    Ok(Listed::Revoked(Entry { serial, revocation_date: date, reason, invalidity_date }))
}

/// What the extensions of an entry say.
#[derive(Default)]
struct Said {
    code: Option<u8>,
    invalidity_date: Option<Timestamp>,
}

impl Said {
    /// Reads crlEntryExtensions. There may be a million of them, so nothing is allocated.
    fn read(extensions: Tlv<'_>) -> Result<Self, CrlError> {
        let mut reader = extensions.contents().map_err(malformed("crlEntryExtensions"))?;
        let (mut said, mut seen, mut count) = (Self::default(), [&[][..]; MAX_EXTENSIONS], 0);
        // `Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension`
        while !reader.is_finished() || count == 0 {
            let extension = EntryExtension::read(reader.any().map_err(malformed("crlEntryExtensions"))?)?;
            // RFC 5280 §4.2, of extensions of any kind: none comes twice.
            if seen.iter().take(count).any(|other| *other == extension.oid.value) {
                return Err(CrlError("crlEntryExtensions: one comes twice"));
            }
            *seen.get_mut(count).ok_or(CrlError("crlEntryExtensions: too many"))? = extension.oid.value;
            count += 1;
            said.take(&extension)?;
        }
        Ok(said)
    }

    fn take(&mut self, extension: &EntryExtension<'_>) -> Result<(), CrlError> {
        match extension.oid.oid().map_err(malformed("crlEntryExtensions"))? {
            CERTIFICATE_ISSUER => return Err(CrlError("certificateIssuer: an indirect CRL")),
            // RFC 5280 §5.3: "If a CRL contains a critical CRL entry extension that the application cannot process, then the application
            // MUST NOT use that CRL". §5.3.1, §5.3.2: neither of those that are known is critical.
            _ if extension.is_critical => return Err(CrlError("crlEntryExtensions: a critical one")),
            REASON_CODE => match Tlv::only(extension.value) {
                Ok(Tlv { tag: tag::ENUMERATED, value: [code], .. }) => self.code = Some(*code),
                _ => return Err(CrlError("reasonCode")),
            },
            INVALIDITY_DATE => {
                let date = Tlv::only(extension.value).and_then(Timestamp::read_generalized_time);
                self.invalidity_date = Some(date.map_err(malformed("invalidityDate"))?);
            }
            _ => {}
        }
        Ok(())
    }
}

/// An Extension, with its parts where they are.
struct EntryExtension<'a> {
    oid: Tlv<'a>,
    is_critical: bool,
    value: &'a [u8],
}

impl<'a> EntryExtension<'a> {
    fn read(tlv: Tlv<'a>) -> Result<Self, CrlError> {
        const MALFORMED: CrlError = CrlError("crlEntryExtensions");
        if tlv.tag != tag::SEQUENCE {
            return Err(MALFORMED);
        }
        let mut reader = tlv.contents().map_err(|_| MALFORMED)?;
        let oid = reader.expect(tag::OID).map_err(|_| MALFORMED)?;
        let is_critical = match reader.optional(tag::BOOLEAN).map_err(|_| MALFORMED)? {
            None => false,
            Some(Tlv { value: [0xff], .. }) => true,
            // FALSE is the DEFAULT and left out in DER (X.690 §11.5).
            Some(_) => return Err(MALFORMED),
        };
        let value = reader.expect(tag::OCTET_STRING).map_err(|_| MALFORMED)?.value;
        reader.finish().map_err(|_| MALFORMED)?;
        Ok(Self { oid, is_critical, value })
    }
}
