//! Resources of an ACME server (RFC 8555 §7.1), by their URLs.

/// What a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(&'static str);

/// The directory.
pub const DIRECTORY: Kind = Kind("directory");
/// newNonce.
pub const NEW_NONCE: Kind = Kind("newNonce");
/// newAccount.
pub const NEW_ACCOUNT: Kind = Kind("newAccount");
/// newOrder.
pub const NEW_ORDER: Kind = Kind("newOrder");
/// An account.
pub const ACCOUNT: Kind = Kind("account");
/// An order.
pub const ORDER: Kind = Kind("order");
/// An authorization.
pub const AUTHORIZATION: Kind = Kind("authorization");
/// A challenge.
pub const CHALLENGE: Kind = Kind("challenge");
/// Where an order is finalized.
pub const FINALIZE: Kind = Kind("finalize");
/// A certificate.
pub const CERTIFICATE: Kind = Kind("certificate");

impl Kind {
    /// What mutations and reports call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// The one of this URL.
    #[must_use]
    pub fn at(self, url: &str) -> Place {
        Place { kind: self, url: url.to_owned() }
    }
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is.
    pub kind: Kind,
    /// Its URL, octet for octet as the server gave it.
    pub url: String,
}
