//! A head with its signature: a line of JSON that a stranger can verify.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use certgate_enrollment::AuditHead;
use certgate_pki::{CryptoError, Timestamp};
use serde::{Deserialize, Serialize};

use super::{AuditKey, KeyId};

/// How a statement begins: what it is, and the version of its form.
const BEGINNING: &str = "certgate audit head 1 ";

/// What is signed: at this time the trail ended here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Where it ended.
    pub head: AuditHead,
    /// When, to the second.
    pub at: Timestamp,
    /// Whose signature it has.
    pub key: KeyId,
}

/// The octets that are signed: one line of ASCII without its end.
impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { head: AuditHead { events, hash }, at, key } = self;
        let hash = base16ct::lower::encode_string(hash);
        write!(f, "{BEGINNING}events={events} head={hash} at={at} key={key}")
    }
}

impl FromStr for Statement {
    type Err = HeadFault;

    /// Reads what is written by [`Self::fmt`], and nothing else.
    fn from_str(text: &str) -> Result<Self, HeadFault> {
        let read = || {
            let mut parts = text.strip_prefix(BEGINNING)?.split(' ');
            let mut value = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix('=');
            let (events, hash) = (value("events")?.parse().ok()?, octets(value("head")?)?);
            let at: jiff::Timestamp = value("at")?.parse().ok()?;
            let at = Timestamp::from_seconds(u64::try_from(at.as_second()).ok()?);
            Some(Self { head: AuditHead { events, hash }, at, key: KeyId(octets(value("key")?)?) })
        };
        read().filter(|statement| statement.to_string() == text).ok_or(HeadFault::Unreadable)
    }
}

fn octets(hex: &str) -> Option<[u8; 32]> {
    let mut octets = [0; 32];
    base16ct::lower::decode(hex, &mut octets).is_ok_and(|read| read.len() == 32).then_some(octets)
}

/// A statement and its signature, base64.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct SignedHead {
    /// The octets that are signed.
    pub statement: String,
    /// ECDSA on P-256 with SHA-256 over them, DER in base64.
    pub signature: String,
}

impl SignedHead {
    /// Signs a statement.
    ///
    /// # Errors
    /// When the key fails.
    pub fn sign(statement: &Statement, key: &AuditKey) -> Result<Self, CryptoError> {
        let statement = statement.to_string();
        let signature = Base64::encode_string(&key.sign(&statement)?);
        Ok(Self { statement, signature })
    }

    /// Reads a line.
    ///
    /// # Errors
    /// [`HeadFault::Unreadable`].
    pub fn read(line: &str) -> Result<Self, HeadFault> {
        serde_json::from_str(line).map_err(|_| HeadFault::Unreadable)
    }

    /// What it states, if the signature is that of a known key.
    fn verified(&self, key: &AuditKey) -> Result<Statement, HeadFault> {
        let statement: Statement = self.statement.parse()?;
        let signature = Base64::decode_vec(&self.signature).map_err(|_| HeadFault::Unreadable)?;
        match key.verifies(statement.key, &self.statement, &signature) {
            Some(true) => Ok(statement),
            Some(false) => Err(HeadFault::BadSignature),
            None => Err(HeadFault::UnknownKey),
        }
    }
}

/// Why a line proves nothing, or proves something that is not so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadFault {
    /// No line of ours.
    #[error("the line is no signed head")]
    Unreadable,
    /// By a key that this gateway has never had, or has lost with its public half.
    #[error("the head is signed by a key that audit.pub.pem does not have")]
    UnknownKey,
    /// Changed, or made up.
    #[error("the signature of the head does not verify")]
    BadSignature,
    /// Signed, and not there.
    #[error("the trail does not pass this head: it was truncated or rewritten, or is that of an older backup")]
    Missed,
}

/// Signed heads, as far as they are in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CheckedHeads {
    /// Those before the first fault, a line each.
    pub(crate) heads: Vec<AuditHead>,
    /// What is wrong with the line after them.
    pub(crate) fault: Option<HeadFault>,
}

/// Checks the signatures of a file of signed heads. A last line that has no end and cannot be read was being written, and does not count.
pub(crate) fn check(text: &str, key: &AuditKey) -> CheckedHeads {
    let mut heads = Vec::new();
    for line in text.split_inclusive('\n') {
        let signed = SignedHead::read(line);
        if signed.is_err() && !line.ends_with('\n') {
            break;
        }
        match signed.and_then(|signed| signed.verified(key)) {
            Ok(statement) => heads.push(statement.head),
            Err(fault) => return CheckedHeads { heads, fault: Some(fault) },
        }
    }
    CheckedHeads { heads, fault: None }
}

#[cfg(test)]
mod tests {
    use certgate_pki::KeyType;
    use certgate_testkit::NOW;

    use super::*;

    fn key() -> AuditKey {
        let provider = certgate_crypto::provider();
        let made = provider.sign.generate(KeyType::P256).unwrap();
        AuditKey::new(made.key, &[], provider)
    }

    fn line(events: u64, key: &AuditKey) -> String {
        let head = AuditHead { events, hash: [u8::try_from(events).unwrap(); 32] };
        let statement = Statement { head, at: NOW.floor_to_second(), key: key.id() };
        serde_json::to_string(&SignedHead::sign(&statement, key).unwrap()).unwrap() + "\n"
    }

    #[test]
    fn a_statement_is_read_as_it_is_written_and_in_no_other_form() {
        let head = AuditHead { events: 7, hash: [0xab; 32] };
        let statement = Statement { head, at: Timestamp::from_seconds(1_790_000_000), key: KeyId([0xcd; 32]) };
        let text = statement.to_string();
        let expected =
            format!("certgate audit head 1 events=7 head={} at=2026-09-21T14:13:20Z key={}", "ab".repeat(32), "cd".repeat(32));
        assert_eq!((text.as_str(), text.parse()), (expected.as_str(), Ok(statement)));
        for (from, to) in [
            ("head 1", "head 2"),
            ("=7", "=07"),
            ("=7", "=-7"),
            ("ab", "AB"),
            ("20Z", "20.5Z"),
            (" key=cd", " key="),
            ("Z", "Z "),
        ] {
            assert_eq!(text.replacen(from, to, 1).parse::<Statement>(), Err(HeadFault::Unreadable), "{from} -> {to}");
        }
    }

    #[test]
    fn the_first_line_that_is_not_in_order_is_told() {
        let (key, other) = (key(), key());
        let good = line(1, &key) + &line(2, &key);
        let heads = [1, 2].map(|events| AuditHead { events, hash: [u8::try_from(events).unwrap(); 32] });
        let forged = line(3, &key).replace("events=3", "events=4");
        for (more, fault) in [
            ("", None),
            ("{\"statement\":\"certgate aud", None),
            ("\n", Some(HeadFault::Unreadable)),
            ("{\"statement\":\"certgate aud\n", Some(HeadFault::Unreadable)),
            (&line(3, &other), Some(HeadFault::UnknownKey)),
            (&forged, Some(HeadFault::BadSignature)),
        ] {
            let checked = check(&format!("{good}{more}"), &key);
            assert_eq!(checked, CheckedHeads { heads: heads.to_vec(), fault }, "{more}");
        }
        assert_eq!(check(good.trim_end(), &key).heads, heads, "a copy may lack the last line end");
        // Another key signs now; lines of the one before it are still good.
        let earlier = key.public_key().clone();
        let provider = certgate_crypto::provider();
        let next = AuditKey::new(provider.sign.generate(KeyType::P256).unwrap().key, &[earlier], provider);
        assert_eq!(check(&(good + &line(3, &next)), &next).heads.len(), 3);
    }
}
