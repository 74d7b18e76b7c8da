//! What the ledger holds, as clients read it (RFC 8555 §7.1).

use std::time::Duration;

use certgate_acme::{
    Account as AccountObject, AccountStatus, Authorization, AuthorizationStatus, Challenge, ChallengeStatus, ChallengeType,
    Contact, ErrorType, Identifier, Order as OrderObject, OrderStatus, Problem, Resource, Segment, Token, Urls,
};
use certgate_enrollment::{Account, AuthorizationRecord, AuthorizationState, Order, OrderState};
use certgate_pki::{GeneralName, Timestamp};

use crate::auth::account_segment;
use crate::serve::failure::AcmeFailure;

/// Seconds until a client looks again, at the least: shorter ones make a storm.
const LEAST_WAIT: u64 = 2;
/// At the most: some clients give up on longer ones.
const MOST_WAIT: u64 = 15;
/// In between it is this part of the time that was waited already.
const WAIT_SHARE: u64 = 4;

/// The URLs of one endpoint, for what is named by the ledger.
pub(super) struct Named<'u>(pub(super) &'u Urls);

impl Named<'_> {
    /// Of an account.
    pub(super) fn account(&self, account: &Account) -> Result<String, AcmeFailure> {
        self.of(Resource::Account, &account_segment(account))
    }

    /// Of an order.
    pub(super) fn order(&self, order: &Order) -> Result<String, AcmeFailure> {
        self.of(Resource::Order, &order.record.id)
    }

    /// Of an authorization.
    pub(super) fn authorization(&self, authorization: &AuthorizationRecord) -> Result<String, AcmeFailure> {
        self.of(Resource::Authorization, &authorization.id)
    }

    fn of(&self, kind: fn(Segment) -> Resource, id: &str) -> Result<String, AcmeFailure> {
        let id = Segment::parse(id).ok_or(AcmeFailure::Inconsistent("a name that cannot stand in a URL"))?;
        Ok(self.0.of(&kind(id)))
    }

    /// RFC 8555 §7.1.2.
    pub(super) fn account_object(&self, account: &Account) -> Result<AccountObject, AcmeFailure> {
        Ok(AccountObject {
            status: if account.is_valid { AccountStatus::Valid } else { AccountStatus::Revoked },
            contact: account.contact.iter().filter_map(|contact| Contact::parse(contact).ok()).collect(),
            orders: self.of(Resource::Orders, &account_segment(account))?,
        })
    }

    /// RFC 8555 §7.1.3.
    pub(super) fn order_object(&self, order: &Order) -> Result<OrderObject, AcmeFailure> {
        let id = &order.record.id;
        let authorizations = &order.authorizations;
        let (status, certificate, error) = match &order.state {
            OrderState::Pending => (OrderStatus::Pending, None, None),
            OrderState::Ready => (OrderStatus::Ready, None, None),
            OrderState::Processing(_) => (OrderStatus::Processing, None, None),
            OrderState::Valid(_) => (OrderStatus::Valid, Some(self.of(Resource::Certificate, id)?), None),
            OrderState::Invalid(reason) => {
                let failed = authorizations.iter().find_map(|one| one.error.as_ref());
                let kind = failed.map_or(ErrorType::Unauthorized, |error| error_type(&error.kind));
                (OrderStatus::Invalid, None, Some(Problem::new(kind, reason)))
            }
        };
        Ok(OrderObject {
            status,
            expires: Some(order.record.expires_at),
            identifiers: authorizations.iter().map(|one| identifier(&one.name)).collect::<Result<_, _>>()?,
            not_before: None,
            not_after: None,
            error,
            authorizations: authorizations.iter().map(|one| self.authorization(one)).collect::<Result<_, _>>()?,
            finalize: self.of(Resource::Finalize, id)?,
            certificate,
        })
    }

    /// RFC 8555 §7.1.4.
    pub(super) fn authorization_object(
        &self,
        authorization: &AuthorizationRecord,
        now: Timestamp,
    ) -> Result<Authorization, AcmeFailure> {
        let is_over = authorization.expires_at <= now;
        let status = match authorization.state {
            AuthorizationState::Invalid => AuthorizationStatus::Invalid,
            _ if is_over => AuthorizationStatus::Expired,
            AuthorizationState::Pending | AuthorizationState::Processing => AuthorizationStatus::Pending,
            AuthorizationState::Valid => AuthorizationStatus::Valid,
        };
        Ok(Authorization {
            identifier: identifier(&authorization.name)?,
            status,
            expires: Some(authorization.expires_at),
            challenges: vec![self.challenge_object(authorization, now)?],
            wildcard: false,
        })
    }

    /// RFC 8555 §8.
    pub(super) fn challenge_object(
        &self,
        authorization: &AuthorizationRecord,
        now: Timestamp,
    ) -> Result<Challenge, AcmeFailure> {
        let status = match authorization.state {
            // Nothing comes of it any more.
            AuthorizationState::Pending if authorization.expires_at <= now => ChallengeStatus::Invalid,
            AuthorizationState::Pending => ChallengeStatus::Pending,
            AuthorizationState::Processing => ChallengeStatus::Processing,
            AuthorizationState::Valid => ChallengeStatus::Valid,
            AuthorizationState::Invalid => ChallengeStatus::Invalid,
        };
        let error = authorization.error.as_ref();
        Ok(Challenge {
            kind: ChallengeType::Http01,
            url: self.of(Resource::Challenge, &authorization.id)?,
            status,
            token: Token::parse(&authorization.token).ok_or(AcmeFailure::Inconsistent("a token that is none"))?,
            validated: (authorization.state == AuthorizationState::Valid).then(|| authorization.changed_at.floor_to_second()),
            error: error.map(|error| Problem::new(error_type(&error.kind), &error.detail)),
        })
    }
}

/// When to look again at what has been processed for so long.
pub(super) fn retry_after(waited: Duration) -> u64 {
    (waited.as_secs() / WAIT_SHARE).clamp(LEAST_WAIT, MOST_WAIT)
}

/// The identifier of a name that was ordered.
pub(super) fn identifier(name: &GeneralName) -> Result<Identifier, AcmeFailure> {
    match name {
        GeneralName::Dns(name) => Ok(Identifier::Dns(name.clone())),
        GeneralName::Ip(address) => Ok(Identifier::Ip(*address)),
        GeneralName::Email(_) | GeneralName::Uri(_) | GeneralName::Other(_) => {
            Err(AcmeFailure::Inconsistent("an order of a name that is no identifier"))
        }
    }
}

/// The type that a validation's error was recorded with.
fn error_type(token: &str) -> ErrorType {
    ErrorType::ALL.into_iter().find(|kind| kind.token() == token).unwrap_or(ErrorType::IncorrectResponse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_look_again_soon_and_not_too_soon() {
        let after = |seconds| retry_after(Duration::from_secs(seconds));
        assert_eq!([after(0), after(8), after(20), after(3600)], [2, 2, 5, 15]);
    }

    #[test]
    fn errors_are_told_by_the_type_they_were_recorded_with() {
        assert_eq!(error_type("dns"), ErrorType::Dns);
        assert_eq!(error_type("something of later"), ErrorType::IncorrectResponse);
    }
}
