//! `certgate cert list`: a page, or all of them, a page at a time.

use std::path::Path;

use clap::Args;
use hyper::Method;
use serde_json::Value;

use crate::admin::client::ask;
use crate::admin::{AdminFailure, Paging, encode_query};
use crate::cli::output::{Format, Pages, Printed};

/// Certificates of a page when all are wanted.
const PAGE: usize = 500;

/// Certificates of a page when nothing is said.
const USUAL: usize = 100;

/// Most certificates of a page.
const MOST: usize = 1000;

const COLUMNS: &[&str] = &["serial", "status", "subject", "principal", "profile", "not_after"];

#[derive(Args)]
pub(in crate::cli) struct ListArguments {
    /// valid, held, revoked or expired
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Signed by this authority
    #[arg(long, value_name = "AUTHORITY")]
    authority: Option<String>,
    /// Issued by this profile
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Asked for by this principal
    #[arg(long, visible_alias = "requester", value_name = "NAME")]
    principal: Option<String>,
    /// Over before this time, like 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    expires_before: Option<String>,
    /// All of them, not one page; printed while they come
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    #[command(flatten)]
    paging: Paging,
}

pub(super) async fn run(socket: &Path, arguments: ListArguments, format: Format) -> Result<Printed, AdminFailure> {
    let mut asker = Asker { socket, arguments };
    if asker.arguments.all { asker.all(format).await } else { asker.page().await }
}

/// Asks page after page. A page of the gateway may not be full, since it looks at so many certificates and no more at a time.
struct Asker<'s> {
    socket: &'s Path,
    arguments: ListArguments,
}

impl Asker<'_> {
    /// Fills one page.
    async fn page(&mut self) -> Result<Printed, AdminFailure> {
        let wanted = self.arguments.paging.limit.unwrap_or(USUAL).clamp(1, MOST);
        let mut items = Vec::new();
        loop {
            let mut said = self.ask(wanted.saturating_sub(items.len())).await?;
            if let Some(Value::Array(more)) = said.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            if items.len() >= wanted || self.arguments.paging.cursor.is_none() {
                let next = &self.arguments.paging.cursor;
                return Ok(Printed::List(serde_json::json!({ "items": items, "next": next }), COLUMNS));
            }
        }
    }

    /// Prints all of them, and keeps none.
    async fn all(&mut self, format: Format) -> Result<Printed, AdminFailure> {
        let mut pages = Pages::new(COLUMNS, format);
        loop {
            let said = self.ask(PAGE).await?;
            // A reader that has gone, such as `head`, wants no more.
            if pages.print(&said).is_err() || self.arguments.paging.cursor.is_none() {
                pages.end();
                return Ok(Printed::Nothing);
            }
        }
    }

    /// One page of the gateway; the next question goes on behind it.
    async fn ask(&mut self, limit: usize) -> Result<Value, AdminFailure> {
        let ListArguments { status, authority, profile, principal, expires_before, paging, .. } = &mut self.arguments;
        let filters = [
            ("status", status),
            ("authority", authority),
            ("profile", profile),
            ("principal", principal),
            ("expires_before", expires_before),
            ("cursor", &mut paging.cursor),
        ];
        let filters = filters.into_iter().map(|(key, value)| (key, value.clone()));
        let query = encode_query(filters.chain([("limit", Some(limit.to_string()))]));
        let said = ask(self.socket, Method::GET, &format!("/v1/certificates?{query}"), None).await?;
        self.arguments.paging.cursor = said.get("next").and_then(Value::as_str).map(str::to_owned);
        Ok(said)
    }
}
