//! `[[endpoint]]`: where a protocol is offered.

use certgate_pki::{ContentCipher, Reading};
use certgate_policy::AllowedKey;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::authority::KeyName;
use super::{Period, PublicUrl};

/// One endpoint. Keys that belong to one protocol are absent at all others.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// Which protocol.
    pub protocol: ProtocolName,
    /// Its name in URLs and the ledger.
    pub name: String,
    /// What is issued there.
    #[schemars(with = "String")]
    pub profile: Spanned<String>,
    /// EST: how clients authenticate.
    #[schemars(default = "default_auth", length(min = 1))]
    auth: Option<Vec<AuthMethod>>,
    /// EST: whether a request has to be bound to its TLS session.
    #[schemars(default = "ChannelBindingName::default")]
    channel_binding: Option<ChannelBindingName>,
    /// EST: the first Retry-After of a request that waits for a person; it grows with the request's age.
    #[schemars(default = "default_retry_after")]
    retry_after: Option<Period>,
    /// EST: how requests are read.
    #[schemars(default = "ReadingName::default")]
    reading: Option<ReadingName>,
    /// EST: characters in a line of base64, a multiple of 4; 0 is one line.
    #[schemars(default = "usize::default", extend("multipleOf" = 4))]
    base64_line_length: Option<usize>,
    /// SCEP: the key that requests are encrypted to, and that signs CertReps; an RSA one.
    #[schemars(default = "default_ra_key")]
    ra_key: Option<KeyName>,
    /// SCEP: how the certificate in a CertRep is encrypted.
    #[schemars(default = "ContentEncryption::default")]
    content_encryption: Option<ContentEncryption>,
    /// ACME: what the URLs that its clients are given begin with, by https; the host that a request names where it is absent.
    public_url: Option<PublicUrl>,
}

const DEFAULT_AUTH: [AuthMethod; 2] = [AuthMethod::Basic, AuthMethod::Mtls];

const fn default_auth() -> [AuthMethod; 2] {
    DEFAULT_AUTH
}

const fn default_retry_after() -> Period {
    Period::seconds(60)
}

const fn default_ra_key() -> KeyName {
    KeyName(AllowedKey::Rsa2048)
}

impl EndpointConfig {
    /// EST: how clients authenticate.
    #[must_use]
    pub fn auth(&self) -> &[AuthMethod] {
        self.auth.as_deref().unwrap_or(&DEFAULT_AUTH)
    }

    /// EST: whether a request has to be bound to its TLS session.
    #[must_use]
    pub fn channel_binding(&self) -> ChannelBindingName {
        self.channel_binding.unwrap_or_default()
    }

    /// EST: the first Retry-After of a request that waits for a person.
    #[must_use]
    pub fn retry_after(&self) -> Period {
        self.retry_after.unwrap_or(default_retry_after())
    }

    /// EST: how requests are read.
    #[must_use]
    pub fn reading(&self) -> ReadingName {
        self.reading.unwrap_or_default()
    }

    /// EST: characters in a line of base64; 0 is one line.
    #[must_use]
    pub fn base64_line_length(&self) -> usize {
        self.base64_line_length.unwrap_or_default()
    }

    /// SCEP: the key that requests are encrypted to, and that signs CertReps.
    #[must_use]
    pub fn ra_key(&self) -> AllowedKey {
        self.ra_key.unwrap_or(default_ra_key()).0
    }

    /// SCEP: how CertReps are encrypted.
    #[must_use]
    pub fn content_encryption(&self) -> ContentEncryption {
        self.content_encryption.unwrap_or_default()
    }

    /// ACME: what the URLs that its clients are given begin with; the host that a request names where it is absent.
    #[must_use]
    pub const fn public_url(&self) -> Option<&PublicUrl> {
        self.public_url.as_ref()
    }

    /// Takes over what the command line says, where nothing else is configured and it can be.
    pub(super) fn take_public_url(&mut self, url: Option<&PublicUrl>) {
        if self.protocol == ProtocolName::Acme && self.public_url.is_none() {
            self.public_url = url.filter(|url| url.is_https()).cloned();
        }
    }

    /// A key that this endpoint has and that belongs to another protocol.
    pub(super) fn misplaced_key(&self) -> Option<&'static str> {
        let of_est = [
            ("auth", self.auth.is_some()),
            ("channel_binding", self.channel_binding.is_some()),
            ("retry_after", self.retry_after.is_some()),
            ("reading", self.reading.is_some()),
            ("base64_line_length", self.base64_line_length.is_some()),
        ];
        let of_scep = [("ra_key", self.ra_key.is_some()), ("content_encryption", self.content_encryption.is_some())];
        let of_acme = [("public_url", self.public_url.is_some())];
        let all: [(ProtocolName, &[(&'static str, bool)]); 3] =
            [(ProtocolName::Est, &of_est), (ProtocolName::Scep, &of_scep), (ProtocolName::Acme, &of_acme)];
        let mut others = all.into_iter().filter(|(protocol, _)| *protocol != self.protocol).flat_map(|(_, keys)| keys);
        others.find(|(_, is_there)| *is_there).map(|(name, _)| *name)
    }
}

/// A protocol that can be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProtocolName {
    /// RFC 7030.
    Est,
    /// RFC 8894.
    Scep,
    /// RFC 8555.
    Acme,
}

impl ProtocolName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Est, Self::Scep, Self::Acme];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Est => "est",
            Self::Scep => "scep",
            Self::Acme => "acme",
        }
    }
}

/// How a client shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthMethod {
    /// HTTP Basic within TLS (RFC 7030 §3.2.3).
    Basic,
    /// A TLS client certificate that the endpoint's profile has issued (RFC 7030 §3.3.2).
    Mtls,
}

/// Whether a request has to be bound to its TLS session (RFC 7030 §3.5). One that is bound is always verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChannelBindingName {
    /// It may be.
    #[default]
    Optional,
    /// It has to be.
    Required,
}

/// How requests are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReadingName {
    /// What living clients send besides is taken where nothing is weakened by it.
    #[default]
    Compatible,
    /// The RFCs to the letter.
    Strict,
}

impl From<ReadingName> for Reading {
    fn from(name: ReadingName) -> Self {
        match name {
            ReadingName::Compatible => Self::Compatible,
            ReadingName::Strict => Self::Strict,
        }
    }
}

/// How the certificate in a CertRep is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContentEncryption {
    /// As the request was.
    #[default]
    Request,
    /// AES-128-CBC.
    Aes128,
    /// AES-256-CBC.
    Aes256,
}

impl ContentEncryption {
    /// The cipher for the answer to a request that was encrypted by `asked`.
    #[must_use]
    pub const fn cipher(self, asked: ContentCipher) -> ContentCipher {
        match self {
            Self::Request => asked,
            Self::Aes128 => ContentCipher::Aes128Cbc,
            Self::Aes256 => ContentCipher::Aes256Cbc,
        }
    }
}
