//! Points in time, as certificates and the ledger know them.

use std::fmt;
use std::time::Duration;

use der::DateTime;
use der::asn1::{GeneralizedTime, UtcTime};
use der::{Decode, Encode};

use crate::asn1::{DerWriter, Tlv, tag};

/// Octets of a GeneralizedTime that ends with seconds, tag and length included.
const GENERALIZED_TIME: usize = 17;

/// Milliseconds since 1970-01-01T00:00:00Z, never before it and never after the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// 9999-12-31T23:59:59Z, which RFC 5280 §4.1.2.5 gives to certificates without a good expiration date.
    pub const NO_EXPIRATION: Self = Self(253_402_300_799_000);

    /// From milliseconds since the epoch; later than the year 9999 becomes [`Self::NO_EXPIRATION`].
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        if millis > Self::NO_EXPIRATION.0 { Self::NO_EXPIRATION } else { Self(millis) }
    }

    /// From seconds since the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self::from_millis(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The same second without its milliseconds: what a certificate can say.
    #[must_use]
    pub const fn floor_to_second(self) -> Self {
        Self(self.0 - self.0 % 1000)
    }

    /// Later by `duration`.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Earlier by `duration`, or the epoch.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Writes RFC 5280 §4.1.2.5 Time: UTCTime through the year 2049, GeneralizedTime from 2050.
    pub fn write_time(self, writer: &mut DerWriter) {
        let duration = Duration::from_secs(self.seconds());
        if let Ok(utc) = UtcTime::from_unix_duration(duration).and_then(|time| time.to_der()) {
            writer.raw(&utc);
        } else {
            self.write_generalized_time(writer);
        }
    }

    /// Writes a GeneralizedTime in the form of RFC 5280 §4.1.2.5.2: in Z, with seconds, without a fraction of them, whatever the year.
    pub fn write_generalized_time(self, writer: &mut DerWriter) {
        let duration = Duration::from_secs(self.seconds());
        let mut buffer = [0; GENERALIZED_TIME];
        let der =
            GeneralizedTime::from_unix_duration(duration).and_then(|time| time.encode_to_slice(&mut buffer).map(<[u8]>::len));
        // `Timestamp` ends at the year 9999, which is where GeneralizedTime ends.
        writer.raw(buffer.get(..der.unwrap_or_default()).unwrap_or_default());
    }

    /// Reads RFC 5280 §4.1.2.5 Time. GeneralizedTime is taken for any year.
    ///
    /// # Errors
    /// When it is neither, without seconds or Z, with a fraction, or before 1970.
    pub fn read_time(tlv: Tlv<'_>) -> der::Result<Self> {
        if tlv.tag == tag::UTC_TIME {
            UtcTime::from_der(tlv.raw).map(|time| Self::from_seconds(time.to_unix_duration().as_secs()))
        } else {
            Self::read_generalized_time(tlv)
        }
    }

    /// Reads RFC 5280 §4.1.2.5.2 GeneralizedTime.
    ///
    /// # Errors
    /// When it is none, without seconds or Z, with a fraction, or before 1970.
    pub fn read_generalized_time(tlv: Tlv<'_>) -> der::Result<Self> {
        GeneralizedTime::from_der(tlv.raw).map(|time| Self::from_seconds(time.to_unix_duration().as_secs()))
    }
}

/// RFC 3339 in Z, whole seconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        DateTime::from_unix_duration(Duration::from_secs(self.seconds())).map_err(|_| fmt::Error)?.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(seconds: u64) -> Vec<u8> {
        let mut writer = DerWriter::default();
        Timestamp::from_seconds(seconds).write_time(&mut writer);
        writer.finish()
    }

    #[test]
    fn utc_time_until_2049_generalized_time_from_2050() {
        assert_eq!(time(2_524_607_999), b"\x17\x0d491231235959Z");
        assert_eq!(time(2_524_608_000), b"\x18\x0f20500101000000Z");
        assert_eq!(time(Timestamp::NO_EXPIRATION.seconds()), b"\x18\x0f99991231235959Z");
    }

    #[test]
    fn generalized_time_of_any_year_has_seconds_and_no_fraction() {
        for (millis, expected) in [
            (0, b"\x18\x0f19700101000000Z"),
            (1_790_000_000_999, b"\x18\x0f20260921141320Z"),
            (u64::MAX, b"\x18\x0f99991231235959Z"),
        ] {
            let mut writer = DerWriter::default();
            Timestamp::from_millis(millis).write_generalized_time(&mut writer);
            assert_eq!(writer.finish(), expected);
        }
        let read = |der: &[u8]| Timestamp::read_generalized_time(Tlv::only(der).unwrap()).ok();
        assert_eq!(read(b"\x18\x0f20260921141320Z"), Some(Timestamp::from_seconds(1_790_000_000)));
        for wrong in [
            &b"\x17\x0d260921141320Z"[..],
            b"\x18\x1120260921141320.5Z",
            b"\x18\x0d202609211413Z",
            b"\x18\x1320260921141320+0000",
        ] {
            assert_eq!(read(wrong), None, "{wrong:02x?}");
        }
    }

    #[test]
    fn displays_as_rfc_3339() {
        assert_eq!(Timestamp::from_millis(1_790_000_000_999).to_string(), "2026-09-21T14:13:20Z");
    }
}
