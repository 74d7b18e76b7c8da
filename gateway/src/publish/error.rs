//! Why no CRL was made.

use certgate_crl::InvalidFields;
use certgate_enrollment::{EnrollError, LedgerError};
use certgate_pki::Timestamp;

/// Nothing was published, and what was served before still is.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishError {
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// It was not signed, or not recorded.
    #[error(transparent)]
    Authority(#[from] EnrollError),
    /// No list can be made of these fields.
    #[error(transparent)]
    Fields(#[from] InvalidFields),
    /// The authority signs none.
    #[error("the authority signs no CRLs")]
    Unsigned,
    /// The certificate of the authority is over.
    #[error("the certificate of the authority is over, and so is every CRL that it could sign")]
    AuthorityOver,
    /// There is nothing that a delta could be of.
    #[error("there is no complete CRL yet that a delta could be based on")]
    NoBase,
    /// Numbers have come to their end.
    #[error("there is no CRL number after the last one")]
    NoNumber,
    /// Somebody else has recorded CRLs of the same scope, again and again.
    #[error("another publisher was faster each time")]
    Raced,
    /// Its key is elsewhere.
    #[error(
        "the key of {authority} is offline since {since}: sign its next CRL where the key is, by `certgate crl sign`, and bring it by \
         `certgate crl import`"
    )]
    Offline {
        /// The authority.
        authority: String,
        /// Since when.
        since: Timestamp,
    },
    /// What was recorded is not in its file.
    #[error("{0} could not be written below the data directory")]
    NotWritten(String),
    /// The work was lost.
    #[error("the work was cut short")]
    Lost,
}
