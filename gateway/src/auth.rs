//! Who asks: credentials, as the codecs have parsed them, become a principal.

mod acme;
mod basic;
mod certificate;
mod denied;
mod est;
mod nonces;
mod passwords;
mod scep;

pub use acme::{AccountAuthenticator, AccountDenied, SignerError, account_segment};
pub use basic::{BasicAuthenticator, hash_generated};
pub use certificate::CertificateAuthenticator;
pub use denied::Denied;
pub use est::{Authenticated, EstAuthenticator, Methods, Proofs};
pub use nonces::Nonces;
pub use passwords::{PasswordPool, PasswordsBusy, SALT};
pub use scep::{ChallengeAuthenticator, ChallengeDenied};
