//! The contract of a ledger: what every implementation of the ports does. Its own tests call [`run`]; it panics at the first breach.

mod audit;
mod authorities;
mod certificates;
mod est_users;
mod records;

use std::sync::Arc;

use certgate_enrollment::Ledger;

/// Runs every test, each with a ledger of its own: `make` makes an empty one.
///
/// # Panics
/// When a ledger breaks the contract.
pub async fn run(make: impl AsyncFn() -> Arc<dyn Ledger>) {
    certificates::run(&make).await;
    est_users::run(&make).await;
    authorities::run(&make).await;
    audit::run(&make).await;
}

/// How many events there are.
async fn events(ledger: &dyn Ledger) -> u64 {
    ledger.head().await.unwrap().events
}
