//! The certificates of the CA and its RA (RFC 8894 §4.2): to whom messages are encrypted, and who may sign answers.

use super::{
    message::{Draft, attribute},
    reply::Reply,
};
use crate::{
    asn1::{Element, tag},
    certificate::Certificate,
    certs_only, chain,
    http::Response,
    target::Url,
    verdict::{Stop, require},
};

/// Bit of `keyUsage` that says a key encrypts keys (RFC 5280 §4.2.1.3).
const KEY_ENCIPHERMENT: usize = 2;

/// The media type of a CA certificate alone (RFC 8894 §4.2.1.1).
const ONE: &str = "application/x-x509-ca-cert";
/// That of several (RFC 8894 §4.2.1.2).
const SEVERAL: &str = "application/x-x509-ca-ra-cert";

/// The answer to GetCACert.
pub(super) struct Authorities {
    /// The endpoint that they are of.
    pub(super) url: Url,
    /// Itself.
    pub(super) certificates: Vec<Certificate>,
    /// The target's trust anchors.
    anchors: Vec<Certificate>,
    /// Whether it was a message of several certificates.
    pub(super) is_message: bool,
}

impl Authorities {
    /// Reads an answer.
    pub(super) fn read(url: &Url, response: &Response, anchors: Vec<Certificate>) -> Result<Self, Stop> {
        let read = || -> Result<(Vec<Certificate>, bool), Stop> {
            require(response.status == 200, || format!("HTTP {}", response.status))?;
            match response.media_type().as_deref() {
                Some(ONE) => Ok((vec![Certificate::parse(&response.content)?], false)),
                Some(SEVERAL) => {
                    // RFC 8894 §3.4: "the content field of the ContentInfo value of a degenerate certificates-only SignedData MUST be
                    // omitted."
                    let message = Element::parse(&response.content)?;
                    let set = certs_only::certificate_set(&message)?;
                    Ok((set.iter().map(Certificate::from_element).collect::<Result<_, _>>()?, true))
                }
                other => Err(Stop::Fail(format!("content type {other:?}"))),
            }
        };
        let (certificates, is_message) = read().map_err(|stop| stop.about("GetCACert"))?;
        Ok(Self { url: url.clone(), certificates, anchors, is_message })
    }

    /// Of a message of several certificates, for one who trusts whoever is in it.
    pub(super) fn of_message(url: &Url, message: &[u8]) -> Result<Self, Stop> {
        let message = Element::parse(message)?;
        let set = certs_only::certificate_set(&message)?;
        let certificates = set.iter().map(Certificate::from_element).collect::<Result<_, _>>()?;
        Ok(Self { url: url.clone(), certificates, anchors: Vec::new(), is_message: true })
    }

    /// The certificate to encrypt to: the RA's that says it is for that, or else the CA's.
    pub(super) fn recipient(&self) -> Result<&Certificate, Stop> {
        let is_for_keys = |certificate: &&Certificate| certificate.key_usage(KEY_ENCIPHERMENT) != Some(false);
        let able = || self.certificates.iter().filter(is_for_keys);
        let chosen = able().find(|certificate| !certificate.is_authority()).or_else(|| able().next());
        chosen.ok_or_else(|| Stop::fail("GetCACert: no certificate whose key may encrypt keys"))
    }

    /// The name of the CA that issues.
    pub(super) fn issuer(&self) -> Result<&Element, Stop> {
        let recipient = self.recipient()?;
        Ok(if recipient.is_authority() { &recipient.subject } else { &recipient.issuer })
    }

    /// The way from a certificate to a trust anchor, through the answer and the anchors themselves; gives its length.
    pub(super) fn validate(&self, leaf: &Certificate, now: i64) -> Result<usize, Stop> {
        let pool: Vec<Certificate> = self.certificates.iter().chain(&self.anchors).cloned().collect();
        let path = chain::validate(leaf, &pool, now).map_err(|error| Stop::Fail(format!("no way to a root: {error}")))?;
        let is_anchored = path.last().is_some_and(|root| self.anchors.iter().any(|anchor| anchor.der == root.der));
        require(is_anchored, || "the way ends at another root than the target's".into())?;
        Ok(path.len())
    }

    /// Whether the answer has the issuer of a certificate.
    pub(super) fn has_issuer_of(&self, certificate: &Certificate) -> bool {
        self.certificates.iter().any(|issuer| issuer.is_authority() && issuer.subject == certificate.issuer)
    }

    /// Whether a reply is to this message, and signed by one of these.
    pub(super) fn trust(&self, reply: &Reply, asked: &Draft) -> Result<(), Stop> {
        let kind = reply.text(attribute::MESSAGE_TYPE, "messageType")?;
        require(kind == "3", || format!("messageType {kind:?}, not 3"))?;
        let transaction = reply.attribute(attribute::TRANSACTION_ID)?;
        require(transaction == asked.transaction.as_ref(), || "transactionID is not the request's".into())?;
        if let Some(nonce) = &asked.sender_nonce {
            // RFC 8894 §3.2.1.5: "The recipient MUST copy the senderNonce into the recipientNonce of the reply".
            let copied = reply.attribute(attribute::RECIPIENT_NONCE)?;
            require(copied == Some(nonce), || "recipientNonce is not the request's senderNonce".into())?;
        }
        let own = reply.attribute(attribute::SENDER_NONCE)?;
        if let Some(own) = own {
            own.expect_tag(tag::OCTET_STRING, "senderNonce")?;
        }
        reply.verify(&self.certificates).map(|_| ())
    }
}
