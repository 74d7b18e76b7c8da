//! Responses (RFC 6960 §4.2.1), read strictly: every field kept as it stands, nothing judged beyond DER and the shape.

use std::fmt;

use crate::{
    asn1::{Element, Fault, tag},
    certificate::{Certificate, Extension, Time, read_extension},
};

/// `id-pkix-ocsp-basic` (RFC 6960 §4.2.1).
pub(super) const ID_BASIC: const_oid::ObjectIdentifier = const_oid::ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");

/// Numbers of `OCSPResponseStatus` (RFC 6960 §4.2.1).
pub(super) mod status {
    pub(in crate::ocsp) const SUCCESSFUL: u8 = 0;
    pub(in crate::ocsp) const MALFORMED_REQUEST: u8 = 1;
    pub(in crate::ocsp) const UNAUTHORIZED: u8 = 6;
}

/// An `OCSPResponse`.
pub(super) enum Reply {
    /// A signed answer.
    Basic(Box<Basic>),
    /// Any other status than `successful`, by its number.
    Error(u8),
}

/// A `BasicOCSPResponse`.
#[derive(Clone)]
pub(super) struct Basic {
    /// The encoding of `tbsResponseData`: what was signed.
    pub(super) tbs: Vec<u8>,
    /// `version`, where it is written out.
    pub(super) version: Option<Element>,
    /// `responderID`.
    pub(super) responder: Element,
    pub(super) produced_at: Time,
    pub(super) singles: Vec<Single>,
    /// `responseExtensions`.
    pub(super) extensions: Vec<Extension>,
    pub(super) algorithm: Element,
    /// The bits of the signature.
    pub(super) signature: Vec<u8>,
    /// `certs`.
    pub(super) certificates: Vec<Certificate>,
}

/// A `SingleResponse`.
#[derive(Clone)]
pub(super) struct Single {
    pub(super) id: Element,
    pub(super) status: Status,
    pub(super) this_update: Time,
    pub(super) next_update: Option<Time>,
    /// `singleExtensions`.
    pub(super) extensions: Vec<Extension>,
}

/// A `CertStatus`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Good,
    Revoked {
        time: Time,
        /// The number of the `CRLReason`.
        reason: Option<u8>,
    },
    Unknown,
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good => formatter.write_str("good"),
            Self::Unknown => formatter.write_str("unknown"),
            Self::Revoked { time, reason: Some(reason) } => write!(formatter, "revoked at {} for reason {reason}", time.text),
            Self::Revoked { time, reason: None } => write!(formatter, "revoked at {}", time.text),
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic(_) => formatter.write_str("a signed answer"),
            Self::Error(number) => write!(formatter, "responseStatus {number}"),
        }
    }
}

impl Reply {
    pub(super) fn read(der: &[u8]) -> Result<Self, Fault> {
        let whole = Element::parse(der)?;
        let [status, bytes @ ..] = whole.expect_tag(tag::SEQUENCE, "OCSPResponse")?.elements() else {
            return Err(Fault::new("an OCSPResponse without responseStatus"));
        };
        let number = match status.expect_tag(tag::ENUMERATED, "responseStatus")?.octets() {
            [number] => *number,
            other => return Err(Fault(format!("responseStatus of {} octets", other.len()))),
        };
        match (number, bytes) {
            (status::SUCCESSFUL, [bytes]) => Ok(Self::Basic(Box::new(Basic::read(bytes)?))),
            (status::SUCCESSFUL, []) => Err(Fault::new("successful without responseBytes")),
            // RFC 6960 §4.2.1: "If the value of responseStatus is one of the error conditions, the responseBytes field is not set."
            (_, []) => Ok(Self::Error(number)),
            _ => Err(Fault(format!("responseStatus {number} with something behind it"))),
        }
    }
}

impl Basic {
    fn read(bytes: &Element) -> Result<Self, Fault> {
        let bytes = within(bytes, 0, "responseBytes")?;
        let [kind, response] = bytes.elements() else { return Err(Fault::new("ResponseBytes is a SEQUENCE of two")) };
        // RFC 6960 §4.2.1: "For a basic OCSP responder, responseType will be id-pkix-ocsp-basic."
        if kind.oid() != Some(ID_BASIC) {
            return Err(Fault(format!("responseType {:?}, not id-pkix-ocsp-basic", kind.oid().map(|oid| oid.to_string()))));
        }
        let basic = Element::parse(response.expect_tag(tag::OCTET_STRING, "response")?.octets())?;
        let (data, algorithm, signature, certificates) = match basic.elements() {
            [data, algorithm, signature] => (data, algorithm, signature, None),
            [data, algorithm, signature, certificates] => (data, algorithm, signature, Some(certificates)),
            _ => return Err(Fault::new("BasicOCSPResponse is a SEQUENCE of three or four")),
        };
        let certificates = certificates.map(|certificates| within(certificates, 0, "certs")).transpose()?;
        let certificates = certificates.map(Element::elements).unwrap_or_default();
        let (version, fields) = match data.elements() {
            [first, rest @ ..] if first.tag == tag::context(0) => (Some(first.clone()), rest),
            all => (None, all),
        };
        let [responder, produced_at, singles, optional @ ..] = fields else {
            return Err(Fault::new("a ResponseData without all its fields"));
        };
        let responder_kinds = [tag::context(1), tag::context(2)];
        if !responder_kinds.contains(&responder.tag) {
            return Err(Fault(format!("responderID with identifier octet {:02x}", responder.tag)));
        }
        Ok(Self {
            tbs: data.encode(),
            version,
            responder: responder.clone(),
            produced_at: generalized(produced_at, "producedAt")?,
            singles: singles
                .expect_tag(tag::SEQUENCE, "responses")?
                .elements()
                .iter()
                .map(Single::read)
                .collect::<Result<_, _>>()?,
            extensions: extensions(optional, "responseExtensions")?,
            algorithm: algorithm.expect_tag(tag::SEQUENCE, "signatureAlgorithm")?.clone(),
            signature: signature.expect_tag(tag::BIT_STRING, "signature")?.octets().get(1..).unwrap_or_default().to_vec(),
            certificates: certificates.iter().map(Certificate::from_element).collect::<Result<_, _>>()?,
        })
    }

