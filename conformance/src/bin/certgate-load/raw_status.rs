//! What an answer of OCSP that is made anew cannot do without: a signature, and a look into the ledger.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, anyhow};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair},
};
use certgate_conformance::asn1::Element;
use rusqlite::{Connection, OpenFlags, params};
use serde::Serialize;

use crate::{raw_crypto::repeat, serials::Serials};

/// What any responder has to know of a certificate.
const READ: &str = "SELECT status, reason, changed_at, not_after FROM certificate WHERE serial = ? AND authority = ?";

/// What is signed and what is read.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// An OCSP response, whose ResponseData is signed again
    #[arg(long)]
    response: PathBuf,
    /// A ledger of certgate, in which certificates are looked up by serial number
    #[arg(long)]
    ledger: PathBuf,
    /// Name of the authority that has issued them
    #[arg(long, default_value = "default")]
    authority: String,
    /// Serial numbers of theirs: FIRST+COUNT, the first as 16 octets in hexadecimal
    #[arg(long)]
    serials: Serials,
    /// How long each is repeated
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
}

/// CPU time of each, in nanoseconds.
#[derive(Serialize)]
pub(crate) struct Costs {
    /// A ResponseData signed by aws-lc-rs, ECDSA on P-256.
    sign_ns: f64,
    /// A certificate's status, found by SQLite through its index.
    read_ns: f64,
    tbs_bytes: usize,
}

/// Measures both in loops.
pub(crate) fn measure(options: &Options) -> anyhow::Result<Costs> {
    let signature = Signature::of(&std::fs::read(&options.response)?)?;
    let reads = Reads::of(&options.ledger, &options.authority, options.serials)?;
    let sign_ns = repeat(options.seconds, || signature.make())?;
    let read_ns = repeat(options.seconds, || reads.next())?;
    Ok(Costs { sign_ns, read_ns, tbs_bytes: signature.tbs.len() })
}

/// Signs what was signed in a response.
pub(crate) struct Signature {
    tbs: Vec<u8>,
    key: EcdsaKeyPair,
    random: SystemRandom,
}

impl Signature {
    /// OCSPResponse ::= SEQUENCE { responseStatus, [0] { SEQUENCE { responseType, response OCTET STRING } } }, and in that a
    /// BasicOCSPResponse ::= SEQUENCE { tbsResponseData, … } (RFC 6960 §4.2.1).
    pub(crate) fn of(response: &[u8]) -> anyhow::Result<Self> {
        let whole = Element::parse(response)?;
        let bytes = whole.elements().get(1).and_then(|explicit| explicit.elements().first()?.elements().get(1));
        let basic = Element::parse(bytes.context("a response without responseBytes")?.octets())?;
        let tbs = basic.elements().first().context("an empty response")?.encode();
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(|_| anyhow!("no key"))?;
        Ok(Self { tbs, key, random: SystemRandom::new() })
    }

    /// Signs once.
    pub(crate) fn make(&self) -> anyhow::Result<()> {
        self.key.sign(&self.random, &self.tbs).map(drop).map_err(|_| anyhow!("no signature"))
    }
}

/// Looks certificates up, each time another one.
pub(crate) struct Reads {
    connection: Mutex<Connection>,
    authority: String,
    serials: Serials,
    next: AtomicUsize,
}

impl Reads {
    /// In this ledger, which a gateway may have open.
    pub(crate) fn of(ledger: &Path, authority: &str, serials: Serials) -> anyhow::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(ledger, flags).with_context(|| ledger.display().to_string())?;
        Ok(Self { connection: Mutex::new(connection), authority: authority.to_owned(), serials, next: AtomicUsize::new(0) })
    }

    /// Looks the next one up.
    pub(crate) fn next(&self) -> anyhow::Result<()> {
        let serial = self.serials.nth(self.next.fetch_add(1, Ordering::Relaxed));
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let row = |row: &rusqlite::Row<'_>| {
            Ok((row.get::<_, u8>(0)?, row.get::<_, Option<u8>>(1)?, row.get::<_, Option<i64>>(2)?, row.get::<_, i64>(3)?))
        };
        connection
            .prepare_cached(READ)?
            .query_row(params![serial, self.authority], row)
            .map(drop)
            .with_context(|| format!("no certificate {serial:02x?}"))
    }
}
