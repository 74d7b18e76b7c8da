//! Flows of more than one step, whichever protocol they come by.

mod transactions;
