//! Why no CRL was made.

use certgate_crl::InvalidFields;
use certgate_enrollment::{EnrollError, LedgerError};

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
    /// The work was lost.
    #[error("the work was cut short")]
    Lost,
}
