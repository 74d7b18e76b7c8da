//! Requests of OCSP (RFC 6960 §4.1.1), made while the load runs: a form for all of them, in which serial number and nonce are filled in.

use anyhow::{Context, ensure};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64ct::{Base64, Encoding};
use certgate_conformance::{
    asn1::{Element, tag},
    certificate::Certificate,
};
use const_oid::ObjectIdentifier;

use crate::serials::{SERIAL_OCTETS, Serials};

const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");
/// RFC 9654 §2.1: "Clients … SHOULD use a minimum length of 32 octets".
const NONCE_OCTETS: usize = 32;
/// `responseStatus` successful: an ENUMERATED of one octet.
const SUCCESSFUL: [u8; 3] = [tag::ENUMERATED, 1, 0];
/// `certStatus` unknown.
const UNKNOWN: u8 = 0x82;

/// Questions about many certificates of one issuer.
pub(crate) struct Questions {
    /// A request, with a serial number and a nonce of zeros.
    form: Vec<u8>,
    serial_at: usize,
    nonce_at: Option<usize>,
    serials: Serials,
    skip: usize,
    is_checked: bool,
}

/// What is asked for, and how the answers are looked at.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Certificate of the CA that has issued what is asked about, PEM
    #[arg(long)]
    pub(crate) issuer: std::path::PathBuf,
    /// Serial numbers that are asked about, in an order without neighbours: FIRST+COUNT, the first as 16 octets in hexadecimal
    #[arg(long)]
    serials: Serials,
    /// How many of them are left out at the beginning of that order
    #[arg(long, default_value_t = 0)]
    skip: usize,
    /// By GET, the request in base64 behind the URL; POST if not given
    #[arg(long)]
    pub(crate) get: bool,
    /// A nonce of 32 octets in each request
    #[arg(long)]
    nonce: bool,
    /// Look at the status and the media type of answers only: a raw server gives the same answer always
    #[arg(long)]
    unchecked: bool,
}

impl Questions {
    /// Questions about what this CA has issued.
    pub(crate) fn new(options: &Options, issuer: &Certificate) -> anyhow::Result<Self> {
        let form = request(issuer, options.nonce).encode();
        let place = |length: u8| position(&form, &[&[length][..], &vec![0; usize::from(length)]].concat()).map(|at| at + 1);
        let serial_at = place(SERIAL_OCTETS as u8).context("a request without serial number")?;
        let nonce_at = options.nonce.then(|| place(NONCE_OCTETS as u8).context("a request without nonce")).transpose()?;
        let Options { serials, skip, unchecked, .. } = *options;
        Ok(Self { form, serial_at, nonce_at, serials, skip, is_checked: !unchecked })
    }

    fn serial(&self, index: usize) -> [u8; SERIAL_OCTETS] {
        self.serials.nth(self.skip + index)
    }

    /// The request at `index`, in DER.
    pub(crate) fn der(&self, index: usize) -> Vec<u8> {
        let mut der = self.form.clone();
        fill(&mut der, self.serial_at, &self.serial(index));
        if let Some(at) = self.nonce_at {
            fill(&mut der, at, &nonce(index));
        }
        der
    }

    /// The same as it stands behind the URL of a GET (RFC 6960 §A.1).
    pub(crate) fn path(&self, index: usize) -> String {
        Base64::encode_string(&self.der(index)).replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")
    }

    /// Is this an answer to the request at `index`: about that certificate, which was issued, and with that nonce?
    pub(crate) fn check(&self, index: usize, answer: &[u8]) -> anyhow::Result<()> {
        if !self.is_checked {
            return Ok(());
        }
        // OCSPResponse ::= SEQUENCE { responseStatus, … }, longer than 255 octets.
        ensure!(answer.get(4..7) == Some(&SUCCESSFUL), "an error of OCSP: {:02x?}", answer.get(..8));
        let serial = self.serial(index);
        let end = position(answer, &serial).context("an answer about another certificate")? + serial.len();
        ensure!(answer.get(end) != Some(&UNKNOWN), "serial number {serial:02x?} is unknown");
        ensure!(self.nonce_at.is_none() || position(answer, &nonce(index)).is_some(), "an answer without the nonce");
        Ok(())
    }
}

fn request(issuer: &Certificate, has_nonce: bool) -> Element {
    let key = issuer.spki.elements().get(1).and_then(|bits| bits.octets().get(1..)).unwrap_or_default();
    let hash = |octets: &[u8]| Element::primitive(tag::OCTET_STRING, digest(&SHA1_FOR_LEGACY_USE_ONLY, octets).as_ref());
    let cert_id = Element::sequence(vec![
        Element::sequence(vec![Element::object_identifier(SHA1), Element::primitive(tag::NULL, &[])]),
        hash(&issuer.subject.encode()),
        hash(key),
        Element::primitive(tag::INTEGER, &[0; SERIAL_OCTETS]),
    ]);
    let mut parts = vec![Element::sequence(vec![Element::sequence(vec![cert_id])])];
    if has_nonce {
        let nonce = Element::primitive(tag::OCTET_STRING, &[0; NONCE_OCTETS]).encode();
        let extension =
            Element::sequence(vec![Element::object_identifier(NONCE), Element::primitive(tag::OCTET_STRING, &nonce)]);
        parts.push(Element::constructed(tag::context(2), vec![Element::sequence(vec![extension])]));
    }
    Element::sequence(vec![Element::sequence(parts)])
}

/// A nonce of its own for each request: what it is made of is no matter here.
fn nonce(index: usize) -> [u8; NONCE_OCTETS] {
    let mut nonce = [0xa5; NONCE_OCTETS];
    fill(&mut nonce, 0, &index.to_be_bytes());
    nonce
}

fn fill(octets: &mut [u8], at: usize, with: &[u8]) {
    if let Some(place) = octets.get_mut(at..at + with.len()) {
        place.copy_from_slice(with);
    }
}

/// Where `wanted` begins.
fn position(octets: &[u8], wanted: &[u8]) -> Option<usize> {
    octets.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn questions(has_nonce: bool) -> Questions {
        let form = Element::sequence(vec![
            Element::primitive(tag::INTEGER, &[0; SERIAL_OCTETS]),
            Element::primitive(tag::OCTET_STRING, &[0; NONCE_OCTETS]),
        ]);
        let serials = format!("{}+10", "40".repeat(SERIAL_OCTETS)).parse().unwrap();
        let nonce_at = has_nonce.then_some(6 + SERIAL_OCTETS);
        Questions { form: form.encode(), serial_at: 4, nonce_at, serials, skip: 1, is_checked: true }
    }

    #[test]
    fn serial_and_nonce_are_filled_in() {
        let questions = questions(true);
        let der = questions.der(3);
        assert_eq!(der[4..20], questions.serial(3));
        assert_eq!(der[22..], nonce(3));
        assert_eq!(der[20..22], [tag::OCTET_STRING, 32]);
    }

    #[test]
    fn an_answer_is_about_what_was_asked() {
        let questions = questions(true);
        let answer = |status: u8, serial: [u8; 16], nonce: [u8; 32]| {
            [&[0x30, 0x82, 1, 0, tag::ENUMERATED, 1, status][..], &serial, &[0x80, 0], &nonce].concat()
        };
        let (serial, other) = (questions.serial(1), questions.serial(2));
        assert!(questions.check(1, &answer(0, serial, nonce(1))).is_ok());
        assert!(questions.check(1, &answer(6, serial, nonce(1))).is_err());
        assert!(questions.check(1, &answer(0, other, nonce(1))).is_err());
        assert!(questions.check(1, &answer(0, serial, nonce(2))).is_err());
    }
}
