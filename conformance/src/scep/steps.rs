//! What several clauses do and ask alike.

use std::rc::Rc;

use super::{
    algorithm::{Cipher, Hash},
    authorities::Authorities,
    envelope::{Envelope, ID_DATA, issuer_and_serial},
    message::{Draft, Signer, kind},
    reply::{Reply, Status},
    session::{Answer, Session},
};
use crate::{
    asn1::Element,
    certificate::{Certificate, hex},
    certs_only,
    csr::{Wish, attribute, encode_name},
    forge,
    key::{Key, KeyKind, random},
    target::Url,
    verdict::{Stop, require},
};

/// One who asks for a certificate at an endpoint.
pub(super) struct Device {
    pub(super) url: Url,
    pub(super) name: String,
    /// Its key, and the certificate that it has made itself.
    pub(super) signer: Signer,
    pub(super) authorities: Rc<Authorities>,
}

impl Device {
    /// A device with a name of its own.
    pub(super) fn new(session: &mut Session<'_>, url: Url) -> Result<Self, Stop> {
        let kind = session.device_key();
        Self::of_kind(session, url, kind)
    }

    /// The same with another kind of key.
    pub(super) fn of_kind(session: &mut Session<'_>, url: Url, kind: KeyKind) -> Result<Self, Stop> {
        let name = format!("conformance-{}", hex(&random::<6>()?));
        let signer = self_signed(&name, Key::of(kind)?, session.now())?;
        let authorities = session.authorities(&url)?;
        Ok(Self { url, name, signer, authorities })
    }

    /// What it wishes: its own name as CN and dNSName.
    pub(super) fn wish(&self) -> Wish {
        Wish::common_name(&self.name).with_dns_names(&[&self.name])
    }

    /// A CSR with a challenge.
    pub(super) fn csr(&self, challenge: &str) -> Result<Vec<u8>, Stop> {
        Ok(self.wish().with_challenge(challenge).sign(&self.signer.key)?)
    }

    /// Contents in an envelope for the CA, by AES-128.
    pub(super) fn envelope(&self, contents: &[u8]) -> Result<Envelope, Stop> {
        Ok(Envelope::seal(contents, Cipher::Aes128, self.authorities.recipient()?)?)
    }

    /// PKCSReq with a CSR, by AES-128 and SHA-256.
    pub(super) fn request(&self, csr: &[u8]) -> Result<Draft, Stop> {
        Ok(Draft::new(kind::PKCS_REQ, self.envelope(csr)?.encode().encode())?)
    }

    /// CertPoll for what `asked` has begun (RFC 8894 §3.3.3).
    pub(super) fn poll(&self, asked: &Draft, subject: &Element) -> Result<Draft, Stop> {
        let contents = Element::sequence(vec![self.authorities.issuer()?.clone(), subject.clone()]).encode();
        let draft = Draft::new(kind::CERT_POLL, self.envelope(&contents)?.encode().encode())?;
        Ok(Draft { transaction: asked.transaction.clone(), ..draft })
    }

    /// Its own name as a subject.
    pub(super) fn subject(&self) -> Element {
        encode_name(&[(attribute::COMMON_NAME, self.name.clone())])
    }

    /// Sends a message, which a CertRep has to answer.
    pub(super) fn ask(&self, session: &mut Session<'_>, draft: &Draft) -> Result<Reply, Stop> {
        session.ask(&self.url, &draft.sign(&self.signer)?)
    }

    /// Asks for a certificate, and gets it.
    pub(super) fn enroll(&self, session: &mut Session<'_>, draft: &Draft) -> Result<Certificate, Stop> {
        let reply = self.ask(session, draft)?;
        self.granted(session, &reply, draft)
    }

    /// The certificate in a reply of SUCCESS to this message.
    pub(super) fn granted(&self, session: &mut Session<'_>, reply: &Reply, asked: &Draft) -> Result<Certificate, Stop> {
        require_status(reply, Status::Success)?;
        session.trust(&self.url, reply, asked)?;
        let (_, certificates) = self.open(reply)?;
        let own = self.signer.key.spki()?;
        let mut issued = certificates.into_iter().filter(|certificate| certificate.spki == own);
        let first = issued.next().ok_or_else(|| Stop::fail("no certificate in the reply is for the CSR's key"))?;
        require(issued.next().is_none(), || "two certificates in the reply are for the CSR's key".into())?;
        require(first.subject == self.subject(), || "the certificate has another subject than the CSR".into())?;
        Ok(first)
    }

