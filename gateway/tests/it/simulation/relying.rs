//! Relying parties: what OCSP and CRLs say.

use std::collections::BTreeMap;

use bytes::Bytes;
use certgate_crl::{Crl, Listed};
use certgate_ocsp::{IssuerHashes, OCSP_REQUEST};
use certgate_pki::asn1::{DerWriter, Tlv, tag};
use certgate_pki::{DigestAlgorithm, Serial, Timestamp};
use http_body_util::Full;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, StatusCode};

use super::life::{Life, Until};
use super::{Fault, ensure};

/// What is said of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Good,
    Held,
    Revoked,
    /// OCSP does not know it.
    Unknown,
}

/// certificateHold (RFC 5280 §5.3.1).
const HOLD: u8 = 6;

/// What OCSP says of a certificate; `None` is `tryLater`.
pub(crate) fn ocsp(life: &Life, serial: &Serial, now: Timestamp) -> Result<Option<Said>, Fault> {
    let (own, provider) = (&life.authority.chain()[0], &life.base.provider);
    let hashes = IssuerHashes::new(DigestAlgorithm::Sha1, own.subject(), own.public_key(), &*provider.digest);
    let mut writer = DerWriter::default();
    writer.sequence(|w| {
        w.sequence(|w| {
            w.sequence(|w| {
                w.sequence(|w| {
                    w.raw(&hashes.cert_ids(serial)[0]);
                });
            });
        });
    });
    let request = Request::post("/ocsp/default").header(CONTENT_TYPE, OCSP_REQUEST);
    let answer = life.ask(request.body(Full::from(writer.finish())).unwrap(), None, Until::Answered).unwrap();
    ensure(answer.status == StatusCode::OK, || format!("OCSP: {answer:?}"))?;
    read(&answer.body, now)
}

/// OCSPResponse (RFC 6960 §4.2.1) about one certificate.
fn read(der: &[u8], now: Timestamp) -> Result<Option<Said>, Fault> {
    const TRY_LATER: u8 = 3;
    let mut outer = Tlv::only(der).unwrap().contents().unwrap();
    match outer.any().unwrap().value {
        [0] => {}
        [TRY_LATER] => return Ok(None),
        other => return Err(format!("OCSP: responseStatus {other:?}")),
    }
    let mut bytes = outer.any().unwrap().contents().unwrap().any().unwrap().contents().unwrap();
    bytes.expect(tag::OID).unwrap();
    let basic = Tlv::only(bytes.expect(tag::OCTET_STRING).unwrap().value).unwrap();
    let mut data = basic.contents().unwrap().any().unwrap().contents().unwrap();
    data.any().unwrap();
    data.expect(tag::GENERALIZED_TIME).unwrap();
    let mut single = data.expect(tag::SEQUENCE).unwrap().contents().unwrap().any().unwrap().contents().unwrap();
    single.any().unwrap();
    let status = single.any().unwrap();
    let this_update = Timestamp::read_generalized_time(single.any().unwrap()).unwrap();
    let next_update =
        single.optional(0xa0).unwrap().map(|time| Timestamp::read_generalized_time(time.contents().unwrap().any().unwrap()));
    let is_current = this_update <= now && next_update.is_some_and(|time| time.unwrap() > now);
    ensure(is_current, || format!("OCSP: of {this_update}, until {next_update:?}, and it is {now}"))?;
    Ok(Some(match status.tag {
        0x80 => Said::Good,
        0x82 => Said::Unknown,
        _ => {
            let mut revoked = status.contents().unwrap();
            revoked.expect(tag::GENERALIZED_TIME).unwrap();
            let reason = revoked.optional(0xa0).unwrap().map(|reason| reason.value[2]);
            if reason == Some(HOLD) { Said::Held } else { Said::Revoked }
        }
    }))
}

/// A CRL as it is served.
pub(crate) struct List {
    pub(crate) number: u64,
    pub(crate) this_update: Timestamp,
    pub(crate) next_update: Timestamp,
    pub(crate) entries: BTreeMap<Serial, Said>,
}

/// The complete list, whose signature is good.
pub(crate) fn crl(life: &Life) -> Result<List, Fault> {
    let request = Request::get("/crl/default.crl").body(Full::<Bytes>::default()).unwrap();
    let answer = life.ask(request, None, Until::Answered).unwrap();
    ensure(answer.status == StatusCode::OK, || format!("CRL: {answer:?}"))?;
    let list = Crl::parse(&answer.body).map_err(|error| error.to_string())?;
    let key = life.authority.chain()[0].public_key();
    list.verify_signed_by(key, &life.base.provider).map_err(|_| "CRL: a bad signature".to_owned())?;
    let entry = |listed| match listed {
        Listed::Revoked(entry) => {
            let is_held = entry.reason.is_some_and(|reason| reason.code() == HOLD);
            Ok((entry.serial, if is_held { Said::Held } else { Said::Revoked }))
        }
        Listed::Removed(_) => Err("CRL: removeFromCRL in a complete list".to_owned()),
    };
    Ok(List {
        number: list.number.as_ref().and_then(certgate_crl::CrlNumber::to_u64).unwrap_or_default(),
        this_update: list.this_update,
        next_update: list.next_update,
        entries: list.entries().map(entry).collect::<Result<_, _>>()?,
    })
}
