//! The same message worded otherwise: GET instead of POST, other paths, BER; and what is no message (RFC 8894 §4.1).

use base64ct::{Base64, Encoding};

use super::{
    approval::pending_reply,
    ber,
    message::Draft,
    session::{Check, Session, post_to, reply_of},
    steps::{Device, require_failure},
};
use crate::{
    asn1::Element,
    certificate::Certificate,
    dump,
    http::Request,
    parts::Parts,
    verdict::{Stop, Verdict, require},
};

/// A device with its request; a repetition of it is answered as it was.
struct Applicant {
    device: Device,
    asked: Draft,
    message: Element,
}

impl Applicant {
    fn new(session: &mut Session<'_>) -> Result<Self, Stop> {
        let url = session.url();
        let device = Device::new(session, url.clone())?;
        let asked = device.request(&device.csr(&session.challenge(&url)?)?)?;
        let message = asked.sign(&device.signer)?;
        Ok(Self { device, asked, message })
    }

    /// The certificate that this request brings.
    fn granted_by(&self, session: &mut Session<'_>, request: Request) -> Result<Certificate, Stop> {
        let response = session.send(&self.device.url, request)?;
        let reply = reply_of(&response)?;
        self.device.granted(session, &reply, &self.asked)
    }
}

pub(super) fn get_is_as_post(session: &mut Session<'_>) -> Verdict {
    let applicant = Applicant::new(session)?;
    let first = applicant.device.enroll(session, &applicant.asked)?;
    let text = Base64::encode_string(&applicant.message.encode());
    let padded = text.replace('=', "%3D");
    let each = [
        ("+, / and = escaped", padded.replace('+', "%2B").replace('/', "%2F")),
        ("= escaped", padded),
        ("nothing escaped", text),
    ];
    for (what, message) in each {
        let target = format!("{}?operation=PKIOperation&message={message}", applicant.device.url.path);
        let request = Request::new("GET", &target).called("GetPKIOperation");
        let again = applicant.granted_by(session, request).map_err(|stop| stop.about(what))?;
        require(again.der == first.der, || format!("{what}: another certificate than by POST"))?;
    }
    Ok(format!("{} by POST and by GET, however escaped", first.serial_hex()))
}

pub(super) fn any_path_will_do(session: &mut Session<'_>) -> Verdict {
    let applicant = Applicant::new(session)?;
    let path = applicant.device.url.path.clone();
    let targets = [
        // RFC 8894 §4.3: "many CAs don't check this value or even notice its absence."
        path.clone(),
        format!("{path}/pkiclient.exe?operation=PKIOperation"),
        format!("{path}/cgi-bin/pkiclient.exe?operation=PKIOperation"),
    ];
    for target in &targets {
        let request = post_to(target, &applicant.message.encode());
        applicant.granted_by(session, request).map_err(|stop| stop.about(&format!("POST {target}")))?;
    }
    Ok(format!("POST {}", targets.join(", ")))
}

pub(super) fn reads_ber_and_nothing_else(session: &mut Session<'_>) -> Verdict {
    let applicant = Applicant::new(session)?;
    let device = &applicant.device;
    let unknown = Request::new("GET", &format!("{}?operation=GetCoffee", device.url.path)).called("GetCoffee");
    let response = session.send(&device.url, unknown)?;
    require(response.is_client_error(), || format!("an unknown operation: HTTP {}, not 4xx", response.status))?;
    let mut found = vec![format!("an unknown operation: HTTP {}", response.status)];
    let trailing = [applicant.message.encode(), vec![0, 0]].concat();
    for (what, octets) in [("nothing", &b""[..]), ("garbage", &b"\x30\x82garbage"[..]), ("trailing octets", &trailing)] {
        let how = device.must_turn_away(session, octets).map_err(|stop| stop.about(what))?;
        found.push(format!("{what}: {how}"));
    }
    let loose = ber::loosen_envelope(&applicant.asked.content)?;
    let asked = Draft { content: loose, ..applicant.asked.clone() };
    let message = ber::loosen_message(&asked.sign(&device.signer)?)?;
    let reply = reply_of(&session.post(&device.url, &message)?)?;
    device.granted(session, &reply, &asked).map_err(|stop| stop.about("BER of indefinite length"))?;
    found.push("BER of indefinite length: SUCCESS".into());
    Ok(found.join("; "))
}

/// Every kind of reply in DER, which [`crate::asn1`] and [`super::reply`] read strictly; dumpasn1 has its say where it is installed.
pub(super) fn answers_in_der(session: &mut Session<'_>) -> Verdict {
    let mut parts = Parts::default();
    let each: [(&str, Check); 4] = [
        ("SUCCESS", success_is_der),
        ("FAILURE", failure_is_der),
        ("PENDING", pending_is_der),
        ("GetCACert", certificates_are_der),
    ];
    for (what, part) in each {
        let verdict = part(session);
        parts.add(what, verdict)?;
    }
    parts.verdict()
}

/// The message, the envelope in it, and the certs-only message in that.
fn success_is_der(session: &mut Session<'_>) -> Verdict {
    let Applicant { device, asked, .. } = Applicant::new(session)?;
    let reply = device.ask(session, &asked)?;
    device.granted(session, &reply, &asked)?;
    let (_, contents) = device.unseal(&reply)?;
    dumped(&reply.der)?;
    dumped(reply.content.as_deref().unwrap_or_default())?;
    dumped(&contents)
}

fn failure_is_der(session: &mut Session<'_>) -> Verdict {
    let url = session.url();
    let device = Device::new(session, url)?;
    let reply = device.ask(session, &device.request(&device.csr("no challenge")?)?)?;
    require_failure(&reply)?;
    dumped(&reply.der)
}

fn pending_is_der(session: &mut Session<'_>) -> Verdict {
    dumped(&pending_reply(session)?.der)
}

fn certificates_are_der(session: &mut Session<'_>) -> Verdict {
    let url = session.url();
    let response = session.get(&url, "GetCACert")?;
    dumped(&response.content)
}

fn dumped(octets: &[u8]) -> Verdict {
    Element::parse(octets)?;
    let is_dumped = dump::finds_nothing(octets)?;
    Ok(if is_dumped { "DER, dumpasn1".into() } else { "DER; dumpasn1 is not installed".into() })
}
