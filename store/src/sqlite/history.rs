//! What authorities did before they came here.

use std::collections::BTreeMap;

use async_trait::async_trait;
use certgate_enrollment::{
    CertificateImported, CertificateRecord, CertificateState, CertificateStatus, CrlRecord, EntryImported, Event, History,
    LedgerError, ListedCertificate,
};
use certgate_pki::Serial;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::audit_chain::number;
use super::certificates::{conflict, insert, update_status};
use super::status::{StatusColumns, second};
use super::statuses::{self, Watchers};
use super::writer::WriteError;
use super::{SqliteLedger, Transaction, crls, damaged};

const SELECT_LISTED: &str =
    "SELECT authority, serial, not_after, status, reason, changed_at, invalid_since FROM listed_certificate WHERE serial = ?";

#[async_trait]
impl History for SqliteLedger {
    async fn import_certificates(
        &self,
        certificates: Vec<(CertificateRecord, Event)>,
    ) -> Result<Vec<CertificateImported>, LedgerError> {
        let watchers = self.watchers.clone();
        let change = move |transaction: &mut Transaction<'_>| {
            let (mut came, mut new) = (Vec::with_capacity(certificates.len()), Vec::new());
            for (compared, (certificate, event)) in
                compare(transaction.connection, &certificates)?.into_iter().zip(&certificates)
            {
                match compared {
                    Compared::Known => came.push(CertificateImported::Known),
                    Compared::New(listed) => {
                        came.push(CertificateImported::Recorded);
                        new.push((certificate, event, listed));
                    }
                }
            }
            for (certificate, event, listed) in new {
                record(transaction, certificate, listed, &watchers)?;
                transaction.append(event)?;
            }
            Ok(came)
        };
        self.write("import certificates", change).await
    }

    async fn import_entries(&self, entries: Vec<(ListedCertificate, Event)>) -> Result<Vec<EntryImported>, LedgerError> {
        let watchers = self.watchers.clone();
        let change = move |transaction: &mut Transaction<'_>| {
            let found = look_up(transaction.connection, &entries)?;
            let mut statuses: BTreeMap<_, _> =
                found.iter().map(|(key, found)| (*key, found.as_ref().map(Found::status))).collect();
            let mut came = Vec::with_capacity(entries.len());
            for (entry, event) in &entries {
                let key = (entry.authority.as_str(), &entry.serial);
                let before = statuses.insert(key, Some(entry.status)).flatten();
                if let Some(before) = before.filter(|before| !before.gives_way_to(entry.status)) {
                    statuses.insert(key, Some(before));
                    came.push(EntryImported::Stands);
                    continue;
                }
                let recorded = found.get(&key).and_then(Option::as_ref).and_then(Found::recorded);
                came.push(take(transaction, entry, (recorded, before), &watchers)?);
                transaction.append(event)?;
            }
            Ok(came)
        };
        self.write("import the entries of a CRL", change).await
    }

    async fn import_crl(&self, authority: &str, crl: u64, crls: Vec<CrlRecord>, event: Event) -> Result<bool, LedgerError> {
        let authority = authority.to_owned();
        let change = move |transaction: &mut Transaction<'_>| {
            let connection = transaction.connection;
            if last_imported(connection, &authority)?.is_some_and(|last| last >= number(crl)) {
                return Ok(false);
            }
            let insert = "INSERT INTO imported_crl (authority, number, imported_at) VALUES (?, ?, ?)";
            connection.execute(insert, params![authority, number(crl), number(event.at.millis())])?;
            for record in &crls {
                if crls::greatest_number(connection, &record.scope)? < record.number {
                    crls::insert(connection, record, true)?;
                }
            }
            transaction.append(&event)?;
            Ok(true)
        };
        self.write("import the number of a CRL", change).await
    }

    async fn last_imported_crl(&self, authority: &str) -> Result<Option<u64>, LedgerError> {
        let last = self.readers.read(|connection| last_imported(connection, authority))?;
        Ok(last.map(i64::cast_unsigned))
    }

    async fn find_listed(&self, serial: &Serial) -> Result<Option<ListedCertificate>, LedgerError> {
        let found = self.readers.read(|connection| {
            let mut select = connection.prepare_cached(&format!("{SELECT_LISTED} ORDER BY authority LIMIT 1"))?;
            select.query_row([serial.as_octets()], Stored::read).optional()
        })?;
        found.map(Stored::listed).transpose()
    }

    async fn authorities_of(&self, serial: &Serial) -> Result<Vec<String>, LedgerError> {
        let select = "SELECT authority FROM certificate WHERE serial = ?1
                      UNION SELECT authority FROM listed_certificate WHERE serial = ?1 ORDER BY authority";
        self.readers.read(|connection| {
            let mut select = connection.prepare_cached(select)?;
            select.query_map([serial.as_octets()], |row| row.get(0))?.collect()
        })
    }

    async fn count_listed(&self, authority: &str) -> Result<u64, LedgerError> {
        let select = "SELECT count(*) FROM listed_certificate WHERE authority = ?";
        let count: i64 =
            self.readers.read(|connection| connection.prepare_cached(select)?.query_row([authority], |row| row.get(0)))?;
        Ok(count.cast_unsigned())
    }
}

fn last_imported(connection: &Connection, authority: &str) -> rusqlite::Result<Option<i64>> {
    let select = "SELECT max(number) FROM imported_crl WHERE authority = ?";
    connection.prepare_cached(select)?.query_row([authority], |row| row.get(0))
}

/// What is to come of a certificate.
enum Compared {
    /// It is recorded already, or comes before in the batch.
    Known,
    /// It is to be recorded, and this was listed of it until now.
    New(Option<ListedCertificate>),
}

