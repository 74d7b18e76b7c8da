//! The cryptography that an enrollment cannot do without, over the objects of a real one.

use anyhow::{Context, anyhow};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, UnparsedPublicKey},
};
use base64ct::{Base64, Encoding};
use certgate_conformance::{asn1::Element, certificate::Certificate, certs_only, pem};
use der::{Decode, Header, Reader, SliceReader};
use serde::Serialize;
use x509_cert::request::CertReq;

use crate::{cpu::CpuClock, work};

/// Repetitions between two looks at the clock.
const BATCH: u32 = 16;

/// CPU time of each, in nanoseconds.
#[derive(Serialize)]
pub(crate) struct Costs {
    /// A CSR parsed by x509-cert.
    parse_ns: f64,
    /// Its signature verified by aws-lc-rs, ECDSA on P-256.
    verify_ns: f64,
    /// A certificate signed by aws-lc-rs, ECDSA on P-256.
    sign_ns: f64,
    csr_bytes: usize,
    tbs_bytes: usize,
}

/// Measures with the certificate in `issued`, an answer to an enrollment, and a CSR as an enrollment sends it.
pub(crate) fn measure(issued: &[u8], seconds: f64) -> anyhow::Result<Costs> {
    let tbs = device(issued)?.tbs;
    let csr = work::csr("device")?;
    let Proof { message, signature, public_key } = Proof::read(&csr)?;
    let parse_ns = repeat(seconds, || CertReq::from_der(&csr).map(drop).map_err(Into::into))?;
    let verify = || UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &public_key).verify(&message, &signature);
    let verify_ns = repeat(seconds, || verify().map_err(|_| anyhow!("a signature that is not valid")))?;
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(|_| anyhow!("no key"))?;
    let random = SystemRandom::new();
    let sign = || key.sign(&random, &tbs).map(drop);
    let sign_ns = repeat(seconds, || sign().map_err(|_| anyhow!("no signature")))?;
    Ok(Costs { parse_ns, verify_ns, sign_ns, csr_bytes: csr.len(), tbs_bytes: tbs.len() })
}

/// What an enrollment cannot do without, once: in the place where a server does it, with the caches as a server leaves them.
pub(crate) struct Enrollment {
    tbs: Vec<u8>,
    key: EcdsaKeyPair,
    random: SystemRandom,
}

impl Enrollment {
    /// Signs what was signed in `issued`, an answer to an enrollment.
    pub(crate) fn new(issued: &[u8]) -> anyhow::Result<Self> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(|_| anyhow!("no key"))?;
        Ok(Self { tbs: device(issued)?.tbs, key, random: SystemRandom::new() })
    }

    /// Parses and verifies the CSR in the body of a request of EST, and signs.
    pub(crate) fn perform(&self, body: &[u8]) -> anyhow::Result<()> {
        self.issue(&Base64::decode_vec(std::str::from_utf8(body)?).map_err(|_| anyhow!("no base64"))?)
    }

    /// Parses and verifies a CSR, and signs.
    pub(crate) fn issue(&self, csr: &[u8]) -> anyhow::Result<()> {
        let parsed = CertReq::from_der(csr)?;
        // The signed part as it was sent: what follows the header of the whole.
        let message = SliceReader::new(csr).and_then(|mut whole| {
            Header::decode(&mut whole)?;
            whole.tlv_bytes()
        })?;
        let public_key = parsed.info.public_key.subject_public_key.raw_bytes();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public_key)
            .verify(message, parsed.signature.raw_bytes())
            .map_err(|_| anyhow!("a signature that is not valid"))?;
        self.key.sign(&self.random, &self.tbs).map(drop).map_err(|_| anyhow!("no signature"))
    }
}

/// The certificate of no authority, in an answer of EST, or in a chain as ACME gives it.
fn device(issued: &[u8]) -> anyhow::Result<Certificate> {
    let certificates = match pem::decode(issued) {
        Ok(ders) => ders.iter().map(|der| Certificate::parse(der)).collect::<Result<Vec<_>, _>>()?,
        Err(_) => certs_only::decode(issued)?,
    };
    certificates.into_iter().find(|certificate| !certificate.is_authority()).context("an answer without certificate")
}

/// A CSR's proof of possession (RFC 2986 §4.2).
struct Proof {
    message: Vec<u8>,
    signature: Vec<u8>,
    public_key: Vec<u8>,
}

impl Proof {
    fn read(csr: &[u8]) -> anyhow::Result<Self> {
        let whole = Element::parse(csr)?;
        let parsed = CertReq::from_der(csr)?;
        Ok(Self {
            message: whole.elements().first().context("an empty CSR")?.encode(),
            signature: parsed.signature.raw_bytes().to_vec(),
            public_key: parsed.info.public_key.subject_public_key.raw_bytes().to_vec(),
        })
    }
}

/// CPU time of one `call`, in nanoseconds.
pub(crate) fn repeat(seconds: f64, mut call: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    for _ in 0..BATCH {
        call()?;
    }
    let start = CpuClock::OWN.nanoseconds()?;
    let mut calls = 0_u32;
    loop {
        for _ in 0..BATCH {
            call()?;
        }
        calls += BATCH;
        let spent = CpuClock::OWN.nanoseconds()?.saturating_sub(start) as f64;
        if spent >= seconds * 1e9 {
            return Ok(spent / f64::from(calls));
        }
    }
}
