//! An EST server without sockets: as RFC 7030 and RFC 8951 want it, unless told otherwise.

use base64ct::{Base64, Encoding};
use certgate_conformance::{
    asn1::{Element, tag},
    clause::Reading,
    csr::attribute,
    http::{Connection, Delivery, Request, Response},
    session::basic,
    signature,
    transport::{Failure, Transport},
};
use cms::{
    cert::CertificateChoices,
    content_info::{CmsVersion, ContentInfo},
    signed_data::{CertificateSet, EncapsulatedContentInfo, SignedData, SignerInfos},
};
use der::{Any, Decode, Encode, asn1::SetOfVec};
use p256::ecdsa::SigningKey;
use x509_cert::{Certificate, ext::Extension};

use crate::authority::{Authority, Order};

const USER: &str = "device";
const PASSWORD: &str = "secret of the device";
const SIZE_LIMIT: usize = 64 * 1024;

/// The server, with the faults it can be given.
pub(crate) struct Server {
    pub(crate) root: Authority,
    pub(crate) issuing: Authority,
    pub(crate) shown: Certificate,
    pub(crate) shown_key: SigningKey,
    reading: Reading,
    kept: bool,
    /// Verifies the signature of a CSR.
    pub(crate) verifies: bool,
    /// Signs every extension and name that a CSR asks for.
    pub(crate) copies_blindly: bool,
}

impl Server {
    pub(crate) fn new(reading: Reading) -> Self {
        let root = Authority::root();
        let issuing = root.subordinate();
        let (shown, shown_key) = issuing.server();
        Self { root, issuing, shown, shown_key, reading, kept: false, verifies: true, copies_blindly: false }
    }

    fn route(&self, request: &Request) -> Result<Response, Failure> {
        let path = request.target.strip_prefix("/.well-known/est/").unwrap_or_default();
        let operation = path.strip_prefix("default/").unwrap_or(path);
        Ok(match (request.method.as_str(), operation) {
            ("GET", "cacerts") => certs_only(&[&self.root.certificate, &self.issuing.certificate]),
            ("POST", "simpleenroll") => self.enroll(request)?,
            ("GET", "csrattrs") => Response { status: 204, ..Response::default() },
            (_, "cacerts") => method_not_allowed("GET"),
            (_, "simpleenroll") => method_not_allowed("POST"),
            _ => refusal(404, "there is no such operation"),
        })
    }

    fn enroll(&self, request: &Request) -> Result<Response, Failure> {
        let field = |name: &str| {
            request
                .fields
                .iter()
                .find(|(found, _)| found.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_ascii_lowercase())
        };
        let authorization = request.fields.iter().find(|(name, _)| name == "Authorization");
        if authorization.is_none_or(|(_, value)| *value != basic(USER, PASSWORD)) {
            let mut response = refusal(401, "name and password, please");
            response.fields.push(("WWW-Authenticate".into(), "Basic realm=\"est\"".into()));
            return Ok(response);
        }
        if matches!(request.delivery, Delivery::Trickle { .. }) {
            return Err(Failure::Closed);
        }
        let body = request.content.clone().unwrap_or_default();
        if body.len() > SIZE_LIMIT {
            return Ok(refusal(413, "that is too long"));
        }
        let is_pkcs10 = field("content-type").is_some_and(|value| value.split(';').next() == Some("application/pkcs10"));
        if self.reading == Reading::Strict && !is_pkcs10 {
            return Ok(refusal(415, "only application/pkcs10 is read"));
        }
        Ok(self.decode(&body).and_then(|csr| self.sign(&csr)).unwrap_or_else(|why| refusal(400, why)))
    }

