//! The black-box conformance suite: clauses as data, checks over sockets, encoders and verifiers of its own.
//!
//! It shares no line with the gateway: what one of them gets wrong, the other does not repeat.

pub mod acme;
pub mod asn1;
pub mod certificate;
pub mod certs_only;
pub mod chain;
pub mod channel;
pub mod clause;
pub mod clock;
pub mod crl;
pub mod csr;
mod dump;
pub mod endpoint;
pub mod est;
pub mod forge;
pub mod hook;
pub mod http;
pub mod key;
pub mod ledger;
pub mod ocsp;
pub mod parts;
pub mod pem;
mod pkilint;
pub mod pointers;
pub mod report;
pub mod run;
pub mod scep;
pub mod session;
pub mod signature;
pub mod specimens;
pub mod target;
pub mod transport;
pub mod verdict;
pub mod x509;
