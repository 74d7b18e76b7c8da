//! Every rule and every lint: what it lets pass, and each thing that it refuses.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod keys;
mod lints;
mod name_pattern;
mod renewal;
mod rules;
mod window;