    fn decode(&self, body: &[u8]) -> Result<Element, &'static str> {
        if self.reading == Reading::Compatible && body.first() == Some(&tag::SEQUENCE) {
            return Element::parse(body).map_err(|_| "this is not DER");
        }
        let text: String = body.iter().filter(|octet| !octet.is_ascii_whitespace()).map(|octet| char::from(*octet)).collect();
        let der = Base64::decode_vec(&text).map_err(|_| "this is not base64")?;
        Element::parse(&der).map_err(|_| "this is not DER")
    }

    fn sign(&self, csr: &Element) -> Result<Response, &'static str> {
        let [info, algorithm, bits] = csr.elements() else { return Err("this is not a CSR") };
        let [_, subject, spki, attributes] = info.elements() else { return Err("this is not a CSR") };
        if self.verifies
            && signature::verify(spki, algorithm, &info.encode(), bits.octets().get(1..).unwrap_or_default()).is_err()
        {
            return Err("the signature is wrong");
        }
        let requested = requested_extensions(attributes);
        let alternative = requested.iter().find(|extension| extension.extn_id.to_string() == "2.5.29.17");
        let dns_names = alternative.map(dns_names).unwrap_or_default();
        let common_names = common_names(subject);
        let all_own = dns_names.iter().chain(&common_names).all(|name| name == USER);
        if !self.copies_blindly && (!all_own || common_names.len() > 1) {
            return Err("this name is not yours");
        }
        let more = if self.copies_blindly { requested } else { Vec::new() };
        let certificate = self.issuing.issue(&Order { subject, spki, dns_names, more });
        let mut response = certs_only(&[&certificate]);
        response.fields = vec![("Content-Type".into(), "application/pkcs7-mime; smime-type=certs-only".into())];
        Ok(response)
    }
}

impl Transport for Server {
    fn exchange(&mut self, request: &Request) -> Result<Response, Failure> {
        let mut response = self.route(request)?;
        response.peer = vec![self.shown.to_der().expect("DER")];
        response.reused = request.connection == Connection::Kept && std::mem::replace(&mut self.kept, true);
        self.kept = request.connection == Connection::Kept;
        if request.delivery == Delivery::AfterContinue {
            response.interim = vec![100];
        }
        Ok(response)
    }

    fn probe(&mut self, _: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(vec![21, 3, 1, 0, 2, 2, 70])
    }
}

fn refusal(status: u16, words: &str) -> Response {
    let fields = vec![("Content-Type".into(), "text/plain; charset=utf-8".into())];
    Response { status, fields, content: words.as_bytes().to_vec(), ..Response::default() }
}

fn method_not_allowed(allowed: &str) -> Response {
    let mut response = refusal(405, "another method, please");
    response.fields.push(("Allow".into(), allowed.into()));
    response
}

fn certs_only(certificates: &[&Certificate]) -> Response {
    let choices: Vec<CertificateChoices> =
        certificates.iter().map(|certificate| CertificateChoices::Certificate((*certificate).clone())).collect();
    let signed_data = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::default(),
        encap_content_info: EncapsulatedContentInfo { econtent_type: const_oid::db::rfc5911::ID_DATA, econtent: None },
        certificates: Some(CertificateSet::try_from(choices).expect("a set")),
        crls: None,
        signer_infos: SignerInfos(SetOfVec::default()),
    };
    let content = Any::from_der(&signed_data.to_der().expect("DER")).expect("a value");
    let message = ContentInfo { content_type: const_oid::db::rfc5911::ID_SIGNED_DATA, content };
    let fields = vec![("Content-Type".into(), "application/pkcs7-mime".into())];
    Response {
        status: 200,
        fields,
        content: Base64::encode_string(&message.to_der().expect("DER")).into_bytes(),
        ..Response::default()
    }
}

fn requested_extensions(attributes: &Element) -> Vec<Extension> {
    let requests = attributes
        .elements()
        .iter()
        .filter(|attribute| attribute.elements()[0].oid().is_some_and(|oid| oid.to_string() == "1.2.840.113549.1.9.14"));
    let lists = requests.flat_map(|attribute| attribute.elements()[1].elements());
    lists.flat_map(Element::elements).map(|extension| Extension::from_der(&extension.encode()).expect("an extension")).collect()
}

fn dns_names(extension: &Extension) -> Vec<String> {
    let names = Element::parse(extension.extn_value.as_bytes()).expect("DER");
    names.elements().iter().map(|name| String::from_utf8_lossy(name.octets()).into_owned()).collect()
}

fn common_names(subject: &Element) -> Vec<String> {
    let pairs = subject.elements().iter().flat_map(Element::elements);
    let common = pairs.filter(|pair| pair.elements()[0].oid() == Some(attribute::COMMON_NAME));
    common.map(|pair| String::from_utf8_lossy(pair.elements()[1].octets()).into_owned()).collect()
}
