//! `/v1/est/users`: credentials for EST with HTTP Basic.

use certgate_enrollment::{
    EstUser, EstUserAdded, EstUsers, Event, EventKind, IMPORTED_PRINCIPAL, INTERNAL_PRINCIPAL, PrincipalRemoved, SecretHash,
};
use certgate_pki::{Provider, Timestamp, is_invisible};
use certgate_policy::NamePattern;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Admin, AdminFailure, Code, Items, OPERATOR, Paging};
use crate::assemble::Base;
use crate::auth::{SALT, hash_generated};
use crate::config::{Period, ProtocolName};

/// Octets of a generated password: 128 bits, so that a fast hash of it is enough.
const PASSWORD_OCTETS: usize = 16;

/// Characters of a password that a person chooses, at the least (NIST SP 800-63B §5.1.1.1).
const MIN_PASSWORD: usize = 8;
/// Octets of such a password, at the most: it has to fit into an Authorization header.
const MAX_PASSWORD: usize = 512;

/// What is asked of `POST /v1/est/users`.
#[derive(Deserialize, Serialize)]
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
    /// For how many certificates it is good.
    pub uses: Option<u64>,
    /// Put it in the place of the one that is there, if there is one.
    #[serde(default)]
    pub replace: bool,
    /// A password that a person has chosen; one is generated if absent.
    pub password: Option<Zeroizing<String>>,
}

/// A credential; if its password was generated, the only time that it is shown.
#[derive(Deserialize, Serialize)]
pub struct UserAdded {
    /// The user.
    pub name: String,
    /// The password; absent when it was chosen.
    pub password: Option<String>,
    /// The endpoint.
    pub endpoint: String,
    /// Names that it may have.
    pub allow: Vec<String>,
    /// Until when; RFC 3339.
    pub expires_at: Option<String>,
    /// For how many certificates; absent is without bound.
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
    /// For how many certificates more; absent is without bound.
    pub uses: Option<u64>,
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
    /// How many of its requests waited for a person, and are denied now.
    pub denied: u64,
    /// Serial numbers of its certificates that are good still, or on hold, a thousand at the most. They renew themselves no more, and what they are
    /// for besides ends with them.
    pub certificates: Vec<String>,
    /// How many were revoked.
    pub revoked: u64,
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
    /// For how many certificates.
    pub uses: Option<u64>,
}

impl NewUser {
    /// The credential with what is kept of its password, and the event that goes with it.
    ///
    /// # Errors
    /// [`Code::Usage`] for a name that cannot be a user's; [`Code::Failed`] when there is no randomness.
    pub fn with(self, secret: SecretHash, provider: &Provider, now: Timestamp) -> Result<(EstUser, Event), AdminFailure> {
        // RFC 7617 §2: no colon in a user-id, no control characters.
        let is_good = |name: &str| !name.chars().any(|c| c == ':' || is_invisible(c)) && name.trim() == name;
        if self.name.is_empty() || self.name.len() > 64 || !is_good(&self.name) {
            let message = "the name of an EST user has 1 to 64 octets, no colon and no control characters (RFC 7617 §2), nor any others \
                           that cannot be seen";
            return Err(AdminFailure::usage(message));
        }
        refuse_internal(&self.name)?;
        if self.name == IMPORTED_PRINCIPAL {
            let message = format!("{} stands for the devices of CAs that were taken over, and is no EST user", self.name);
            return Err(AdminFailure::usage(message));
        }
        if self.uses == Some(0) {
            return Err(AdminFailure::usage("a credential is good for one certificate at the least: --uses 1"));
        }
        let allow = if self.allow.is_empty() { NamePattern::of_principal(&self.name) } else { self.allow };
        let Self { name, endpoint, expires_at, uses, .. } = self;
        let mut id = [0; 8];
        provider.random.fill(&mut id).map_err(|error| AdminFailure::new(Code::Failed, error.to_string()))?;
        let id = u64::from_be_bytes(id) >> 1;
        let user = EstUser { name, endpoint, secret, allow, created_at: now, expires_at, uses, id };
        let event = added_event(&user);
        Ok((user, event))
    }
}

/// Nobody has the name under which certgate has certificates of its own.
fn refuse_internal(name: &str) -> Result<(), AdminFailure> {
    if name == INTERNAL_PRINCIPAL {
        return Err(AdminFailure::usage(format!("{name} is the gateway itself, which is no EST user")));
    }
    Ok(())
}

/// A password of 128 random bits in hex; a SHA-256 of it is all that need be kept.
///
/// # Errors
/// [`Code::Failed`] when there is no randomness.
pub fn generate_password(provider: &Provider) -> Result<Zeroizing<String>, AdminFailure> {
    let mut random = Zeroizing::new([0; PASSWORD_OCTETS]);
    provider.random.fill(&mut *random).map_err(|error| AdminFailure::new(Code::Failed, error.to_string()))?;
    Ok(Zeroizing::new(base16ct::lower::encode_string(&*random)))
}

