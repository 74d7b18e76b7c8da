//! `[[authority]]`: who signs.

use certgate_pki::{KeyType, Name};
use certgate_policy::AllowedKey;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{CrlConfig, OcspConfig, Period, PublicUrl, SecretSource};

/// One authority.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorityConfig {
    /// Its name, in URLs, files and the ledger.
    pub name: String,
    /// Base of the URLs that it writes into certificates.
    pub public_url: Option<PublicUrl>,
    /// Who signs for it.
    #[serde(default)]
    pub backend: Backend,
    /// What kind of key is made for it.
    #[serde(default)]
    pub key: KeyName,
    /// What encrypts its key in the file; without it, the key is there in the clear.
    pub passphrase: Option<SecretSource>,
    /// Which library computes its signatures.
    #[serde(default)]
    pub signer: Signer,
    /// Its name in its certificate.
    pub subject: Subject,
    /// How long its certificate lasts.
    #[serde(default = "default_validity")]
    pub validity: Period,
    /// Who signs its certificate; itself if absent.
    #[schemars(with = "Option<String>")]
    pub issuer: Option<Spanned<String>>,
    /// Its certificate is signed by a CA outside of this gateway: `certgate ca csr`, `certgate ca import`.
    #[serde(default)]
    pub external: bool,
    /// Its CRLs.
    #[serde(default)]
    pub crl: CrlConfig,
    /// Its OCSP responder.
    #[serde(default)]
    pub ocsp: OcspConfig,
}

const fn default_validity() -> Period {
    Period::days(3650)
}

/// Who signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// This process, with a key in a file.
    #[default]
    Local,
}

impl Backend {
    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
        }
    }
}

/// Which library computes signatures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Signer {
    /// AWS-LC: fast, and in constant time.
    #[default]
    #[serde(rename = "aws-lc")]
    AwsLc,
    /// RustCrypto: a second implementation, all of it in Rust.
    RustCrypto,
}

/// A kind of key, by its name: `p256`, `rsa2048`, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct KeyName(pub AllowedKey);

impl KeyName {
    /// The key it stands for.
    #[must_use]
    pub const fn key_type(self) -> KeyType {
        self.0.key_type()
    }
}

impl Default for KeyName {
    fn default() -> Self {
        Self(AllowedKey::P256)
    }
}

impl TryFrom<String> for KeyName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let names = || AllowedKey::ALL.map(AllowedKey::name).join(", ");
        let known = AllowedKey::ALL.into_iter().find(|key| key.name() == text);
        known.map(Self).ok_or_else(|| format!("\"{text}\" is not a kind of key (known here: {})", names()))
    }
}

/// A distinguished name in RFC 4514 text.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Subject(pub Name);

impl TryFrom<String> for Subject {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let form = |error: certgate_pki::InvalidNameString| format!("{error}, like CN=Example Root CA,O=Example");
        text.parse().map(Self).map_err(form)
    }
}
