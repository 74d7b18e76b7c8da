//! newOrder, orders, authorizations, challenges and certificates (RFC 8555 §7.4, §7.5).

use std::time::Duration;

use certgate_acme::{ChallengeResponse, Identifier, IdentifierObject, NewOrder, PostAsGet, Segment};
use certgate_enrollment::{Account, AuthorizationRecord, AuthorizationState, LedgerError, Order, OrderFlow, OrderState};
use certgate_pki::{Certificate, pem};
use certgate_policy::{Profile, SanKind};
use hyper::header::{HeaderValue, RETRY_AFTER};

use super::endpoint::Asked;
use super::places::NoPlace;
use super::signed::ByAccount;
use super::views::{Named, retry_after};
use super::{AcmeService, append_link, created, object};
use crate::serve::answer::{self, Answer};
use crate::serve::failure::AcmeFailure;

/// The media type of a certificate chain (RFC 8555 §9.1).
const PEM_CHAIN: &str = "application/pem-certificate-chain";
/// For how long the answer to a challenge waits for its validation: what is near is validated by then, and its client need not poll.
const HOLD: Duration = Duration::from_millis(500);

impl AcmeService {
    /// RFC 8555 §7.4.
    pub(super) async fn new_order(&self, by: &ByAccount<'_>) -> Result<Answer, AcmeFailure> {
        let ByAccount { asked, account, payload, peer } = *by;
        let wish = NewOrder::parse(payload)?;
        if wish.not_before.is_some() || wish.not_after.is_some() {
            return Err(AcmeFailure::NotServed("an order with `notBefore` or `notAfter`"));
        }
        refuse_others(&wish.identifiers, &asked.endpoint.profile)?;
        let names = wish.identifiers.iter().map(Identifier::general_name).collect();
        let order = self.parts.orders.open(account, names).await?;
        let (endpoint, principal, id) = (&asked.endpoint.name, account.principal(), &order.record.id);
        tracing::info!(endpoint, principal, order = id, names = order.authorizations.len(), peer = %peer.address, "order opened");
        let named = Named(&asked.urls);
        Ok(created(&named.order_object(&order)?, &named.order(&order)?))
    }

    /// RFC 8555 §7.1.3.
    pub(super) async fn order(&self, by: &ByAccount<'_>, id: &Segment) -> Result<Answer, AcmeFailure> {
        let ByAccount { asked, account, payload, .. } = *by;
        PostAsGet::parse(payload)?;
        order_answer(asked, &self.find_order(account, id).await?)
    }

    /// The order of this name, if it is the account's.
    pub(super) async fn find_order(&self, account: &Account, id: &Segment) -> Result<Order, AcmeFailure> {
        self.parts.orders.order(account, id.as_str()).await?.ok_or(AcmeFailure::NotFound)
    }

    /// RFC 8555 §7.5.
    pub(super) async fn authorization(&self, by: &ByAccount<'_>, id: &Segment) -> Result<Answer, AcmeFailure> {
        let ByAccount { asked, account, payload, .. } = *by;
        let found = self.find_authorization(account, id).await?;
        // RFC 8555 §7.5.2 has a client deactivate it by a payload.
        if !payload.is_empty() {
            return Err(AcmeFailure::NotServed("deactivating an authorization"));
        }
        let now = self.parts.orders.clock.now();
        let mut answer = object(&Named(&asked.urls).authorization_object(&found, now)?);
        look_again(&mut answer, &found);
        Ok(answer)
    }

    /// RFC 8555 §7.5.1, or its state by POST-as-GET.
    pub(super) async fn challenge(&self, by: &ByAccount<'_>, id: &Segment) -> Result<Answer, AcmeFailure> {
        let ByAccount { asked, account, payload, .. } = *by;
        let mut found = self.find_authorization(account, id).await?;
        if !payload.is_empty() {
            ChallengeResponse::parse(payload)?;
            found = self.begin_validation(by, found).await?;
        }
        let named = Named(&asked.urls);
        let mut answer = object(&named.challenge_object(&found, self.parts.orders.clock.now())?);
        append_link(&mut answer, &named.authorization(&found)?, "up");
        look_again(&mut answer, &found);
        Ok(answer)
    }

