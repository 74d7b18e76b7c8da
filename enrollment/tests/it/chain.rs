//! Chains that make an authority, and those that make none.

use std::sync::Arc;

use certgate_enrollment::{AuthorityError, check_chain};
use certgate_pki::{
    CaFields, Certificate, Extension, KeyIdentifier, KeyUsage, Name, Pointers, Serial, SigningKey, Template, Validity,
};
use certgate_testkit::{NOW, ca_key, device_key, provider, rsa_device_key};

/// A CA below another one or, without one, a root.
struct Ca {
    name: &'static str,
    key: Arc<dyn SigningKey>,
    path_len: Option<u8>,
    usage: Option<KeyUsage>,
}

impl Ca {
    fn certificate(&self, issuer: &Self) -> Certificate {
        let (provider, pointers) = (provider(1), Pointers::default());
        let name = |ca: &Self| format!("CN={}", ca.name).parse::<Name>().unwrap();
        let identifier = |ca: &Self| KeyIdentifier::of(ca.key.public_key(), &provider);
        let fields = CaFields {
            subject_key: &identifier(self),
            authority_key: &identifier(issuer),
            path_len: self.path_len,
            pointers: &pointers,
        };
        let usual = fields.extensions().into_iter().filter(|one| one.oid != Extension::key_usage(KeyUsage::CRL_SIGN).oid);
        let template = Template {
            serial: Serial::from_octets(&[1]).unwrap(),
            issuer: name(issuer),
            validity: Validity { not_before: NOW, not_after: NOW },
            subject: name(self),
            public_key: self.key.public_key().clone(),
            extensions: usual.chain(self.usage.map(Extension::key_usage)).collect(),
        };
        let to_be_signed = template.to_be_signed(issuer.key.algorithm());
        let signature = issuer.key.sign(&to_be_signed).unwrap();
        Certificate::from_der(&Template::assemble(&to_be_signed, issuer.key.algorithm(), &signature)).unwrap()
    }
}

fn three() -> [Ca; 3] {
    let usage = Some(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN);
    [
        Ca { name: "Issuing", key: device_key(), path_len: Some(0), usage },
        Ca { name: "Middle", key: rsa_device_key(), path_len: Some(1), usage },
        Ca { name: "Root", key: ca_key(), path_len: None, usage },
    ]
}

fn check(cas: &[Ca; 3]) -> Result<(), AuthorityError> {
    let [issuing, middle, root] = cas;
    check_chain(&[issuing.certificate(middle), middle.certificate(root), root.certificate(root)], &provider(1))
}

#[test]
fn each_certificate_may_sign_the_one_before_it() {
    assert_eq!(check(&three()), Ok(()));
    assert_eq!(check_chain(&[], &provider(1)), Err(AuthorityError::NoCertificate));
}

#[test]
fn no_more_cas_than_path_lengths_allow() {
    for (at, path_len, outcome) in [
        (0, None, Ok(())),
        (1, Some(0), Err(AuthorityError::TooLong("CN=Middle".into()))),
        (2, Some(1), Err(AuthorityError::TooLong("CN=Root".into()))),
        (2, Some(2), Ok(())),
    ] {
        let mut cas = three();
        cas[at].path_len = path_len;
        assert_eq!(check(&cas), outcome, "{path_len:?} at {at}");
    }
}

#[test]
fn a_key_usage_that_is_there_allows_certificates_and_crls() {
    for (usage, outcome) in [
        (None, Ok(())),
        (Some(KeyUsage::KEY_CERT_SIGN), Err(AuthorityError::MayNotSign("CN=Issuing".into()))),
        (Some(KeyUsage::CRL_SIGN | KeyUsage::DIGITAL_SIGNATURE), Err(AuthorityError::MayNotSign("CN=Issuing".into()))),
    ] {
        let mut cas = three();
        cas[0].usage = usage;
        assert_eq!(check(&cas), outcome, "{usage:?}");
    }
}
