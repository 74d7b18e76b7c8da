//! `/v1/est/users`: credentials for EST with HTTP Basic.

use certgate_enrollment::{EstUser, EstUserAdded, EstUsers, Event, EventKind};
use certgate_pki::{Provider, Timestamp};
use certgate_policy::NamePattern;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Admin, AdminFailure, Code, Items, Paging};
use crate::auth::hash_generated;
use crate::config::Period;

/// Octets of a generated password: 128 bits, so that a fast hash of it is enough.
const PASSWORD_OCTETS: usize = 16;

/// What is asked of `POST /v1/est/users`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AddUser {
    /// The user.
    pub name: String,
    /// The endpoint; `default` if absent.
    pub endpoint: Option<String>,
    /// Names that it may have; its own if there are none.
    #[serde(default)]
    pub allow: Vec<String>,
    /// How long it is good, like `12h`.
    pub ttl: Option<String>,
}

/// A credential, the only time that its password is shown.
#[derive(Deserialize, Serialize)]
pub struct UserAdded {
    /// The user.
    pub name: String,
    /// The password.
    pub password: String,
    /// The endpoint.
    pub endpoint: String,
    /// Names that it may have.
    pub allow: Vec<String>,
    /// Until when; RFC 3339.
    pub expires_at: Option<String>,
    /// How many enrollments; no bound.
    pub uses: Option<u64>,
}

/// A credential in a list.
#[derive(Debug, Deserialize, Serialize)]
pub struct UserItem {
    /// The user.
    pub name: String,
    /// The endpoint.
    pub endpoint: String,
    /// Names that it may have.
    pub allow: Vec<String>,
    /// Since when; RFC 3339.
    pub created_at: String,
    /// Until when; RFC 3339.
    pub expires_at: Option<String>,
    /// How many certificates its principal was issued.
    pub certificates: u64,
}

/// What `DELETE /v1/est/users` has done.
#[derive(Debug, Deserialize, Serialize)]
pub struct UserRemoved {
    /// The user.
    pub name: String,
    /// How many credentials it had, one an endpoint.
    pub removed: u64,
}

/// A credential to be made.
pub struct NewUser {
    /// The user.
    pub name: String,
    /// The endpoint.
    pub endpoint: String,
    /// Names that it may have; its own if there are none.
    pub allow: Vec<NamePattern>,
    /// Until when.
    pub expires_at: Option<Timestamp>,
}

/// A credential that was made, to be recorded.
pub struct MadeUser {
    /// What is recorded.
    pub user: EstUser,
    /// With it, in the audit trail.
    pub event: Event,
    /// What is shown once.
    pub password: Zeroizing<String>,
}

impl NewUser {
    /// Makes the password: 128 random bits in hex, of which a SHA-256 is kept.
    ///
    /// # Errors
    /// [`Code::Usage`] for a name that cannot be a user's; [`Code::Failed`] when there is no randomness.
    pub fn make(self, provider: &Provider, now: Timestamp) -> Result<MadeUser, AdminFailure> {
        // RFC 7617 §2: no colon in a user-id, no control characters.
        if self.name.is_empty() || self.name.len() > 64 || self.name.chars().any(|c| c == ':' || c.is_control()) {
            let message = "the name of an EST user has 1 to 64 octets, no colon and no control characters (RFC 7617 §2)";
            return Err(AdminFailure::usage(message));
        }
        let mut random = Zeroizing::new([0; PASSWORD_OCTETS]);
        provider.random.fill(&mut *random).map_err(|error| AdminFailure::new(Code::Failed, error.to_string()))?;
        let password = Zeroizing::new(base16ct::lower::encode_string(&*random));
        let allow = if self.allow.is_empty() { NamePattern::of_principal(&self.name) } else { self.allow.clone() };
        Ok(MadeUser {
            event: added_event(now, &self, &allow),
            user: EstUser {
                secret: hash_generated(&*provider.digest, &password),
                name: self.name,
                endpoint: self.endpoint,
                allow,
                created_at: now,
                expires_at: self.expires_at,
            },
            password,
        })
    }
}

