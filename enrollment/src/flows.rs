//! Flows of more than one step, whichever protocol they come by.

pub(crate) mod orders;
mod transactions;
