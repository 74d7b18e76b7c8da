//! Principals whose certificates were ended.

use certgate_pki::Timestamp;
use rusqlite::{Connection, params};

use super::audit_chain::number;

/// Ends what a principal was issued until then. An end is moved on, never back.
pub(super) fn end(connection: &Connection, principal: &str, at: Timestamp) -> rusqlite::Result<()> {
    let end = "INSERT INTO ended_principal (name, ended_at) VALUES (?1, ?2)
                       ON CONFLICT (name) DO UPDATE SET ended_at = max(ended_at, ?2)";
    connection.execute(end, params![principal, number(at.millis())]).map(drop)
}

/// Was this principal removed then, or later?
pub(super) fn was_ended_since(connection: &Connection, principal: &str, at: Timestamp) -> rusqlite::Result<bool> {
    let select = "SELECT EXISTS (SELECT 1 FROM ended_principal WHERE name = ? AND ended_at >= ?)";
    connection.prepare_cached(select)?.query_row(params![principal, number(at.millis())], |row| row.get(0))
}