    /// Opens the envelope of a reply; gives it, and the certificates in it.
    pub(super) fn open(&self, reply: &Reply) -> Result<(Envelope, Vec<Certificate>), Stop> {
        let (envelope, contents) = self.unseal(reply)?;
        let own = issuer_and_serial(&self.signer.certificate);
        require(envelope.recipient == own, || "the envelope is for another certificate than the request's signer's".into())?;
        // RFC 8894 §3.2.2: "contentType in encryptedContentInfo MUST be data".
        require(envelope.kind == ID_DATA, || format!("contentType in the envelope is {}", envelope.kind))?;
        let message = Element::parse(&contents)?;
        let set = certs_only::certificate_set(&message)?;
        Ok((envelope, set.iter().map(Certificate::from_element).collect::<Result<_, _>>()?))
    }

    /// The envelope of a reply, and what is in it.
    pub(super) fn unseal(&self, reply: &Reply) -> Result<(Envelope, Vec<u8>), Stop> {
        let content = reply.content.as_deref().ok_or_else(|| Stop::fail("SUCCESS without pkcsPKIEnvelope"))?;
        let envelope = Envelope::read(&Element::parse(content)?)?;
        let Key::Rsa(key) = &self.signer.key else { return Err(Stop::fail("an envelope for a key that decrypts nothing")) };
        let contents = envelope.open((**key).as_ref()).map_err(|error| Stop::Fail(format!("the envelope: {error:#}")))?;
        Ok((envelope, contents))
    }

    /// Whether a reply of FAILURE is to this message, and for one of these reasons; says which.
    pub(super) fn refused(
        &self,
        session: &mut Session<'_>,
        reply: &Reply,
        asked: &Draft,
        reasons: &[u8],
    ) -> Result<String, Stop> {
        require_failure(reply)?;
        let info = reply.fail_info()?;
        require(reasons.contains(&info), || format!("failInfo {info}, which is not among {reasons:?}"))?;
        session.trust(&self.url, reply, asked)?;
        Ok(format!("FAILURE {info}"))
    }

    /// Sends a message, which is refused for one of these reasons.
    pub(super) fn must_refuse(&self, session: &mut Session<'_>, draft: &Draft, reasons: &[u8]) -> Result<String, Stop> {
        let reply = self.ask(session, draft)?;
        self.refused(session, &reply, draft, reasons)
    }

    /// Sends octets, which are refused by a CertRep or by HTTP; says how.
    pub(super) fn must_turn_away(&self, session: &mut Session<'_>, octets: &[u8]) -> Result<String, Stop> {
        match session.offer(&self.url, octets)? {
            Answer::Refused(status) => Ok(format!("HTTP {status}")),
            Answer::Reply(reply) => {
                require_failure(&reply)?;
                Ok(format!("FAILURE {}", reply.fail_info()?))
            }
        }
    }
}

/// Every reason that RFC 8894 §3.2.1.4 has.
pub(super) const ANY_REASON: &[u8] = &[0, 1, 2, 3, 4];
/// `badAlg`.
pub(super) const BAD_ALG: u8 = 0;
/// `badMessageCheck`.
pub(super) const BAD_MESSAGE_CHECK: u8 = 1;
/// `badRequest`.
pub(super) const BAD_REQUEST: u8 = 2;
/// `badCertId`.
pub(super) const BAD_CERT_ID: u8 = 4;

/// RFC 8894 §2.3: "a locally generated self-signed certificate MUST be used. The keyUsage extension in the certificate MUST indicate that
/// it is valid for digitalSignature and keyEncipherment (if available). The self-signed certificate SHOULD use the same subject name and
/// key as in the PKCS #10 request."
pub(super) fn self_signed(name: &str, key: Key, now: i64) -> Result<Signer, Stop> {
    let subject = encode_name(&[(attribute::COMMON_NAME, name.to_owned())]);
    let der = forge::Draft::new(&subject)?.for_messages().sign(&key, &key, now)?;
    Ok(Signer { certificate: Certificate::parse(&der)?, key })
}

pub(super) fn require_status(reply: &Reply, wanted: Status) -> Result<(), Stop> {
    let status = reply.status()?;
    require(status == wanted, || format!("{}, not {wanted}", reply.summary()))
}

/// FAILURE, with nothing enclosed.
pub(super) fn require_failure(reply: &Reply) -> Result<(), Stop> {
    require_status(reply, Status::Failure)?;
    // RFC 8894 §3.3.2.2: "The pkcsPKIEnvelope (Section 3.2.2) MUST be omitted."
    require(reply.content.is_none(), || "FAILURE with a pkcsPKIEnvelope".into())
}

/// Ciphers and digests that a request may have.
pub(super) const IN_KIND: [(Cipher, Hash); 4] = [
    (Cipher::Aes128, Hash::Sha256),
    (Cipher::Aes256, Hash::Sha256),
    (Cipher::Aes128, Hash::Sha512),
    (Cipher::Aes256, Hash::Sha512),
];
