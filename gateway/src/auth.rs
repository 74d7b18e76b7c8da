//! Who asks: credentials, as the codecs have parsed them, become a principal.

mod basic;

pub use basic::{BasicAuthenticator, Denied, hash_generated};
