//! A client of SCEP: a challenge for each certificate, and a transaction that is sent again or polled.

use bytes::Bytes;
use certgate_pki::asn1::tag;
use certgate_pki::cms::{Attribute, Draft, EnvelopedData, Seal, SignedData};
use certgate_pki::{
    Certificate, CertificateOutline, ContentCipher, KeyType, KeyUsage, ObjectIdentifier, SignatureAlgorithm, pem,
};
use certgate_testkit::{CertificateShape, CsrBuilder, RSA_DEVICE_KEY, rsa_device_key};
use http_body_util::Full;
use hyper::{Request, StatusCode};

use super::devices::{Turned, not_now};
use super::net::{Lost, Net};

const PKCS_REQ: &str = "19";
const CERT_POLL: &str = "20";

pub(crate) struct ScepClient {
    pub(crate) endpoint: &'static str,
    name: String,
    /// What the operator has given it, for one certificate.
    pub(crate) challenge: Option<String>,
    /// Those that a certificate was issued for.
    pub(crate) used: Vec<String>,
    own: Certificate,
    ra: Option<Certificate>,
    /// How many transactions it has begun and ended.
    ended: u32,
    waits: bool,
}

impl ScepClient {
    pub(crate) fn new(endpoint: &'static str, name: &str) -> Self {
        let usage = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT;
        let shape = CertificateShape {
            subject: format!("CN={name}"),
            is_ca: false,
            usage,
            ..CertificateShape::ca("CN=device", rsa_device_key())
        };
        let own = pem::decode(pem::CERTIFICATE, &shape.signed_by(&shape)).unwrap();
        let own = Certificate::from_der(&own).unwrap();
        let (name, challenge, used, ra) = (name.to_owned(), None, Vec::new(), None);
        Self { endpoint, name, challenge, used, own, ra, ended: 0, waits: false }
    }

    /// Asks for a certificate with its challenge, or what became of that.
    pub(crate) fn turn(&mut self, net: &Net<'_>) -> Result<Turned, Lost> {
        let Some(challenge) = self.challenge.clone() else { return Ok(Turned::Later) };
        let (kind, contents) = if self.waits {
            (CERT_POLL, Vec::new())
        } else {
            let builder = CsrBuilder::new(&rsa_device_key()).common_name(&self.name);
            (PKCS_REQ, builder.challenge_password(&challenge).sign())
        };
        let transaction = format!("{}-{}", self.name, self.ended);
        let turned = self.transact(net, (kind, &transaction), &contents)?;
        match &turned {
            Turned::Waits => self.waits = true,
            Turned::Has(_) => {
                self.used.extend(self.challenge.take());
                self.end();
            }
            // The next one is a new transaction, with a challenge of its own.
            Turned::Refused(_) => {
                self.challenge = None;
                self.end();
            }
            Turned::Idle | Turned::Later | Turned::Lost => {}
        }
        Ok(turned)
    }

    fn end(&mut self) {
        (self.ended, self.waits) = (self.ended + 1, false);
    }

    /// Asks for another certificate with a challenge that is used up.
    pub(crate) fn replay(&mut self, net: &Net<'_>) -> Result<Option<Turned>, Lost> {
        let Some(used) = self.used.last().cloned() else { return Ok(None) };
        let contents = CsrBuilder::new(&rsa_device_key()).common_name("somebody").challenge_password(&used).sign();
        self.transact(net, (PKCS_REQ, "replayed"), &contents).map(Some)
    }

    fn transact(&mut self, net: &Net<'_>, kind: (&str, &str), contents: &[u8]) -> Result<Turned, Lost> {
        let path = format!("/scep/{}/pkiclient.exe?operation=", self.endpoint);
        if self.ra.is_none() {
            let request = Request::get(format!("{path}GetCACert")).body(Full::<Bytes>::default()).unwrap();
            let answer = net.ask(request, None)?;
            let set = SignedData::from_der(&answer.body).unwrap();
            let mut all = set.certificates.iter().map(|der| Certificate::from_der(der).unwrap());
            self.ra = all.find(|one| matches!(one.public_key().key_type(), KeyType::Rsa { .. }));
        }
        let message = self.message(kind, contents);
        let request = Request::post(format!("{path}PKIOperation")).body(Full::from(message)).unwrap();
        let answer = net.ask(request, None)?;
        if answer.status == StatusCode::OK { Ok(self.read(&answer.body)) } else { Ok(not_now(&answer)) }
    }

    /// A pkiMessage (RFC 8894 §3) of this type and transaction, around these octets.
    fn message(&self, (kind, transaction): (&str, &str), contents: &[u8]) -> Vec<u8> {
        let (provider, cipher) = (certgate_crypto::provider(), ContentCipher::Aes256Cbc);
        let content_key = vec![5; cipher.key_octets()];
        let recipient = CertificateOutline::from_der(self.ra.as_ref().unwrap().as_der()).unwrap();
        let seal = Seal { cipher, content_key: &content_key, iv: [6; 16] };
        let envelope = seal.envelop(contents, &recipient, &*provider.encrypt).unwrap();
        let attributes = vec![
            attribute(2, tag::PRINTABLE_STRING, kind.as_bytes()),
            attribute(7, tag::PRINTABLE_STRING, transaction.as_bytes()),
            attribute(5, tag::OCTET_STRING, &[3; 16]),
        ];
        let certificates = (vec![self.own.as_der().to_vec()], &*provider.digest);
        let draft = Draft::new(Some(envelope), attributes, &self.own, SignatureAlgorithm::RsaSha256, certificates);
        let signature = rsa_device_key().sign_as(SignatureAlgorithm::RsaSha256, draft.to_be_signed()).unwrap();
        draft.assemble(&signature)
    }

    /// What a CertRep says.
    fn read(&self, der: &[u8]) -> Turned {
        let provider = certgate_crypto::provider();
        let signed = SignedData::from_der(der).unwrap();
        let signer = signed.signer().unwrap();
        let text = |number| {
            let value = signer.attributes.get(&oid(number)).unwrap();
            value.map(|value| String::from_utf8(value.value.to_vec()).unwrap())
        };
        match text(3).as_deref() {
            Some("0") => {
                let envelope = EnvelopedData::from_der(signed.content.unwrap()).unwrap();
                let key = provider.decrypt.load(&pem::decode(pem::PRIVATE_KEY, RSA_DEVICE_KEY).unwrap()).unwrap();
                let inner = envelope.open(&*key, &[0; 32], &*provider.decrypt).unwrap();
                let [certificate] = SignedData::from_der(&inner).unwrap().certificates[..] else { panic!("one") };
                Turned::Has(Box::new(Certificate::from_der(certificate).unwrap()))
            }
            Some("3") => Turned::Waits,
            _ => Turned::Refused(format!("failInfo {:?}", text(4))),
        }
    }
}

/// An attribute of SCEP (RFC 8894 §3.2.1).
fn oid(number: u8) -> ObjectIdentifier {
    ObjectIdentifier::new(&format!("2.16.840.1.113733.1.9.{number}")).unwrap()
}

fn attribute(number: u8, tag: u8, value: &[u8]) -> Attribute {
    Attribute::new(&oid(number), |w| {
        w.tlv(tag, value);
    })
}
