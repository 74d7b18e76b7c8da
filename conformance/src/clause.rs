//! Clauses as data: what is asked of a server, where an RFC says so, and whether ours does it yet.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::KeyKind;

/// A suite: one protocol, or the certificate profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Suite {
    /// EST (RFC 7030, RFC 8951).
    Est,
    /// SCEP (RFC 8894).
    Scep,
    /// ACME (RFC 8555).
    Acme,
    /// OCSP (RFC 6960).
    Ocsp,
    /// CRL (RFC 5280 §5).
    Crl,
    /// The certificates themselves (RFC 5280 §4).
    X509,
}

impl fmt::Display for Suite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Est => "est",
            Self::Scep => "scep",
            Self::Acme => "acme",
            Self::Ocsp => "ocsp",
            Self::Crl => "crl",
            Self::X509 => "x509",
        })
    }
}

/// The suites whose clauses are written down.
pub const SUITES: [Suite; 6] = [Suite::Est, Suite::Scep, Suite::Acme, Suite::Ocsp, Suite::Crl, Suite::X509];

impl Suite {
    /// The clauses of the suite, in order.
    ///
    /// # Errors
    /// A suite whose clauses come later.
    pub fn clauses(self) -> anyhow::Result<Vec<Clause>> {
        let text = match self {
            Self::Est => include_str!("../clauses/est.toml"),
            Self::X509 => include_str!("../clauses/x509.toml"),
            Self::Scep => include_str!("../clauses/scep.toml"),
            Self::Acme => include_str!("../clauses/acme.toml"),
            Self::Ocsp => include_str!("../clauses/ocsp.toml"),
            Self::Crl => include_str!("../clauses/crl.toml"),
        };
        let document: Document = toml::from_str(text)?;
        Ok(document.clause)
    }
}

impl Suite {
    /// The kind of key that devices have where nobody says: RFC 8894 §3.1 encrypts to RSA keys alone.
    #[must_use]
    pub const fn usual_key(self) -> KeyKind {
        match self {
            Self::Scep => KeyKind::Rsa2048,
            Self::Est | Self::Acme | Self::Ocsp | Self::Crl | Self::X509 => KeyKind::P256,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    clause: Vec<Clause>,
}

/// One clause.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// `E16`.
    pub id: String,
    /// The request, or what is looked at.
    pub title: String,
    /// What must come of it.
    pub expected: String,
    /// What must come of it in the compatible reading, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compatible: Option<String>,
    /// Where it is written: `RFC 7030 §4.1.3`.
    pub rfc: String,
    /// How firmly.
    pub level: Level,
    /// The reading that `expected` is of; both when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
    /// Whether the gateway fulfils it.
    pub state: State,
    /// The milestone that owns an open clause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milestone: Option<String>,
    /// Why a clause is not, and will not be, fulfilled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The change to a right answer that must make the clause fail: see [`crate::transport::mutation`].
    pub mutation: String,
}

/// How firmly a clause is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// MUST in an RFC.
    Must,
    /// SHOULD in an RFC.
    Should,
    /// Follows from HTTP, good practice or what clients do.
    Derived,
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::Derived => "DERIVED",
        })
    }
}

/// How an endpoint reads what an RFC and living clients disagree about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Reading {
    /// To the letter.
    Strict,
    /// As clients need it, where nothing is weakened by it.
    #[default]
    Compatible,
}

/// Whether the gateway fulfils a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Not yet; a milestone owns it.
    Open,
    /// Yes.
    Pass,
    /// No, for a reason.
    Divergence,
}

impl Clause {
    /// The state in words, for tables.
    #[must_use]
    pub fn standing(&self) -> String {
        match self.state {
            State::Pass => "pass".into(),
            State::Open => format!("open: milestone {}", self.milestone.as_deref().unwrap_or("unknown")),
            State::Divergence => format!("divergence: {}", self.reason.as_deref().unwrap_or("unknown")),
        }
    }

    /// What is asked, in one sentence, both readings if there are two.
    #[must_use]
    pub fn requirement(&self) -> String {
        match &self.compatible {
            Some(compatible) => format!("{} → strict: {}; compatible: {compatible}", self.title, self.expected),
            None => format!("{} → {}", self.title, self.expected),
        }
    }
}
