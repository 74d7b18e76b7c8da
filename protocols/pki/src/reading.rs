//! How strictly what clients send is read.

/// How an endpoint reads what clients send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// The RFCs to the letter.
    Strict,
    /// What living clients, and proxies between, send besides, where nothing is weakened by it; each use is reported, as a lenience of the
    /// protocol.
    #[default]
    Compatible,
}