    /// The `SingleResponse` about this CertID.
    pub(super) fn about(&self, id: &Element) -> Option<&Single> {
        self.singles.iter().find(|single| single.id == *id)
    }

    /// Whether this is one of `responseExtensions`.
    pub(super) fn extension(&self, oid: const_oid::ObjectIdentifier) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.oid == oid)
    }
}

impl Single {
    fn read(element: &Element) -> Result<Self, Fault> {
        let [id, status, this_update, optional @ ..] = element.elements() else {
            return Err(Fault::new("a SingleResponse without all its fields"));
        };
        let (next_update, optional) = match optional {
            [next, rest @ ..] if next.tag == tag::context(0) => {
                (Some(generalized(within(next, 0, "nextUpdate")?, "nextUpdate")?), rest)
            }
            all => (None, all),
        };
        Ok(Self {
            id: id.clone(),
            status: Status::read(status)?,
            this_update: generalized(this_update, "thisUpdate")?,
            next_update,
            extensions: extensions(optional, "singleExtensions")?,
        })
    }
}

impl Status {
    /// "good [0] IMPLICIT NULL, revoked [1] IMPLICIT RevokedInfo, unknown [2] IMPLICIT UnknownInfo" (RFC 6960 §4.2.1).
    fn read(element: &Element) -> Result<Self, Fault> {
        match (element.tag, element.elements()) {
            (0x80, _) if element.octets().is_empty() => Ok(Self::Good),
            (0x82, _) if element.octets().is_empty() => Ok(Self::Unknown),
            (0xa1, [time]) => Ok(Self::Revoked { time: generalized(time, "revocationTime")?, reason: None }),
            (0xa1, [time, reason]) => {
                let reason = within(reason, 0, "revocationReason")?.expect_tag(tag::ENUMERATED, "revocationReason")?;
                let [number] = reason.octets() else { return Err(Fault::new("a revocationReason of several octets")) };
                Ok(Self::Revoked { time: generalized(time, "revocationTime")?, reason: Some(*number) })
            }
            (other, _) => Err(Fault(format!("certStatus with identifier octet {other:02x}"))),
        }
    }
}

/// The one element inside of `[number] EXPLICIT`.
fn within<'e>(element: &'e Element, number: u8, what: &str) -> Result<&'e Element, Fault> {
    match element.expect_tag(tag::context(number), what)?.elements() {
        [inner] => Ok(inner),
        all => Err(Fault(format!("{what}: {} elements in [{number}]", all.len()))),
    }
}

/// RFC 6960 §4.2.2.1 and RFC 5019 §2.2.4 want GeneralizedTime; that it has seconds, no fraction and Z is what DER is read by.
fn generalized(element: &Element, what: &str) -> Result<Time, Fault> {
    Time::read(element.expect_tag(tag::GENERALIZED_TIME, what)?)
}

fn extensions(optional: &[Element], what: &str) -> Result<Vec<Extension>, Fault> {
    match optional {
        [] => Ok(Vec::new()),
        [wrapper] => {
            let list = within(wrapper, 1, what)?.elements();
            if list.is_empty() {
                Err(Fault(format!("{what}: an empty list")))
            } else {
                list.iter().map(read_extension).collect()
            }
        }
        _ => Err(Fault(format!("{what}: something behind them"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(octets: &[u8]) -> String {
        Reply::read(octets).err().expect("a fault").to_string()
    }

    #[test]
    fn an_error_is_its_number_alone() {
        // OCSPResponse { responseStatus malformedRequest }
        assert!(matches!(Reply::read(&[0x30, 0x03, 0x0a, 0x01, 0x01]), Ok(Reply::Error(1))));
        // The same with an empty [0] behind it.
        assert_eq!(fault(&[0x30, 0x05, 0x0a, 0x01, 0x01, 0xa0, 0x00]), "responseStatus 1 with something behind it");
        // OCSPResponse { responseStatus successful }
        assert_eq!(fault(&[0x30, 0x03, 0x0a, 0x01, 0x00]), "successful without responseBytes");
    }

    #[test]
    fn a_status_is_one_of_three() {
        let read = |octets: &[u8]| Status::read(&Element::parse(octets).expect("DER"));
        assert_eq!(read(&[0x80, 0x00]), Ok(Status::Good));
        assert_eq!(read(&[0x82, 0x00]), Ok(Status::Unknown));
        let time = b"20260101000000Z";
        let revoked = [&[0xa1, 0x16, 0x18, 0x0f], &time[..], &[0xa0, 0x03, 0x0a, 0x01, 0x06]].concat();
        let wanted = "revoked at 20260101000000Z for reason 6";
        assert_eq!(read(&revoked).expect("revoked").to_string(), wanted);
        // good with octets in it; RevokedInfo without a time; [3].
        for bad in [&[0x80, 0x01, 0x00][..], &[0xa1, 0x00], &[0x83, 0x00]] {
            assert!(read(bad).is_err(), "{bad:02x?}");
        }
    }
}
