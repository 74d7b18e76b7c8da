//! `[[profile]]`: what may be issued.

use std::time::Duration;

use certgate_pki::{ExtendedKeyUsage, NameAttributeType, ObjectIdentifier};
use certgate_policy::{AllowedKey, Approval, ChangeSubject, Profile, Rekey, SanKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::Period;
use super::authority::KeyName;

/// One profile.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileConfig {
    /// Its name, in the ledger and at endpoints.
    pub name: String,
    /// Who signs.
    #[schemars(with = "String")]
    pub authority: Spanned<String>,
    /// Who says yes to what policy allows.
    #[serde(default)]
    pub approval: ApprovalName,
    /// Who says yes to a renewal; the same as `approval` if not given.
    pub renewal_approval: Option<ApprovalName>,
    /// For how long after its end a certificate may still renew itself.
    pub renew_grace: Option<Period>,
    /// The key when a certificate is renewed.
    #[serde(default)]
    pub rekey: RekeyName,
    /// The names when a certificate is renewed.
    #[serde(default)]
    pub change_subject_name: ChangeSubjectNameName,
    /// How long a certificate lasts.
    #[serde(default = "default_validity")]
    pub validity: Period,
    /// How far notBefore lies back.
    #[serde(default = "default_backdate")]
    pub backdate: Period,
    /// Keys that are certified.
    #[serde(default = "default_key_types")]
    #[schemars(length(min = 1))]
    pub key_types: Vec<KeyName>,
    /// What of the requested subject is issued.
    #[serde(default)]
    pub subject: SubjectConfig,
    /// Kinds of alternative names that may be asked for.
    #[serde(default = "default_sans")]
    pub sans: Vec<San>,
    /// Purposes of the certificates.
    #[serde(default = "default_ekus")]
    #[schemars(length(min = 1))]
    pub ekus: Vec<Eku>,
    /// Whether certificates say that nobody is told what becomes of them (noRevAvail, RFC 9608); for short-lived ones.
    #[serde(default)]
    pub no_rev_avail: bool,
}

const fn default_validity() -> Period {
    Period::days(90)
}

const fn default_backdate() -> Period {
    Period::seconds(300)
}

fn default_key_types() -> Vec<KeyName> {
    AllowedKey::ALL.map(KeyName).to_vec()
}

fn default_sans() -> Vec<San> {
    vec![San::Dns, San::Ip]
}

fn default_ekus() -> Vec<Eku> {
    vec![Eku(ExtendedKeyUsage::ClientAuth), Eku(ExtendedKeyUsage::ServerAuth)]
}

/// Who says yes to what policy allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalName {
    /// Nobody else.
    #[default]
    Auto,
    /// A person, by `certgate enrollment approve`.
    Manual,
}

impl From<ApprovalName> for Approval {
    fn from(name: ApprovalName) -> Self {
        match name {
            ApprovalName::Auto => Self::Auto,
            ApprovalName::Manual => Self::Manual,
        }
    }
}

/// The key when a certificate is renewed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RekeyName {
    /// The old one or a new one.
    #[default]
    Allow,
    /// A new one.
    Require,
    /// The old one.
    Forbid,
}

/// What is done with a ChangeSubjectName (RFC 6402 §2.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeSubjectNameName {
    /// The re-enrollment is refused.
    #[default]
    Refuse,
    /// The names are issued, if the principal's credential grants them.
    Honour,
}

/// The `subject` table of a profile.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SubjectConfig {
    /// Attributes that are copied from the request.
    pub copy: Vec<Attribute>,
}

impl Default for SubjectConfig {
    fn default() -> Self {
        use NameAttributeType::{Country, Locality, SerialNumber, State};
        Self { copy: [Country, State, Locality, SerialNumber].map(Attribute).to_vec() }
    }
}

/// An attribute by its short name.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Attribute(pub(super) NameAttributeType);

impl TryFrom<String> for Attribute {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match NameAttributeType::from_short_name(&text) {
            Some(NameAttributeType::CommonName) => {
                Err("CN is not copied: it is issued whenever the principal's credential authorizes it".into())
            }
            Some(kind) => Ok(Self(kind)),
            None => {
                Err(format!("\"{text}\" is not an attribute that can be copied (known here: C, ST, L, O, OU, serialNumber)"))
            }
        }
    }
}

/// A kind of alternative name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum San {
    /// dNSName.
    Dns,
    /// iPAddress.
    Ip,
}

/// A purpose by its name, or by its object identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Eku(pub(super) ExtendedKeyUsage);

impl TryFrom<String> for Eku {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        use ExtendedKeyUsage as E;
        let named = E::KNOWN.into_iter().find(|known| known.to_string().eq_ignore_ascii_case(&text));
        let purpose = named.or_else(|| ObjectIdentifier::new(&text).ok().map(E::from_oid));
        match purpose {
            // Invariant: what speaks for a CA is never issued to a requester.
            Some(E::OcspSigning | E::CmcRa | E::Any) => {
                Err(format!("\"{text}\" is never issued by a profile, since it speaks for a CA: leave it out"))
            }
            Some(purpose) => Ok(Self(purpose)),
            None => Err(format!(
                "\"{text}\" is not a purpose (known here: serverAuth, clientAuth, codeSigning, emailProtection, timeStamping, \
                 or an object identifier)"
            )),
        }
    }
}

impl ProfileConfig {
    /// May what it issues authenticate clients?
    pub(super) fn issues_client_certificates(&self) -> bool {
        self.ekus.contains(&Eku(ExtendedKeyUsage::ClientAuth))
    }

    /// As policy takes it.
    #[must_use]
    pub fn profile(&self) -> Profile {
        Profile {
            name: self.name.clone(),
            authority: self.authority.get_ref().clone(),
            validity: self.validity.duration(),
            backdate: self.backdate.duration(),
            key_types: self.key_types.iter().map(|key| key.0).collect(),
            subject_copy: self.subject.copy.iter().map(|attribute| attribute.0).collect(),
            sans: self.sans.iter().map(|san| if *san == San::Dns { SanKind::Dns } else { SanKind::Ip }).collect(),
            extended_key_usage: self.ekus.iter().map(|eku| eku.0).collect(),
            no_rev_avail: self.no_rev_avail,
            approval: self.approval.into(),
            renewal_approval: self.renewal_approval.unwrap_or(self.approval).into(),
            renew_grace: self.renew_grace.map_or(Duration::ZERO, Period::duration),
            rekey: match self.rekey {
                RekeyName::Allow => Rekey::Allow,
                RekeyName::Require => Rekey::Require,
                RekeyName::Forbid => Rekey::Forbid,
            },
            change_subject: match self.change_subject_name {
                ChangeSubjectNameName::Refuse => ChangeSubject::Refuse,
                ChangeSubjectNameName::Honour => ChangeSubject::Honour,
            },
        }
    }
}
