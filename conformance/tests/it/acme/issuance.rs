//! finalize and the certificate (RFC 8555 §7.4).

use std::collections::BTreeSet;

use base64ct::{Base64UrlUnpadded, Encoding};
use certgate_conformance::{
    asn1::Element,
    certificate::{extension, hex},
    http::Response,
    pem,
};
use der::Encode;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::server::{Fault, Problem, Server, Stage, problem};
use crate::{
    authority::{DAY, Order},
    server::Csr,
};

/// An RSA key of 2048 bits does not fit into less.
const SMALLEST_RSA: usize = 270;

const fn bad(detail: &'static str) -> Problem {
    problem(400, "badCSR", detail)
}

impl Server {
    pub(super) fn finalize(&mut self, label: &str, number: usize, payload: &Value) -> Result<Response, Problem> {
        if self.status(&self.orders[number]) != "ready" {
            return Err(problem(403, "orderNotReady", "it is not ready"));
        }
        let text = payload.get("csr").and_then(Value::as_str).ok_or_else(|| bad("there is no CSR"))?;
        let der = Base64UrlUnpadded::decode_vec(text).map_err(|_| bad("this is not base64url"))?;
        let whole = Element::parse(&der).map_err(|_| bad("this is not DER"))?;
        let csr = Csr::read(&whole, true).map_err(bad)?;
        self.judge(number, &csr)?;
        self.orders[number].stage = if label == "manual" {
            Stage::Waiting { digest: hex(&Sha256::digest(&der)), csr: der }
        } else {
            Stage::Issued(self.issue(&der))
        };
        Ok(self.order(label, number))
    }

    fn judge(&self, number: usize, csr: &Csr) -> Result<(), Problem> {
        let order = &self.orders[number];
        if csr.spki == self.accounts[order.account].spki {
            return Err(bad("this is the account's key"));
        }
        let algorithm = csr.spki.elements()[0].elements()[0].oid().map(|oid| oid.to_string());
        if algorithm.as_deref() == Some("1.2.840.113549.1.1.1") && csr.spki.encode().len() < SMALLEST_RSA {
            return Err(bad("a larger key, please"));
        }
        if csr.extensions().iter().any(|one| one.extn_id == extension::BASIC_CONSTRAINTS) {
            return Err(bad("nobody becomes an authority here"));
        }
        let found: BTreeSet<String> = csr.dns_names().unwrap_or_default().into_iter().collect();
        let wanted: BTreeSet<String> = order.names.iter().cloned().collect();
        if !self.has(Fault::IgnoresNames) && (found != wanted || !csr.subject.elements().is_empty()) {
            return Err(bad("these are other names"));
        }
        Ok(())
    }

    /// The chain for a CSR that was judged, PEM.
    pub(super) fn issue(&self, der: &[u8]) -> String {
        let csr = Csr::read(&Element::parse(der).expect("DER"), false).expect("a CSR");
        let now = certgate_conformance::transport::Transport::now(self);
        let subject = Element::sequence(Vec::new());
        let dns_names = csr.dns_names().unwrap_or_default();
        let period = (now - 60, now + 90 * DAY);
        let leaf = self.issuing.issue(&Order { subject: &subject, spki: &csr.spki, dns_names, more: Vec::new(), period });
        let chain = [&leaf, &self.issuing.certificate, &self.root.certificate];
        chain.map(|certificate| pem::encode(&certificate.to_der().expect("DER"))).concat()
    }

    pub(super) fn certificate(&self, number: usize) -> Result<Response, Problem> {
        let Stage::Issued(chain) = &self.orders[number].stage else {
            return Err(problem(404, "malformed", "there is no such certificate"));
        };
        let fields = vec![("Content-Type".into(), "application/pem-certificate-chain".into())];
        Ok(Response { status: 200, fields, content: chain.clone().into_bytes(), ..Response::default() })
    }
}
