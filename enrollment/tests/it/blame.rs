//! Invariant 7: every error says who has to act.

use certgate_ca_backend_api::BackendError;
use certgate_enrollment::{Blame, EnrollError, LedgerError};
use certgate_pki::{CryptoError, CsrError};
use certgate_policy::{IssuerExpired, LintFailure, Refusal};

#[test]
fn every_error_has_its_blame() {
    let text = || "x".to_owned();
    let refusal = Refusal { rule: "names", citation: "RFC 7030", reason: text() };
    let lint = LintFailure { lint: "extensions-once", citation: "RFC 5280", reason: text() };
    let all: [(EnrollError, Blame); 18] = [
        (CsrError::TooLarge.into(), Blame::Client),
        (CsrError::Malformed("version").into(), Blame::Client),
        (CsrError::UnsupportedSignature.into(), Blame::Client),
        (CsrError::BadSignature.into(), Blame::Client),
        (refusal.into(), Blame::Policy),
        (IssuerExpired.into(), Blame::Backend),
        (BackendError::Rejected(text()).into(), Blame::Backend),
        (BackendError::Retryable(text()).into(), Blame::Backend),
        (BackendError::Misconfigured(text()).into(), Blame::Backend),
        (EnrollError::NotAsOrdered("another key"), Blame::Backend),
        (LedgerError::Unavailable(text()).into(), Blame::Store),
        (LedgerError::Damaged(text()).into(), Blame::Store),
        (LedgerError::Conflict("x").into(), Blame::Store),
        (lint.into(), Blame::Bug),
        (CryptoError::Failed("x").into(), Blame::Bug),
        (CryptoError::Unsupported("x").into(), Blame::Bug),
        (CryptoError::UnusableKey("x").into(), Blame::Bug),
        (EnrollError::WrongAuthority { authorized: text(), brought: text() }, Blame::Bug),
    ];
    let mut seen = Vec::new();
    for (error, blame) in all {
        assert_eq!(error.blame(), blame, "{error}");
        assert!(!error.to_string().is_empty());
        seen.push(kind(&error));
    }
    seen.dedup();
    assert_eq!(seen, (0..KINDS).collect::<Vec<_>>(), "every variant is in the list");
}

const KINDS: usize = 9;

/// Exhaustive, so that a new variant must be listed above.
fn kind(error: &EnrollError) -> usize {
    match error {
        EnrollError::Csr(_) => 0,
        EnrollError::Refused(_) => 1,
        EnrollError::IssuerExpired(_) => 2,
        EnrollError::Backend(_) => 3,
        EnrollError::NotAsOrdered(_) => 4,
        EnrollError::Ledger(_) => 5,
        EnrollError::Lint(_) => 6,
        EnrollError::Crypto(_) => 7,
        EnrollError::WrongAuthority { .. } => 8,
    }
}
