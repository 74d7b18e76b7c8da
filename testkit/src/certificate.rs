//! Certificates of any shape, right or wrong.

use std::sync::Arc;
use std::time::Duration;

use certgate_pki::{
    DnsName, ExtendedKeyUsage, Extension, GeneralName, KeyIdentifier, KeyUsage, Name, Serial, SigningKey, Template, Validity,
    pem,
};

use crate::{NOW, device_key, provider};

const DAY: Duration = Duration::from_secs(86_400);

/// What a certificate is to say, and the key that it is for.
#[derive(Clone, Debug)]
pub struct CertificateShape {
    /// Its subject, RFC 4514.
    pub subject: String,
    /// Its key; what it issues is signed with it.
    pub key: Arc<dyn SigningKey>,
    /// From when to when.
    pub validity: Validity,
    /// cA of basicConstraints.
    pub is_ca: bool,
    /// Host names and addresses; none leaves subjectAltName out.
    pub names: Vec<GeneralName>,
    /// Purposes; none leaves extKeyUsage out.
    pub purposes: Vec<ExtendedKeyUsage>,
    /// keyUsage.
    pub usage: KeyUsage,
}

impl CertificateShape {
    /// A TLS server of these names, with [`device_key`], from 30 days before [`NOW`] to 60 days after it.
    ///
    /// # Panics
    /// When a name is neither a host name nor an address.
    #[must_use]
    pub fn server(names: &[&str]) -> Self {
        let name = |text: &&str| match text.parse() {
            Ok(address) => GeneralName::Ip(address),
            Err(_) => GeneralName::Dns(DnsName::parse(text).expect("a host name")),
        };
        Self {
            subject: "CN=server".into(),
            key: device_key(),
            validity: Validity { not_before: NOW.before(30 * DAY), not_after: NOW.after(60 * DAY) },
            is_ca: false,
            names: names.iter().map(name).collect(),
            purposes: vec![ExtendedKeyUsage::ServerAuth],
            usage: KeyUsage::DIGITAL_SIGNATURE,
        }
    }

    /// A CA of this subject with this key, from a year before [`NOW`] to ten years after it.
    #[must_use]
    pub fn ca(subject: &str, key: Arc<dyn SigningKey>) -> Self {
        Self {
            subject: subject.into(),
            key,
            validity: Validity { not_before: NOW.before(365 * DAY), not_after: NOW.after(3650 * DAY) },
            is_ca: true,
            names: Vec::new(),
            purposes: Vec::new(),
            usage: KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN,
        }
    }

    /// The certificate, PEM, signed by another CA or by itself.
    ///
    /// # Panics
    /// When a subject is none, or the key does not sign.
    #[must_use]
    pub fn signed_by(&self, issuer: &Self) -> String {
        let provider = provider(2);
        let subject: Name = self.subject.parse().expect("a subject");
        let identifier = |shape: &Self| KeyIdentifier::of(shape.key.public_key(), &provider);
        let constraints = if self.is_ca { Extension::basic_constraints_ca(None) } else { Extension::basic_constraints_leaf() };
        let mut extensions = vec![
            constraints,
            Extension::key_usage(self.usage),
            Extension::subject_key_identifier(identifier(self).as_octets()),
            Extension::authority_key_identifier(identifier(issuer).as_octets()),
        ];
        if !self.purposes.is_empty() {
            extensions.push(Extension::extended_key_usage(&self.purposes));
        }
        if !self.names.is_empty() {
            extensions.push(Extension::subject_alt_name(&self.names, subject.is_empty()));
        }
        let template = Template {
            serial: Serial::from_parts(self.validity.not_before, [1; Serial::RANDOM_OCTETS]),
            issuer: issuer.subject.parse().expect("a subject"),
            validity: self.validity,
            subject,
            public_key: self.key.public_key().clone(),
            extensions,
        };
        let algorithm = issuer.key.algorithm();
        let to_be_signed = template.to_be_signed(algorithm);
        let signature = issuer.key.sign(&to_be_signed).expect("a signature");
        pem::encode(pem::CERTIFICATE, &Template::assemble(&to_be_signed, algorithm, &signature))
    }
}
