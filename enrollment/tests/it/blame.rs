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
    let all: [(EnrollError, Blame); 28] = [
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
        (EnrollError::CredentialUsedUp, Blame::Policy),
        (EnrollError::Denied(text()), Blame::Policy),
        (EnrollError::Failed(text()), Blame::Policy),
        (EnrollError::TooManyPending, Blame::Policy),
        (EnrollError::NotAwaited, Blame::Policy),
        (EnrollError::NotRenewable("revoked"), Blame::Policy),
        (EnrollError::ProofEnded, Blame::Policy),
        (EnrollError::CredentialExpired, Blame::Policy),
        (EnrollError::UnknownTransaction, Blame::Policy),
        (EnrollError::CertificateOver, Blame::Policy),
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

const KINDS: usize = 19;

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
        EnrollError::CredentialUsedUp => 9,
        EnrollError::Denied(_) => 10,
        EnrollError::Failed(_) => 11,
        EnrollError::TooManyPending => 12,
        EnrollError::NotAwaited => 13,
        EnrollError::NotRenewable(_) => 14,
        EnrollError::ProofEnded => 15,
        EnrollError::CredentialExpired => 16,
        EnrollError::UnknownTransaction => 17,
        EnrollError::CertificateOver => 18,
    }
}

#[test]
fn what_a_person_had_to_say_is_passed_on_and_nothing_is_no_colon() {
    let told = |error: EnrollError| error.to_string();
    assert_eq!(told(EnrollError::Denied("ask the fleet's owner".into())), "the request was denied: ask the fleet's owner");
    assert_eq!(told(EnrollError::Denied(String::new())), "the request was denied");
    let failed = "the request was approved and then could not be fulfilled";
    assert_eq!(told(EnrollError::Failed("why".into())), format!("{failed}: why"));
    assert_eq!(told(EnrollError::Failed(String::new())), failed);
}
