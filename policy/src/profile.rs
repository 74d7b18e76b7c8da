//! Profiles: what may be issued, by whom, for how long.

use std::time::Duration;

use certgate_pki::{ExtendedKeyUsage, GeneralName, KeyType, NameAttributeType};

/// What may be issued, to whom, for how long, by which authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name, as endpoints and the ledger say it.
    pub name: String,
    /// The authority that signs.
    pub authority: String,
    /// Who says yes: policy alone, or a person too.
    pub approval: Approval,
    /// Who says yes to the renewal of what was issued.
    pub renewal_approval: Approval,
    /// From the moment of issuance to notAfter.
    pub validity: Duration,
    /// How far notBefore lies before the moment of issuance, for clients with slow clocks.
    pub backdate: Duration,
    /// Keys that are certified.
    pub key_types: Vec<AllowedKey>,
    /// Attributes of the requested subject that are copied, beside the common name, which always needs a grant.
    pub subject_copy: Vec<NameAttributeType>,
    /// Kinds of alternative names that may be asked for; each name needs a grant besides.
    pub sans: Vec<SanKind>,
    /// Purposes of what is issued; what the request asks for here is not taken over.
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// For how long after its notAfter a certificate may still renew itself.
    pub renew_grace: Duration,
    /// May, must, or must not the key change when a certificate is renewed?
    pub rekey: Rekey,
    /// May the names change when a certificate is renewed?
    pub change_subject: ChangeSubject,
    /// Say in certificates that nobody is told what becomes of them (noRevAvail, RFC 9608): for those that end before it could matter.
    pub no_rev_avail: bool,
}

/// Who says yes to what policy allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Approval {
    /// Nobody else.
    #[default]
    Auto,
    /// A person, who is waited for.
    Manual,
}

/// The key when a certificate is renewed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rekey {
    /// The old key or a new one.
    #[default]
    Allow,
    /// A new key.
    Require,
    /// The old key, which may live in a device that cannot make another.
    Forbid,
}

/// What is done with a ChangeSubjectName (RFC 6402 §2.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChangeSubject {
    /// The re-enrollment is refused.
    #[default]
    Refuse,
    /// The names are issued, if the principal may have them.
    Honour,
}

/// A key that a profile certifies. RSA keys by the size of their modulus, nothing in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowedKey {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// RSA, 2048 bits.
    Rsa2048,
    /// RSA, 3072 bits.
    Rsa3072,
    /// RSA, 4096 bits.
    Rsa4096,
    /// Ed25519.
    Ed25519,
}

impl AllowedKey {
    /// All there are, weakest first within a kind.
    pub const ALL: [Self; 7] = [Self::P256, Self::P384, Self::P521, Self::Rsa2048, Self::Rsa3072, Self::Rsa4096, Self::Ed25519];

    /// The key it stands for.
    #[must_use]
    pub const fn key_type(self) -> KeyType {
        match self {
            Self::P256 => KeyType::P256,
            Self::P384 => KeyType::P384,
            Self::P521 => KeyType::P521,
            Self::Rsa2048 => KeyType::Rsa { bits: 2048 },
            Self::Rsa3072 => KeyType::Rsa { bits: 3072 },
            Self::Rsa4096 => KeyType::Rsa { bits: 4096 },
            Self::Ed25519 => KeyType::Ed25519,
        }
    }

    /// Its name in the configuration: `p256`, `rsa2048`, ….
    #[must_use]
    pub fn name(self) -> String {
        self.key_type().to_string()
    }
}

/// A kind of alternative name that can be issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SanKind {
    /// dNSName.
    Dns,
    /// iPAddress.
    Ip,
}

impl SanKind {
    /// The kind of this name; `None` for kinds that are not issued.
    #[must_use]
    pub const fn of(name: &GeneralName) -> Option<Self> {
        match name {
            GeneralName::Dns(_) => Some(Self::Dns),
            GeneralName::Ip(_) => Some(Self::Ip),
            _ => None,
        }
    }
}
