//! Queries of URLs: written by the client, read by the server. Unknown keys are refused.

use std::str::FromStr;

use certgate_enrollment::Cursor;
use certgate_pki::Timestamp;

use super::AdminFailure;

/// Items of a page when nothing else is asked.
const DEFAULT_LIMIT: usize = 100;

/// `limit` and `cursor` of a list.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Paging {
    /// At most so many items (100 if not given, never more than 1000)
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Go on where the page before ended: its `next`
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

impl Paging {
    /// As the ledger takes it.
    #[must_use]
    pub fn resolve(self) -> (usize, Option<Cursor>) {
        (self.limit.unwrap_or(DEFAULT_LIMIT), self.cursor.map(Cursor))
    }

    /// As key and value.
    #[must_use]
    pub fn pairs(&self) -> [(&'static str, Option<String>); 2] {
        [("limit", self.limit.map(|limit| limit.to_string())), ("cursor", self.cursor.clone())]
    }
}

/// Writes a query; pairs without a value are left out.
#[must_use]
pub fn encode_query(pairs: impl IntoIterator<Item = (&'static str, Option<String>)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (key, value) in pairs {
        if let Some(value) = value {
            query.append_pair(key, &value);
        }
    }
    query.finish()
}

/// A time in RFC 3339; `what` says which.
pub(crate) fn read_time(what: &str, text: &str) -> Result<Timestamp, AdminFailure> {
    let form = |_| AdminFailure::usage(format!("{what} is not a time like 2027-01-31T00:00:00Z: {text}"));
    let time: jiff::Timestamp = text.parse().map_err(form)?;
    Ok(Timestamp::from_millis(u64::try_from(time.as_millisecond()).unwrap_or(0)))
}

/// A query being read: each key is taken once, and none may be left.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn new(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    pub(super) fn take(&mut self, key: &str) -> Option<String> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.swap_remove(at).1)
    }

    /// A value that is more than text.
    pub(super) fn take_as<T: FromStr>(&mut self, key: &str, form: &str) -> Result<Option<T>, AdminFailure> {
        let value = self.take(key);
        value.map(|value| value.parse().map_err(|_| AdminFailure::usage(format!("{key} is not {form}: {value}")))).transpose()
    }

    /// A time in RFC 3339.
    pub(super) fn take_time(&mut self, key: &str) -> Result<Option<Timestamp>, AdminFailure> {
        self.take(key).map(|text| read_time(key, &text)).transpose()
    }

    pub(super) fn paging(&mut self) -> Result<Paging, AdminFailure> {
        Ok(Paging { limit: self.take_as("limit", "a number")?, cursor: self.take("cursor") })
    }

    pub(super) fn finish(self) -> Result<(), AdminFailure> {
        match self.0.first() {
            None => Ok(()),
            Some((key, _)) => Err(AdminFailure::usage(format!("unknown or repeated key in the query: {key}"))),
        }
    }
}
