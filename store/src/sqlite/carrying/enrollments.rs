//! What was issued since the backup to requests that are asked about again: by a transaction of SCEP, an order of ACME, or the same CSR.

use rusqlite::{Connection, params_from_iter};

use super::values;

const COLUMNS: &str = "id, protocol, endpoint, operation, principal, info_sha256, profile, authority, grants, credential, voucher, renews,
                       may_omit, csr, csr_sha256, created_at, state, changed_at, reason, serial, transaction_name, challenge, account";
/// How many those are.
const COUNT: usize = 23;

/// Has each issued enrollment of that ledger in this one too, unless it is known. Whoever asks once more is given the certificate that was
/// carried over, where a ledger that knows nothing of it would issue another one.
pub(super) fn carry_issued(from: &Connection, to: &Connection) -> rusqlite::Result<u64> {
    let mut select = from.prepare(&format!("SELECT {COLUMNS} FROM enrollment WHERE state = 'issued' ORDER BY number"))?;
    let places = vec!["?"; COUNT].join(", ");
    let mut insert = to.prepare(&format!("INSERT OR IGNORE INTO enrollment ({COLUMNS}) VALUES ({places})"))?;
    let mut rows = select.query([])?;
    let mut carried = 0;
    while let Some(row) = rows.next()? {
        carried += super::changed(insert.execute(params_from_iter(values::<COUNT>(row)?))?);
    }
    Ok(carried)
}
