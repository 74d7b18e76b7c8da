//! What the socket answers when it cannot do what was asked.

use certgate_enrollment::LedgerError;
use hyper::StatusCode;
use serde::{Deserialize, Serialize};

/// `{"error":{"code","message","hint"}}`, on the socket and on stderr.
#[derive(Debug, Deserialize, Serialize)]
pub struct ErrorBody {
    /// What is wrong.
    pub error: ErrorDetails,
}

/// What is wrong.
#[derive(Debug, Deserialize, Serialize)]
pub struct ErrorDetails {
    /// For programs.
    pub code: Code,
    /// For people.
    pub message: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

/// Kinds of failures. The command line exits with 1, 2, 3 or 4 by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// It did not work; it may later.
    Failed,
    /// It was asked wrongly.
    Usage,
    /// There is no such thing.
    NotFound,
    /// It was understood and is not done.
    Refused,
}

impl Code {
    /// Exit code of the command line.
    #[must_use]
    pub const fn exit(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Refused => 4,
        }
    }
}

/// A failure on its way to the operator.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct AdminFailure {
    /// Its kind.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

impl AdminFailure {
    /// Of this kind, without a hint.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: String::new() }
    }

    /// It was asked wrongly.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// With what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    pub(super) const fn status(&self) -> StatusCode {
        match self.code {
            Code::Failed => StatusCode::SERVICE_UNAVAILABLE,
            Code::Usage => StatusCode::BAD_REQUEST,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::Refused => StatusCode::CONFLICT,
        }
    }

    /// As JSON.
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        ErrorBody { error: ErrorDetails { code: self.code, message: self.message.clone(), hint: self.hint.clone() } }
    }
}

impl From<LedgerError> for AdminFailure {
    fn from(error: LedgerError) -> Self {
        let code = match error {
            LedgerError::Unavailable(_) | LedgerError::Damaged(_) => Code::Failed,
            LedgerError::Conflict(_) => Code::Refused,
            LedgerError::BadCursor => Code::Usage,
        };
        Self::new(code, error.to_string())
    }
}

impl From<ErrorBody> for AdminFailure {
    fn from(body: ErrorBody) -> Self {
        let ErrorDetails { code, message, hint } = body.error;
        Self { code, message, hint }
    }
}
