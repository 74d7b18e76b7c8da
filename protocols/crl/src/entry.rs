//! Entries as they are written: one revoked certificate each, or one that has been taken from the list again.

use certgate_pki::asn1::{DerWriter, tag};
use certgate_pki::{CrlReason, Serial, Timestamp};

use crate::oid::{INVALIDITY_DATE, REASON_CODE};

/// removeFromCRL of CRLReason (RFC 5280 §5.3.1).
pub(crate) const REMOVE_FROM_CRL: u8 = 8;

/// One revoked certificate, of complete lists and of deltas.
///
/// ```text
/// SEQUENCE {                                                   RFC 5280 §5.1
///     userCertificate CertificateSerialNumber, revocationDate Time, crlEntryExtensions Extensions OPTIONAL }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The certificate's serial number.
    pub serial: Serial,
    /// When the CA revoked it; milliseconds are not written.
    pub revocation_date: Timestamp,
    /// Why; `None` is unspecified.
    pub reason: Option<CrlReason>,
    /// Since when it is known or suspected to have been invalid, which may be before it was revoked (RFC 5280 §5.3.2); milliseconds are
    /// not written.
    pub invalidity_date: Option<Timestamp>,
}

impl Entry {
    /// Appends the entry in DER. With the serial numbers of ours, of 16 octets, that is 35 octets, 14 more with a reason, and 26 more with
    /// an invalidityDate (2 octets more for a revocation after 2049).
    pub fn encode_into(&self, octets: &mut Vec<u8>) {
        encode(octets, &self.serial, self.revocation_date, self.reason.map(CrlReason::code), self.invalidity_date);
    }
}

/// A certificate that an earlier list had on hold and that is off hold, or has expired: of deltas only. "The removeFromCRL (8) reasonCode
/// value may only appear in delta CRLs" (RFC 5280 §5.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// The certificate's serial number.
    pub serial: Serial,
    /// When it was released; milliseconds are not written.
    pub date: Timestamp,
}

impl Removal {
    /// Appends the entry in DER, to octets that go to deltas only.
    pub fn encode_into(&self, octets: &mut Vec<u8>) {
        encode(octets, &self.serial, self.date, Some(REMOVE_FROM_CRL), None);
    }
}

fn encode(octets: &mut Vec<u8>, serial: &Serial, date: Timestamp, reason: Option<u8>, invalidity_date: Option<Timestamp>) {
    let mut writer = DerWriter::from(std::mem::take(octets));
    writer.sequence(|w| {
        serial.write(w);
        date.write_time(w);
        if reason.is_none() && invalidity_date.is_none() {
            return;
        }
        w.sequence(|w| {
            if let Some(code) = reason {
                w.extension(&REASON_CODE, |w| {
                    w.tlv(tag::ENUMERATED, &[code]);
                });
            }
            if let Some(date) = invalidity_date {
                // RFC 5280 §5.3.2: GeneralizedTime, also before 2050.
                w.extension(&INVALIDITY_DATE, |w| date.write_generalized_time(w));
            }
        });
    });
    *octets = writer.finish();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-09-21T14:13:20Z.
    const DATE: Timestamp = Timestamp::from_seconds(1_790_000_000);
    /// 2050-01-01T00:00:00Z.
    const YEAR_2050: Timestamp = Timestamp::from_seconds(2_524_608_000);

    fn encoded(entry: &Entry) -> Vec<u8> {
        // What is there already stays.
        let mut octets = vec![0xee];
        entry.encode_into(&mut octets);
        assert_eq!(octets.remove(0), 0xee);
        octets
    }

    fn plain(date: Timestamp) -> Entry {
        Entry { serial: Serial::from_hex("0a").unwrap(), revocation_date: date, reason: None, invalidity_date: None }
    }

    #[test]
    fn a_serial_and_a_date() {
        let expected = [&[0x30, 18, 2, 1, 0x0a, 0x17, 13][..], b"260921141320Z"].concat();
        assert_eq!(encoded(&plain(DATE)), expected);
        assert_eq!(encoded(&plain(DATE.after(std::time::Duration::from_millis(999)))), expected, "whole seconds");
    }

    #[test]
    fn utc_time_until_2049_generalized_time_from_2050() {
        let last = plain(YEAR_2050.before(std::time::Duration::from_secs(1)));
        assert_eq!(encoded(&last), [&[0x30, 18, 2, 1, 0x0a, 0x17, 13][..], b"491231235959Z"].concat());
        assert_eq!(encoded(&plain(YEAR_2050)), [&[0x30, 20, 2, 1, 0x0a, 0x18, 15][..], b"20500101000000Z"].concat());
    }

    #[test]
    fn reason_and_invalidity_date() {
        let entry = Entry { reason: Some(CrlReason::KeyCompromise), invalidity_date: Some(DATE), ..plain(DATE) };
        let expected = [
            &[0x30, 58, 2, 1, 0x0a, 0x17, 13][..],
            b"260921141320Z",
            &[0x30, 38],
            &[0x30, 10, 6, 3, 0x55, 0x1d, 0x15, 4, 3, 0x0a, 1, 1],
            &[0x30, 24, 6, 3, 0x55, 0x1d, 0x18, 4, 17, 0x18, 15],
            b"20260921141320Z",
        ];
        assert_eq!(encoded(&entry), expected.concat());
    }

    #[test]
    fn as_long_as_is_said() {
        let mut entry = Entry { serial: Serial::from_octets(&[7; 16]).unwrap(), ..plain(DATE) };
        assert_eq!(encoded(&entry).len(), 35);
        entry.reason = Some(CrlReason::Superseded);
        assert_eq!(encoded(&entry).len(), 35 + 14);
        entry.invalidity_date = Some(DATE);
        assert_eq!(encoded(&entry).len(), 35 + 14 + 26);
    }

    #[test]
    fn a_removal_is_code_8() {
        let mut octets = Vec::new();
        Removal { serial: Serial::from_hex("0a").unwrap(), date: DATE }.encode_into(&mut octets);
        let extension = [0x30, 12, 0x30, 10, 6, 3, 0x55, 0x1d, 0x15, 4, 3, 0x0a, 1, 8];
        assert_eq!(octets, [&[0x30, 32, 2, 1, 0x0a, 0x17, 13][..], b"260921141320Z", &extension].concat());
    }
}
