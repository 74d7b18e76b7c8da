//! `/v1/scep/challenges`: secrets that are given out for a certificate or a few.

use std::time::Duration;

use certgate_enrollment::{Event, EventKind, ScepChallenge, ScepChallenges};
use certgate_pki::{Name, sha256};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::est_users::generate_password;
use super::{Admin, AdminFailure, Code, OPERATOR};
use crate::config::{Period, ProtocolName};

/// How long a challenge is good when nothing else is said: devices are configured with it and enroll.
const TTL: Duration = Duration::from_secs(3600);

/// What is asked of `POST /v1/scep/challenges`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewChallenge {
    /// The endpoint; `default` if absent.
    pub endpoint: Option<String>,
    /// How long it is good, like `12h`; an hour if absent.
    pub ttl: Option<String>,
    /// For how many certificates it is good; one if absent.
    pub uses: Option<u64>,
    /// The subject that a request with it has, RFC 4514; whatever the profile permits if absent.
    pub subject: Option<String>,
}

/// A challenge, the only time that it is shown.
#[derive(Deserialize, Serialize)]
pub struct ChallengeAdded {
    /// Its text: what devices send as challengePassword.
    pub challenge: Zeroizing<String>,
    /// The endpoint.
    pub endpoint: String,
    /// Until when; RFC 3339.
    pub expires_at: String,
    /// For how many certificates.
    pub uses: u64,
    /// The principal of what it enrolls.
    pub principal: String,
}

impl Admin {
    pub(super) async fn new_scep_challenge(&self, asked: NewChallenge) -> Result<ChallengeAdded, AdminFailure> {
        let NewChallenge { endpoint, ttl, uses, subject } = asked;
        let endpoint = self.endpoint(ProtocolName::Scep, endpoint)?;
        let ttl = ttl.map(|ttl| ttl.parse::<Period>().map_err(|error| AdminFailure::usage(error.to_string()))).transpose()?;
        let subject = subject.map(|text| read_subject(&text)).transpose()?;
        let uses = uses.unwrap_or(1);
        if uses == 0 || i64::try_from(uses).is_err() {
            return Err(AdminFailure::usage("a challenge is good for one certificate at the least"));
        }
        let provider = &self.base.provider;
        let text = generate_password(provider)?;
        let mut id = [0; 8];
        provider.random.fill(&mut id).map_err(|error| AdminFailure::new(Code::Failed, error.to_string()))?;
        let now = self.base.clock.now();
        let challenge = ScepChallenge {
            id: u64::from_be_bytes(id) >> 1,
            endpoint,
            sha256: sha256(&*provider.digest, text.as_bytes()),
            subject,
            created_at: now,
            expires_at: now.after(ttl.map_or(TTL, Period::duration)),
            uses,
        };
        let added = ChallengeAdded {
            challenge: text,
            endpoint: challenge.endpoint.clone(),
            expires_at: challenge.expires_at.to_string(),
            uses,
            principal: challenge.principal(),
        };
        self.base.ledger.add_challenge(challenge.clone(), added_event(&challenge)).await?;
        tracing::info!(principal = added.principal, endpoint = added.endpoint, uses, "a SCEP challenge was given out");
        Ok(added)
    }
}

/// A subject that says whose certificate it is to be.
fn read_subject(text: &str) -> Result<Name, AdminFailure> {
    let subject: Name = text.parse().map_err(|error| AdminFailure::usage(format!("{text}: {error}")))?;
    if subject.is_empty() {
        return Err(AdminFailure::usage("the subject is empty; leave --subject out for whatever the profile permits"));
    }
    Ok(subject)
}

fn added_event(challenge: &ScepChallenge) -> Event {
    let mut details = vec![
        ("principal", challenge.principal()),
        ("endpoint", challenge.endpoint.clone()),
        ("expires_at", challenge.expires_at.to_string()),
        ("uses", challenge.uses.to_string()),
    ];
    details.extend(challenge.subject.as_ref().map(|subject| ("subject", subject.to_string())));
    Event { at: challenge.created_at, kind: EventKind::ScepChallengeAdded, actor: OPERATOR.into(), details }
}
