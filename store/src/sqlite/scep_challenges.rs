//! Challenges of SCEP.

use std::time::Duration;

use async_trait::async_trait;
use certgate_enrollment::{Event, LedgerError, ScepChallenge, ScepChallenges};
use certgate_pki::{Name, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::audit_chain::number;
use super::{SqliteLedger, damaged};

const COLUMNS: &str = "id, endpoint, sha256, subject, created_at, expires_at, uses";
/// For how long after its end a challenge is kept: whoever has enrolled with it may ask once more what came of it.
const KEPT: Duration = Duration::from_secs(90 * 86_400);
/// How many that ended long ago go when one is added: more than come, and few enough to be quick.
const MOST_DROPPED: i64 = 16;

#[async_trait]
impl ScepChallenges for SqliteLedger {
    async fn add_challenge(&self, challenge: ScepChallenge, event: Event) -> Result<(), LedgerError> {
        let change = move |transaction: &mut super::Transaction<'_>| {
            drop_old(transaction.connection, event.at)?;
            let insert = format!("INSERT INTO scep_challenge (principal, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
            let values = params![
                challenge.principal(),
                number(challenge.id),
                challenge.endpoint,
                challenge.sha256,
                challenge.subject.as_ref().map(Name::as_der),
                number(challenge.created_at.millis()),
                number(challenge.expires_at.millis()),
                number(challenge.uses),
            ];
            transaction.connection.execute(&insert, values)?;
            transaction.append(&event)?;
            Ok(())
        };
        self.write("add SCEP challenge", change).await
    }

    async fn find_challenge(&self, endpoint: &str, sha256: &[u8; 32]) -> Result<Option<ScepChallenge>, LedgerError> {
        let found = self.readers.read(|connection| {
            let select = format!("SELECT {COLUMNS} FROM scep_challenge WHERE sha256 = ? AND endpoint = ?");
            connection.prepare_cached(&select)?.query_row(params![sha256.as_slice(), endpoint], Stored::read).optional()
        })?;
        found.map(Stored::challenge).transpose()
    }
}

/// Challenges are given out by the thousand, and nobody ever takes one back: what ended long ago goes. What waits for a person keeps its.
fn drop_old(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let delete = "DELETE FROM scep_challenge WHERE id IN (
                      SELECT id FROM scep_challenge WHERE expires_at < ? AND NOT EXISTS (
                          SELECT 1 FROM enrollment WHERE enrollment.principal = scep_challenge.principal
                          AND state IN ('pending', 'approved'))
                      ORDER BY expires_at LIMIT ?)";
    connection.prepare_cached(delete)?.execute(params![number(now.before(KEPT).millis()), MOST_DROPPED]).map(drop)
}

/// A row, before what is in it is judged.
struct Stored {
    id: i64,
    endpoint: String,
    sha256: [u8; 32],
    subject: Option<Vec<u8>>,
    created_at: i64,
    expires_at: i64,
    uses: i64,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            endpoint: row.get(1)?,
            sha256: row.get(2)?,
            subject: row.get(3)?,
            created_at: row.get(4)?,
            expires_at: row.get(5)?,
            uses: row.get(6)?,
        })
    }

    fn challenge(self) -> Result<ScepChallenge, LedgerError> {
        let time = |millis: i64| Timestamp::from_millis(millis.cast_unsigned());
        let subject = self.subject.map(|der| Name::from_der(&der).map_err(|_| damaged("the subject of a challenge")));
        Ok(ScepChallenge {
            id: self.id.cast_unsigned(),
            endpoint: self.endpoint,
            sha256: self.sha256,
            subject: subject.transpose()?,
            created_at: time(self.created_at),
            expires_at: time(self.expires_at),
            uses: self.uses.cast_unsigned(),
        })
    }
}