    async fn begin_validation(
        &self,
        by: &ByAccount<'_>,
        found: AuthorizationRecord,
    ) -> Result<AuthorizationRecord, AcmeFailure> {
        let ByAccount { asked, account, peer, .. } = *by;
        let OrderFlow { clock, .. } = &self.parts.orders;
        // One that is processed while nobody works at it was cut short: whoever asks for it again has it begun again.
        let is_open = matches!(found.state, AuthorizationState::Pending | AuthorizationState::Processing);
        if !is_open || found.expires_at <= clock.now() {
            return Ok(found);
        }
        let place = match self.parts.validation.place(&found, peer.address.ip()) {
            Ok(place) => place,
            Err(NoPlace::UnderWay) => return Ok(found),
            // Nothing has begun.
            Err(NoPlace::Full) => return Err(AcmeFailure::Busy),
        };
        let (endpoint, id) = (asked.endpoint.name.clone(), found.id.clone());
        let validation = self.parts.validation.begin(place, &self.parts.orders, endpoint, (account.clone(), found.clone()));
        if let Ok(ended) = tokio::time::timeout(HOLD, validation).await {
            ended.unwrap_or(Err(LedgerError::Unavailable("the validation ended early".into())))?;
        }
        Ok(self.parts.orders.authorization(account, &id).await?.unwrap_or(found))
    }

    async fn find_authorization(&self, account: &Account, id: &Segment) -> Result<AuthorizationRecord, AcmeFailure> {
        self.parts.orders.authorization(account, id.as_str()).await?.ok_or(AcmeFailure::NotFound)
    }

    /// RFC 8555 §7.4.2: the certificate, and those that lead to the root but not that.
    pub(super) async fn certificate(&self, by: &ByAccount<'_>, id: &Segment) -> Result<Answer, AcmeFailure> {
        let ByAccount { asked, account, payload, .. } = *by;
        PostAsGet::parse(payload)?;
        let serial = self.parts.orders.certificate(account, id.as_str()).await?.ok_or(AcmeFailure::NotFound)?;
        let authority = &asked.endpoint.authority;
        let issued = self.parts.certificates.find_issued(authority.name(), &serial).await?.ok_or(AcmeFailure::NotFound)?;
        let between = authority.chain().iter().filter(|one| one.issuer().as_der() != one.subject().as_der());
        let chain = std::iter::once(issued.der.as_slice()).chain(between.map(Certificate::as_der));
        let text: String = chain.map(|der| pem::encode(pem::CERTIFICATE, der)).collect();
        Ok(answer::ok(PEM_CHAIN, text))
    }
}

/// An order, and when to look at it again.
pub(super) fn order_answer(asked: &Asked, order: &Order) -> Result<Answer, AcmeFailure> {
    let mut answer = object(&Named(&asked.urls).order_object(order)?);
    if let OrderState::Processing(waited) = order.state {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after(waited)));
    }
    Ok(answer)
}

/// RFC 8555 §7.5.1: a server MAY say when to look again at what is being validated.
fn look_again(answer: &mut Answer, authorization: &AuthorizationRecord) {
    if authorization.state == AuthorizationState::Processing {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after(Duration::ZERO)));
    }
}

/// Names that could never be certified here are refused before anything is proved about them.
fn refuse_others(identifiers: &[Identifier], profile: &Profile) -> Result<(), AcmeFailure> {
    let refused = |reason, is_refused: &dyn Fn(&Identifier) -> bool| {
        let those: Vec<IdentifierObject> =
            identifiers.iter().filter(|one| is_refused(one)).map(IdentifierObject::from).collect();
        if those.is_empty() { Ok(()) } else { Err(AcmeFailure::Rejected { identifiers: those, reason }) }
    };
    refused("a wildcard is authorized by dns-01 alone, which is not served here yet", &Identifier::is_wildcard)?;
    refused("names of this type are not certified at this endpoint", &|one| {
        SanKind::of(&one.general_name()).is_none_or(|kind| !profile.sans.contains(&kind))
    })
}
