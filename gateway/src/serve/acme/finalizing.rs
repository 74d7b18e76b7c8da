//! From an order that is ready to a certificate (RFC 8555 §7.4).

use std::collections::BTreeSet;

use certgate_acme::{Finalize, Segment};
use certgate_enrollment::{Account, Order, OrderState, Outcome, Recorded};
use certgate_pki::{Csr, GeneralName, NameAttributeType, ObjectIdentifier};
use hyper::header::LOCATION;

use super::orders::order_answer;
use super::signed::ByAccount;
use super::views::Named;
use super::{AcmeService, set};
use crate::serve::answer::Answer;
use crate::serve::conclusion::Attempt;
use crate::serve::failure::AcmeFailure;
use crate::telemetry::Stopwatch;

/// emailAddress, RFC 2985 §5.2.1: an old place for a name that belongs into the subjectAltName.
const EMAIL_ADDRESS: NameAttributeType = NameAttributeType::Other(ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1"));

impl AcmeService {
    /// Makes an order a certificate, or a request that waits for a person.
    pub(super) async fn finalize(&self, by: &ByAccount<'_>, id: &Segment) -> Result<Answer, AcmeFailure> {
        let ByAccount { asked, account, payload, peer } = *by;
        let attempt = Attempt {
            operation: "finalize",
            principal: account.principal(),
            transaction: Some(id.to_string()),
            peer: peer.clone(),
            watch: Stopwatch::start(),
        };
        let (order, csr) = match self.ready(account, id, payload).await {
            Ok(ready) => ready,
            Err(failure) => {
                let refused: Result<Recorded<Outcome>, _> = Err(failure.clone());
                attempt.conclude(asked.endpoint.counted(), &refused);
                return Ok(failure.answer());
            }
        };
        // A client that hangs up drops what waits here, and must not drop what is counted and logged of a certificate.
        let (endpoint, orders, account_then) = (asked.endpoint.clone(), self.parts.orders.clone(), account.clone());
        let task = self.parts.tasks.spawn(Box::pin(async move {
            let by = (&*endpoint.authority, &endpoint.profile);
            let outcome = orders.finalize(by, &account_then, &order, csr).await.map_err(AcmeFailure::from);
            attempt.conclude(endpoint.counted(), &outcome);
            outcome.map(|outcome| Order { state: OrderState::from(&*outcome), ..order })
        }));
        let order = match task.await.unwrap_or(Err(AcmeFailure::EndedEarly)) {
            Ok(order) => order,
            // It was concluded there: nothing is logged twice.
            Err(failure) => return Ok(failure.answer()),
        };
        let mut answer = order_answer(asked, &order)?;
        set(&mut answer, LOCATION, &Named(&asked.urls).order(&order)?);
        Ok(answer)
    }

    /// An order that is ready, and a CSR that is for it.
    async fn ready(&self, account: &Account, id: &Segment, payload: &[u8]) -> Result<(Order, Csr), AcmeFailure> {
        let wish = Finalize::parse(payload)?;
        let order = self.find_order(account, id).await?;
        let stands = match &order.state {
            OrderState::Ready => None,
            OrderState::Pending => Some("pending"),
            OrderState::Processing(_) => Some("processing"),
            OrderState::Valid(_) => Some("valid"),
            OrderState::Invalid(_) => Some("invalid"),
        };
        if let Some(state) = stands {
            return Err(AcmeFailure::NotReady(state));
        }
        let csr = Csr::from_der(&wish.csr)?;
        if let Some(fault) = fault_of(&csr, account, &order) {
            return Err(AcmeFailure::OtherCsr(fault));
        }
        Ok((order, csr))
    }
}

/// What is wrong with a CSR for an order. What else it asks for is for policy to judge.
fn fault_of(csr: &Csr, account: &Account, order: &Order) -> Option<&'static str> {
    let ordered: BTreeSet<&GeneralName> = order.authorizations.iter().map(|one| &one.name).collect();
    let asked: BTreeSet<&GeneralName> = csr.requested().subject_alt_names.iter().collect();
    let subject = csr.subject().attributes();
    let mut common_names = subject.iter().filter(|one| one.kind == NameAttributeType::CommonName);
    if csr.public_key().spki() == account.public_key {
        Some("the CSR has the key of the account: a certificate has one of its own (RFC 8555 §11.1)")
    } else if asked.is_empty() {
        // RFC 8555 §7.4 lets dns identifiers stand in the common name alone. Nobody verifies a server by that any more (RFC 9525 §2).
        Some("the CSR has no subjectAltName, where the names of the order belong")
    } else if csr.requested().subject_alt_names.len() > asked.len() {
        Some("the subjectAltName of the CSR has a name twice")
    } else if asked != ordered {
        Some("the subjectAltName of the CSR has other names than the order")
    } else if common_names.any(|name| !order.has_name(&name.value)) {
        Some("the common name of the CSR is none of the names of the order")
    } else if subject.iter().any(|one| one.kind == EMAIL_ADDRESS) {
        Some("the subject of the CSR has an e-mail address, which was not ordered")
    } else {
        None
    }
}
