//! `/v1/crls`: CRLs as they are published.

use serde::{Deserialize, Serialize};

use super::progress::Steps;
use super::query::Query;
use super::{Admin, AdminFailure, Code, Items};
use crate::publish::{CrlPublisher, Demand, ListId};

/// A CRL that is served.
#[derive(Debug, Deserialize, Serialize)]
pub struct CrlItem {
    /// Whose.
    pub authority: String,
    /// The shard; 0 is all of them.
    pub shard: u32,
    /// A delta, or a complete list?
    pub delta: bool,
    /// cRLNumber.
    pub number: u64,
    /// RFC 3339.
    pub this_update: String,
    /// RFC 3339.
    pub next_update: String,
    /// How many entries it has.
    pub entries: u64,
    /// Where it is found, if there is a public URL.
    pub url: Option<String>,
}

/// What is asked of `POST /v1/crls`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BuildCrls {
    /// Whose; everybody's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// Of which kind; of all kinds if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<CrlKind>,
}

/// Kinds of CRLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CrlKind {
    /// Complete ones.
    Full,
    /// Deltas.
    Delta,
}

impl Admin {
    pub(super) fn show_crls(&self, query: &str) -> Result<Items<CrlItem>, AdminFailure> {
        let mut query = Query::new(query);
        let publishers = self.publishers(query.take("authority").as_deref())?;
        query.finish()?;
        let items = publishers.into_iter().flat_map(|publisher| items(publisher, publisher.lists())).collect();
        Ok(Items { items, next: None })
    }

    /// Has CRLs made, one authority after the other; returns when they are published.
    pub(super) async fn build_crls(&self, asked: BuildCrls, steps: &Steps) -> Result<Items<CrlItem>, AdminFailure> {
        let mut publishers = self.publishers(asked.authority.as_deref())?;
        // Who names none asks for what can be made.
        publishers.retain(|publisher| asked.authority.is_some() || publisher.of().offline_since().is_none());
        let demand = match asked.kind {
            None => Demand::All,
            Some(CrlKind::Full) => Demand::Complete,
            Some(CrlKind::Delta) => {
                publishers.retain(|publisher| publisher.makes_deltas());
                Demand::Deltas
            }
        };
        if publishers.is_empty() && asked.kind.is_none_or(|kind| kind == CrlKind::Full) {
            return Err(AdminFailure::new(Code::Refused, "the keys of all authorities are offline").hint("certgate crl import"));
        }
        if publishers.is_empty() {
            let message = match &asked.authority {
                Some(name) => format!("authority {name} makes no deltas"),
                None => "no authority makes deltas".to_owned(),
            };
            return Err(AdminFailure::new(Code::Refused, message).hint("delta of crl in [[authority]] has them made"));
        }
        steps.of(publishers.iter().map(|publisher| publisher.wanted(demand).len() as u64).sum());
        let mut built = Vec::new();
        for publisher in publishers {
            let failed = |error: crate::publish::PublishError| {
                let is_offline = matches!(error, crate::publish::PublishError::Offline { .. });
                let code = if is_offline { Code::Refused } else { Code::Failed };
                let message = format!("CRLs of authority {} could not be made: {error}", publisher.authority());
                AdminFailure::new(code, message).hint("what was published before is still served")
            };
            built.extend(items(publisher, publisher.build(demand, steps.done()).await.map_err(failed)?));
        }
        Ok(Items { items: built, next: None })
    }

    /// Those of the authority that a command names; all of them if it names none.
    pub(super) fn publishers(&self, authority: Option<&str>) -> Result<Vec<&CrlPublisher>, AdminFailure> {
        let named: Vec<&CrlPublisher> =
            self.crls.iter().filter(|one| authority.is_none_or(|name| one.authority() == name)).collect();
        match authority {
            Some(name) if named.is_empty() => {
                let known: Vec<&str> = self.crls.iter().map(CrlPublisher::authority).collect();
                let message = format!("there is no authority {name} that publishes CRLs");
                Err(AdminFailure::not_found(message).hint(format!("there are: {}", known.join(", "))))
            }
            _ => Ok(named),
        }
    }
}

/// Those of these lists that are served.
pub(super) fn items(publisher: &CrlPublisher, lists: impl IntoIterator<Item = ListId>) -> Vec<CrlItem> {
    let item = |id: ListId| {
        let record = &publisher.published(id)?.record;
        Some(CrlItem {
            authority: record.scope.authority.clone(),
            shard: record.scope.shard,
            delta: id.is_delta,
            number: record.number,
            this_update: record.this_update.to_string(),
            next_update: record.next_update.to_string(),
            entries: record.entries,
            url: publisher.url(id),
        })
    };
    lists.into_iter().filter_map(item).collect()
}
