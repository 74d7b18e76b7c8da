//! What has authenticated a principal, looked at again in the transaction that gives it something. No clock is asked: what counts is the
//! order of commits.

use certgate_enrollment::{Proof, Standing};
use rusqlite::{Connection, OptionalExtension, params};

use super::audit_chain::number;

/// How the proof of a principal stands, at this endpoint and this authority.
pub(super) fn standing(
    connection: &Connection,
    proof: &Proof,
    (principal, endpoint, authority): (&str, &str, &str),
) -> rusqlite::Result<Standing> {
    if let Some(serial) = proof.certificate() {
        let select = "SELECT EXISTS (SELECT 1 FROM certificate WHERE serial = ? AND authority = ? AND status = 0
                      AND id > coalesce((SELECT up_to FROM ended_principal WHERE name = principal), 0))";
        let values = params![serial.as_octets(), authority];
        if !connection.prepare_cached(select)?.query_row(values, |row| row.get::<_, bool>(0))? {
            return Ok(Standing::Ended);
        }
    }
    let (select, id) = match proof {
        Proof::Certificate(_) => return Ok(Standing::Good),
        Proof::Credential(id) | Proof::Both(_, id) => {
            ("SELECT uses IS NULL OR uses > 0 FROM est_user WHERE name = ? AND endpoint = ? AND id = ?", *id)
        }
        Proof::Challenge(id) => ("SELECT uses > 0 FROM scep_challenge WHERE principal = ? AND endpoint = ? AND id = ?", *id),
        Proof::Account(id) => return standing_of_account(connection, *id, endpoint),
    };
    let values = params![principal, endpoint, number(id)];
    let has_use: Option<bool> = connection.prepare_cached(select)?.query_row(values, |row| row.get(0)).optional()?;
    Ok(match has_use {
        None => Standing::Ended,
        Some(false) if proof.spends_a_use() => Standing::UsedUp,
        Some(_) => Standing::Good,
    })
}

fn standing_of_account(connection: &Connection, id: u64, endpoint: &str) -> rusqlite::Result<Standing> {
    let select = "SELECT EXISTS (SELECT 1 FROM account WHERE id = ? AND endpoint = ? AND is_valid)";
    let is_good = connection.prepare_cached(select)?.query_row(params![number(id), endpoint], |row| row.get(0))?;
    Ok(if is_good { Standing::Good } else { Standing::Ended })
}

/// Spends a use of what has a bound; says whether that is a credential that changed by it.
pub(super) fn spend(connection: &Connection, proof: &Proof, principal: &str, endpoint: &str) -> rusqlite::Result<bool> {
    let (update, is_credential) = match proof {
        Proof::Certificate(_) | Proof::Both(..) | Proof::Account(_) => return Ok(false),
        Proof::Credential(_) => ("UPDATE est_user SET uses = uses - 1 WHERE name = ? AND endpoint = ? AND uses > 0", true),
        Proof::Challenge(_) => {
            ("UPDATE scep_challenge SET uses = uses - 1 WHERE principal = ? AND endpoint = ? AND uses > 0", false)
        }
    };
    connection.prepare_cached(update)?.execute([principal, endpoint]).map(|spent| spent > 0 && is_credential)
}

/// Ends every certificate that a principal has by now.
pub(super) fn end_certificates(connection: &Connection, principal: &str) -> rusqlite::Result<()> {
    let end = "INSERT INTO ended_principal (name, up_to) VALUES (?, (SELECT coalesce(max(id), 0) FROM certificate))
               ON CONFLICT (name) DO UPDATE SET up_to = excluded.up_to";
    connection.execute(end, [principal]).map(drop)
}
