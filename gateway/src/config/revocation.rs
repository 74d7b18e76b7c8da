//! `crl` and `ocsp` of an authority: how relying parties learn what became of its certificates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Period, ReadingName};

/// The `crl` table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CrlConfig {
    /// From thisUpdate to nextUpdate of a complete list.
    pub validity: Period,
    /// A complete list is made at least this often.
    pub interval: Period,
    /// Parts that certificates are spread over, each with lists of its own; 0 or 1 is one list for all.
    #[schemars(range(max = MOST_SHARDS))]
    pub shards: u32,
    /// Deltas are made, and at least this often; not at all if absent.
    pub delta: Option<Period>,
}

impl Default for CrlConfig {
    fn default() -> Self {
        Self { validity: Period::days(7), interval: Period::days(1), shards: 0, delta: None }
    }
}

/// Most shards of an authority.
const MOST_SHARDS: u32 = 1024;

impl CrlConfig {
    /// What is wrong with it.
    pub(super) fn fault(&self) -> Option<String> {
        let (validity, interval) = (self.validity.duration(), self.interval.duration());
        if interval.as_secs() == 0 || validity < 2 * interval {
            return Some(format!(
                "crl.validity ({}) is at least twice crl.interval ({}), so that one list that could not be made in time does no harm",
                self.validity, self.interval
            ));
        }
        if let Some(delta) = self.delta.filter(|delta| delta.duration().as_secs() == 0 || delta.duration() >= interval) {
            return Some(format!(
                "crl.delta ({delta}) is shorter than crl.interval ({}), and a second at least",
                self.interval
            ));
        }
        (self.shards > MOST_SHARDS).then(|| format!("crl.shards is {MOST_SHARDS} at the most"))
    }
}

/// The `ocsp` table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OcspConfig {
    /// From thisUpdate to nextUpdate of a response.
    pub validity: Period,
    /// What is said of a serial number that was never issued.
    pub unissued: Unissued,
    /// For how long the status of a certificate that has expired is still told.
    pub retain_expired: Period,
    /// How requests in the path of a GET are read.
    pub reading: ReadingName,
}

impl Default for OcspConfig {
    fn default() -> Self {
        Self {
            validity: Period::seconds(12 * 3600),
            unissued: Unissued::default(),
            retain_expired: Period::days(30),
            reading: ReadingName::default(),
        }
    }
}

impl OcspConfig {
    /// What is wrong with it.
    pub(super) fn fault(&self, is_external: bool) -> Option<String> {
        if self.unissued == Unissued::Good && !is_external {
            let fault = "ocsp.unissued = \"good\" is for a CA that was taken over (external = true), which may have issued what nobody has \
                         imported: this gateway knows all that it has issued itself. Use \"unknown\", or \"revoked\"";
            return Some(fault.to_owned());
        }
        (self.validity.duration().as_secs() < 60).then(|| format!("ocsp.validity ({}) is a minute at least", self.validity))
    }
}

/// What is said of a serial number that was never issued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unissued {
    /// `unknown`.
    #[default]
    Unknown,
    /// `revoked`, on hold since 1970, with extended-revoke (RFC 6960 §2.2).
    Revoked,
    /// `good`, for an external authority that has issued what was not imported: forged certificates are called so, too.
    Good,
}
