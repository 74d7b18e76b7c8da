//! What the fuzz targets share: cryptography that says yes, so that the fuzzer gets past signatures, an authority made of it, and DER that
//! is written by the fuzzer's choice.

mod authority;
pub mod der;
mod granted;
mod ledger;
mod no_crypto;
mod octets;

pub use authority::{Authority, authority, issue, profile, root};
pub use granted::{allowed_names, assert_end_entity, is_allowed, is_allowed_common_name, read_by_another};
pub use ledger::Records;
pub use no_crypto::{Witness, provider, unsupported_key, witness};
pub use octets::Octets;