/// The grants are in the trail too: who widened them can be told.
fn added_event(user: &EstUser) -> Event {
    let mut event = operator_event(user.created_at, EventKind::EstUserAdded, &user.name, &user.endpoint);
    let allow: Vec<String> = user.allow.iter().map(ToString::to_string).collect();
    event.details.push(("allow", allow.join(" ")));
    event.details.extend(user.expires_at.map(|end| ("expires_at", end.to_string())));
    event.details.extend(user.uses.map(|uses| ("uses", uses.to_string())));
    event
}

/// What an operator did to a credential.
#[must_use]
pub fn operator_event(at: Timestamp, kind: EventKind, user: &str, endpoint: &str) -> Event {
    let details = vec![("user", user.to_owned()), ("endpoint", endpoint.to_owned())];
    Event { at, kind, actor: OPERATOR.into(), details }
}

impl Admin {
    pub(super) async fn add_est_user(&self, asked: AddUser) -> Result<UserAdded, AdminFailure> {
        let AddUser { name, endpoint, allow, ttl, uses, replace, password } = asked;
        let endpoint = self.endpoint(ProtocolName::Est, endpoint)?;
        let pattern =
            |text: &String| text.parse::<NamePattern>().map_err(|error| AdminFailure::usage(format!("{text}: {error}")));
        let allow = allow.iter().map(pattern).collect::<Result<Vec<_>, _>>()?;
        let ttl = ttl.map(|ttl| ttl.parse::<Period>().map_err(|error| AdminFailure::usage(error.to_string()))).transpose()?;
        let now = self.base.clock.now();
        let expires_at = ttl.map(|ttl| now.after(ttl.duration()));
        let (secret, shown) = self.secret(password).await?;
        let (user, event) = NewUser { name, endpoint, allow, expires_at, uses }.with(secret, &self.base.provider, now)?;
        let EstUser { name, endpoint, allow, .. } = user.clone();
        let replacing = Event { kind: EventKind::EstUserReplaced, ..event.clone() };
        if replace && self.base.ledger.replace(user.clone(), replacing).await? {
            tracing::info!(user = name, endpoint, "an EST user was replaced");
        } else if self.base.ledger.add(user, event).await? == EstUserAdded::Exists {
            let message = format!("there is an EST user {name} at endpoint {endpoint} already");
            let hint = "--replace gives it another password, other names and another end; its certificates stay as they are";
            return Err(AdminFailure::new(Code::Refused, message).hint(hint));
        } else {
            tracing::info!(user = name, endpoint, "an EST user was added");
        }
        let allow = allow.iter().map(ToString::to_string).collect();
        let expires_at = expires_at.map(|time| time.to_string());
        Ok(UserAdded { name, password: shown.map(|password| password.to_string()), endpoint, allow, expires_at, uses })
    }

    /// What is kept of a password, and what is shown of it: a generated one, once.
    async fn secret(&self, chosen: Option<Zeroizing<String>>) -> Result<(SecretHash, Option<Zeroizing<String>>), AdminFailure> {
        let Base { provider, passwords, .. } = &self.base;
        let Some(password) = chosen else {
            let password = generate_password(provider)?;
            return Ok((hash_generated(&*provider.digest, &password), Some(password)));
        };
        let is_long_enough = password.chars().count() >= MIN_PASSWORD && password.len() <= MAX_PASSWORD;
        if !is_long_enough || password.chars().any(char::is_control) {
            let message = format!(
                "a password has {MIN_PASSWORD} characters at the least, {MAX_PASSWORD} octets at the most, and no control characters \
                 (RFC 7617 §2)"
            );
            return Err(AdminFailure::usage(message));
        }
        let failed = |why: &dyn std::fmt::Display| AdminFailure::new(Code::Failed, why.to_string());
        let mut salt = [0; SALT];
        provider.random.fill(&mut salt).map_err(|error| failed(&error))?;
        let kept = passwords.hash(password, salt).await.map_err(|error| failed(&error))?;
        Ok((SecretHash::Argon2id(kept.ok_or_else(|| failed(&"the password could not be hashed"))?), None))
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
            uses: user.uses,
            certificates,
        };
        Ok(Items { items: page.items.into_iter().map(item).collect(), next: page.next.map(|cursor| cursor.0) })
    }

    /// Removes the credentials of a user, and ends what it has: nothing is approved or renewed for it any more.
    pub(super) async fn remove_est_user(&self, name: &str, revokes: bool) -> Result<UserRemoved, AdminFailure> {
        refuse_internal(name)?;
        let now = self.base.clock.now();
        let removed = self.base.ledger.remove(name, operator_event(now, EventKind::EstUserRemoved, name, "*")).await?;
        if removed == PrincipalRemoved::default() {
            return Err(AdminFailure::not_found(format!("there is no EST user {name}")).hint("certgate est user list"));
        }
        tracing::info!(user = name, "an EST user was removed");
        let revoked = if revokes { self.revoke_all_of(name).await? } else { 0 };
        let remaining = self.good_certificates_of(name).await?;
        Ok(UserRemoved {
            name: name.to_owned(),
            removed: removed.credentials,
            denied: removed.enrollments,
            certificates: remaining.into_iter().map(|record| record.serial.to_string()).collect(),
            revoked,
        })
    }
}
