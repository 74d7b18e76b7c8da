//! Who asks by SCEP: whoever has been given a challenge (RFC 8894 §2.3).

use std::sync::Arc;

use certgate_enrollment::{LedgerError, Principal, Proof, ScepChallenges};
use certgate_pki::{Csr, Digest, NameAttributeType, sha256};
use certgate_policy::NamePattern;

/// Why nobody was authenticated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeDenied {
    /// The request has none.
    #[error("the request has no challengePassword (RFC 8894 §2.3)")]
    Missing,
    /// None that was given out for this endpoint.
    #[error("the challenge is wrong, or is for another endpoint")]
    Wrong,
    /// It was given out for another subject.
    #[error("the challenge was given out for another subject than the request has")]
    OtherSubject,
    /// It could not be looked up.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Looks challenges up.
pub struct ChallengeAuthenticator {
    challenges: Arc<dyn ScepChallenges>,
    digest: Arc<dyn Digest>,
}

impl ChallengeAuthenticator {
    /// Against these challenges.
    #[must_use]
    pub fn new(challenges: Arc<dyn ScepChallenges>, digest: Arc<dyn Digest>) -> Self {
        Self { challenges, digest }
    }

    /// The principal behind the challengePassword of a request. Whether its time is over, or it is used up, is for the core to say: what
    /// was begun with it goes on.
    ///
    /// # Errors
    /// [`ChallengeDenied`].
    pub async fn authenticate(&self, csr: &Csr, endpoint: &str) -> Result<Principal, ChallengeDenied> {
        let text = csr.challenge_password().filter(|text| !text.is_empty()).ok_or(ChallengeDenied::Missing)?;
        // It is looked for by its hash: whatever the time of a look-up tells is about that.
        let challenge = self.challenges.find_challenge(endpoint, &sha256(&*self.digest, text.as_bytes())).await?;
        let challenge = challenge.ok_or(ChallengeDenied::Wrong)?;
        if challenge.subject.as_ref().is_some_and(|subject| subject.as_set() != csr.subject().as_set()) {
            return Err(ChallengeDenied::OtherSubject);
        }
        let grants = match &challenge.subject {
            Some(subject) => subject
                .attributes()
                .iter()
                .filter(|attribute| attribute.kind == NameAttributeType::CommonName)
                .flat_map(|attribute| NamePattern::of_principal(&attribute.value))
                .collect(),
            None => vec![NamePattern::Any],
        };
        let ends_at = Some(challenge.expires_at);
        Ok(Principal { name: challenge.principal(), grants, proof: Proof::Challenge(challenge.id), ends_at })
    }
}
