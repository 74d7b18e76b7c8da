//! The contract of a ledger: what every implementation of the ports does. Its own tests call [`run`]; it panics at the first breach.

mod along;
mod audit;
mod authorities;
mod certificates;
mod crls;
mod enrollments;
mod est_users;
mod history;
mod orders;
mod proofs;
mod records;
mod removal;
mod status;
mod statuses;
mod transactions;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use certgate_enrollment::Ledger;

/// Runs every test, each with a ledger of its own: `make` makes an empty one.
///
/// # Panics
/// When a ledger breaks the contract.
pub async fn run(make: impl AsyncFn() -> Arc<dyn Ledger>) {
    certificates::run(&make).await;
    status::run(&make).await;
    statuses::run(&make).await;
    crls::run(&make).await;
    history::run(&make).await;
    along::run(&make).await;
    enrollments::run(&make).await;
    est_users::run(&make).await;
    proofs::run(&make).await;
    removal::run(&make).await;
    transactions::run(&make).await;
    orders::run(&make).await;
    authorities::run(&make).await;
    audit::run(&make).await;
}

/// How many events there are.
async fn events(ledger: &dyn Ledger) -> u64 {
    ledger.head().await.unwrap().events
}

/// Both at the same time: each is begun before either is waited for.
async fn both<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> [T; 2] {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    poll_fn(|context| {
        if first.is_none() {
            first = ready(one.as_mut().poll(context));
        }
        if second.is_none() {
            second = ready(other.as_mut().poll(context));
        }
        match (first.take(), second.take()) {
            (Some(one), Some(other)) => Poll::Ready([one, other]),
            (one, other) => {
                (first, second) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}

fn ready<T>(poll: Poll<T>) -> Option<T> {
    match poll {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}