/// Before anything is written.
fn compare(connection: &Connection, certificates: &[(CertificateRecord, Event)]) -> Result<Vec<Compared>, WriteError> {
    let mut select = connection.prepare_cached("SELECT der FROM certificate WHERE serial = ? AND authority = ?")?;
    let mut of_batch = BTreeMap::new();
    let mut compared = Vec::with_capacity(certificates.len());
    for (certificate, _) in certificates {
        let CertificateRecord { serial, authority, der, .. } = certificate;
        let recorded: Option<Vec<u8>> =
            select.query_row(params![serial.as_octets(), authority], |row| row.get(0)).optional()?;
        let earlier = of_batch.insert((authority, serial), der).or(recorded.as_ref());
        compared.push(match earlier {
            None => Compared::New(find_listed(connection, authority, serial)?),
            Some(earlier) if earlier == der => Compared::Known,
            Some(_) => return Err(conflict()),
        });
    }
    Ok(compared)
}

/// Of a certificate that only a CRL has named the ledger has the certificate itself from here on.
pub(super) fn unlist(connection: &Connection, authority: &str, serial: &Serial) -> rusqlite::Result<()> {
    let delete = "DELETE FROM listed_certificate WHERE authority = ? AND serial = ?";
    connection.prepare_cached(delete)?.execute(params![authority, serial.as_octets()]).map(drop)
}

/// Records a certificate, as what was listed of it until now.
fn record(
    transaction: &mut Transaction<'_>,
    certificate: &CertificateRecord,
    listed: Option<ListedCertificate>,
    watchers: &Watchers,
) -> Result<(), WriteError> {
    let mut certificate = certificate.clone();
    if let Some(listed) = listed {
        unlist(transaction.connection, &certificate.authority, &certificate.serial)?;
        certificate.status = listed.status;
    }
    insert(transaction, &certificate, watchers)
}

/// What the ledger has of a certificate that a CRL names.
enum Found {
    Recorded(CertificateState),
    Listed(CertificateStatus),
}

impl Found {
    const fn status(&self) -> CertificateStatus {
        match self {
            Self::Recorded(state) => state.status,
            Self::Listed(status) => *status,
        }
    }

    const fn recorded(&self) -> Option<&CertificateState> {
        match self {
            Self::Recorded(state) => Some(state),
            Self::Listed(_) => None,
        }
    }
}

/// By authority and serial number, before anything is written.
type AllFound<'e> = BTreeMap<(&'e str, &'e Serial), Option<Found>>;

fn look_up<'e>(connection: &Connection, entries: &'e [(ListedCertificate, Event)]) -> Result<AllFound<'e>, WriteError> {
    let mut all = AllFound::new();
    for (ListedCertificate { authority, serial, .. }, _) in entries {
        let found = match statuses::recorded_state(connection, authority, serial)? {
            Some(state) => Some(Found::Recorded(state.map_err(WriteError::Refused)?)),
            None => find_listed(connection, authority, serial)?.map(|listed| Found::Listed(listed.status)),
        };
        all.insert((authority.as_str(), serial), found);
    }
    Ok(all)
}

/// Has a certificate be as the entry of a CRL says, after what it was `before`.
fn take(
    transaction: &mut Transaction<'_>,
    entry: &ListedCertificate,
    (recorded, before): (Option<&CertificateState>, Option<CertificateStatus>),
    watchers: &Watchers,
) -> rusqlite::Result<EntryImported> {
    let (connection, ListedCertificate { authority, serial, status, .. }) = (transaction.connection, entry);
    match (recorded, before) {
        (Some(state), Some(before)) => {
            update_status(connection, (authority, serial), before, *status)?;
            let state = CertificateState { status: *status, ..state.clone() };
            statuses::append(transaction, authority, state, watchers)?;
            Ok(EntryImported::Changed)
        }
        _ => {
            replace(connection, entry)?;
            statuses::append(transaction, authority, entry.state(), watchers)?;
            Ok(EntryImported::Listed)
        }
    }
}

/// What only a CRL has named.
pub(super) fn find_listed(
    connection: &Connection,
    authority: &str,
    serial: &Serial,
) -> Result<Option<ListedCertificate>, WriteError> {
    let mut select = connection.prepare_cached(&format!("{SELECT_LISTED} AND authority = ?"))?;
    let found = select.query_row(params![serial.as_octets(), authority], Stored::read).optional()?;
    found.map(Stored::listed).transpose().map_err(WriteError::Refused)
}

fn replace(connection: &Connection, entry: &ListedCertificate) -> rusqlite::Result<()> {
    let insert = "INSERT OR REPLACE INTO listed_certificate (authority, serial, shard, not_after, no_rev_avail, status, reason,
                  changed_at, invalid_since) VALUES (?, ?, 0, ?, 0, ?, ?, ?, ?)";
    let StatusColumns { status, reason, changed_at, invalid_since } = entry.status.into();
    let values = params![
        entry.authority,
        entry.serial.as_octets(),
        number(entry.not_after.seconds()),
        status,
        reason,
        changed_at,
        invalid_since
    ];
    connection.prepare_cached(insert)?.execute(values).map(drop)
}

/// A row, before what is in it is judged.
struct Stored {
    authority: String,
    serial: Vec<u8>,
    not_after: i64,
    status: StatusColumns,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { authority: row.get(0)?, serial: row.get(1)?, not_after: row.get(2)?, status: StatusColumns::read(row, 3)? })
    }

    fn listed(self) -> Result<ListedCertificate, LedgerError> {
        Ok(ListedCertificate {
            authority: self.authority,
            serial: Serial::from_octets(&self.serial).ok_or_else(|| damaged("a serial number"))?,
            not_after: second(self.not_after),
            status: self.status.status()?,
        })
    }
}
