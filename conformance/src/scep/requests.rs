//! Requests that a server has to grant, by the thousand: for load.

use anyhow::anyhow;

use super::{
    algorithm::Cipher,
    authorities::Authorities,
    envelope::Envelope,
    message::{Draft, Signer, kind},
    reply::{Reply, Status},
    steps::self_signed,
};
use crate::{
    csr::Wish,
    key::{Key, KeyKind},
    target::Url,
    verdict::Stop,
};

/// One device that asks again and again, each time in a transaction of its own.
pub struct Requester {
    signer: Signer,
    csr: Vec<u8>,
    authorities: Authorities,
}

/// A PKCSReq (RFC 8894 §3.3.1).
pub struct Asked {
    /// The message, DER.
    pub der: Vec<u8>,
    /// What its answer is held against.
    draft: Draft,
}

impl Requester {
    /// A device of this name, with an RSA key of 2048 bits, which encrypts to the CA whose answer to GetCACert this is; `now` in seconds
    /// since 1970.
    ///
    /// # Errors
    /// An answer that is none.
    pub fn new(name: &str, challenge: &str, (url, answer): (&Url, &[u8]), now: i64) -> anyhow::Result<Self> {
        let signer = self_signed(name, Key::new(KeyKind::Rsa2048)?, now).map_err(reason)?;
        let csr = Wish::common_name(name).with_dns_names(&[name]).with_challenge(challenge).sign(&signer.key)?;
        Ok(Self { signer, csr, authorities: Authorities::of_message(url, answer).map_err(reason)? })
    }

    /// A request in a new transaction, by AES-128 and SHA-256.
    ///
    /// # Errors
    /// A CA that cannot be encrypted to.
    pub fn ask(&self) -> anyhow::Result<Asked> {
        let envelope = Envelope::seal(&self.csr, Cipher::Aes128, self.authorities.recipient().map_err(reason)?)?;
        let mut draft = Draft::new(kind::PKCS_REQ, envelope.encode().encode())?;
        let der = draft.sign(&self.signer)?.encode();
        draft.content = Vec::new();
        Ok(Asked { der, draft })
    }

    /// Whether this is the CertRep to a request, signed by the CA, with a certificate. Its envelope stays closed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, asked: &Asked, answer: &[u8]) -> anyhow::Result<()> {
        let reply = Reply::read(answer)?;
        if reply.status()? != Status::Success || reply.content.is_none() {
            return Err(anyhow!("{}", reply.summary()));
        }
        self.authorities.trust(&reply, &asked.draft).map_err(reason)
    }
}

fn reason(stop: Stop) -> anyhow::Error {
    match stop {
        Stop::Fail(reason) | Stop::Skip(reason) => anyhow!(reason),
    }
}