/// The grants are in the trail too: who widened them can be told.
fn added_event(now: Timestamp, user: &NewUser, allow: &[NamePattern]) -> Event {
    let mut event = operator_event(now, EventKind::EstUserAdded, &user.name, &user.endpoint);
    let allow: Vec<String> = allow.iter().map(ToString::to_string).collect();
    event.details.push(("allow", allow.join(" ")));
    event.details.extend(user.expires_at.map(|end| ("expires_at", end.to_string())));
    event
}

/// What an operator did to a credential.
#[must_use]
pub fn operator_event(at: Timestamp, kind: EventKind, user: &str, endpoint: &str) -> Event {
    let details = vec![("user", user.to_owned()), ("endpoint", endpoint.to_owned())];
    Event { at, kind, actor: "operator".into(), details }
}

impl Admin {
    pub(super) async fn add_est_user(&self, asked: AddUser) -> Result<UserAdded, AdminFailure> {
        let endpoint = asked.endpoint.unwrap_or_else(|| "default".into());
        if !self.est_endpoints.contains(&endpoint) {
            let known = self.est_endpoints.join(", ");
            return Err(
                AdminFailure::not_found(format!("there is no EST endpoint {endpoint}")).hint(format!("there are: {known}"))
            );
        }
        let pattern =
            |text: &String| text.parse::<NamePattern>().map_err(|error| AdminFailure::usage(format!("{text}: {error}")));
        let allow = asked.allow.iter().map(pattern).collect::<Result<Vec<_>, _>>()?;
        let ttl =
            asked.ttl.map(|ttl| ttl.parse::<Period>().map_err(|error| AdminFailure::usage(error.to_string()))).transpose()?;
        let now = self.base.clock.now();
        let expires_at = ttl.map(|ttl| now.after(ttl.duration()));
        let made = NewUser { name: asked.name, endpoint, allow, expires_at }.make(&self.base.provider, now)?;
        let EstUser { name, endpoint, allow, .. } = made.user.clone();
        if self.base.ledger.add(made.user, made.event).await? == EstUserAdded::Exists {
            let message = format!("there is an EST user {name} at endpoint {endpoint} already");
            return Err(AdminFailure::new(Code::Refused, message).hint(format!("certgate est user remove {name}")));
        }
        tracing::info!(user = name, endpoint, "an EST user was added");
        let allow = allow.iter().map(ToString::to_string).collect();
        let expires_at = expires_at.map(|time| time.to_string());
        Ok(UserAdded { name, password: made.password.to_string(), endpoint, allow, expires_at, uses: None })
    }

    pub(super) async fn list_est_users(&self, paging: Paging) -> Result<Items<UserItem>, AdminFailure> {
        let (limit, cursor) = paging.resolve();
        let page = self.base.ledger.list_users(limit, cursor).await?;
        let item = |(user, certificates): (EstUser, u64)| UserItem {
            name: user.name,
            endpoint: user.endpoint,
            allow: user.allow.iter().map(ToString::to_string).collect(),
            created_at: user.created_at.to_string(),
            expires_at: user.expires_at.map(|time| time.to_string()),
            certificates,
        };
        Ok(Items { items: page.items.into_iter().map(item).collect(), next: page.next.map(|cursor| cursor.0) })
    }

    pub(super) async fn remove_est_user(&self, name: &str) -> Result<UserRemoved, AdminFailure> {
        let event = operator_event(self.base.clock.now(), EventKind::EstUserRemoved, name, "*");
        match self.base.ledger.remove(name, event).await? {
            0 => Err(AdminFailure::not_found(format!("there is no EST user {name}")).hint("certgate est user list")),
            removed => {
                tracing::info!(user = name, "an EST user was removed");
                Ok(UserRemoved { name: name.to_owned(), removed })
            }
        }
    }
}
