//! CertIDs (RFC 6960 §4.1.1): several at once, by several hashes, and wrong ones.

use super::{
    outcome::Outcome,
    reply::Status,
    request::{Ask, CertId, SHA1, SHA256, SHA384, UNKNOWN_HASH},
    session::{Session, require_basic},
};
use crate::verdict::{Stop, Verdict, require};

pub(super) fn each_is_answered(session: &mut Session<'_>) -> Verdict {
    let issuer = session.responder().issuer.clone();
    let [first, second] = [session.good(0)?, session.good(1)?];
    let ids = [
        CertId::new(SHA1, &issuer, &first.serial),
        CertId::new(SHA256, &issuer, &first.serial),
        CertId::new(SHA1, &issuer, &second.serial),
    ];
    let ask = ids.iter().fold(Ask::default(), Ask::and);
    let basic = require_basic(session.offer(&ask.encode())?)?;
    // RFC 6960 §4.2.2.3: "The response MUST include a SingleResponse for each certificate in the request. The response SHOULD NOT include
    // any additional SingleResponse elements".
    for (number, id) in ids.iter().enumerate() {
        let single = basic.about(&id.encode());
        let single = single.ok_or_else(|| Stop::Fail(format!("no answer repeats CertID {} octet for octet", number + 1)))?;
        require(single.status == Status::Good, || format!("CertID {}: {}, not good", number + 1, single.status))?;
    }
    require(basic.singles.len() == ids.len(), || format!("{} answers to {} CertIDs", basic.singles.len(), ids.len()))?;
    Ok("three answers, each with its CertID".into())
}

pub(super) fn hashes_are_known(session: &mut Session<'_>) -> Verdict {
    let issuer = session.responder().issuer.clone();
    let serial = session.good(0)?.serial;
    let mut found = Vec::new();
    for (what, hash) in [("SHA-1", SHA1), ("SHA-256", SHA256)] {
        let outcome = session.outcome(&Ask::about(&CertId::new(hash, &issuer, &serial))).map_err(|stop| stop.about(what))?;
        found.push(outcome.require_good(what)?);
    }
    let outcome = session.outcome(&Ask::about(&CertId::new(SHA384, &issuer, &serial))).map_err(|stop| stop.about("SHA-384"))?;
    found.push(if outcome.is_good() { "SHA-384: good".into() } else { outcome.require_ignorance("SHA-384")? });
    let unknown = Ask::about(&CertId::new(UNKNOWN_HASH, &issuer, &serial));
    let outcome = session.outcome(&unknown).map_err(|stop| stop.about("an unknown hash"))?;
    found.push(outcome.require_ignorance("an unknown hash")?);
    Ok(found.join("; "))
}

pub(super) fn both_hashes_count(session: &mut Session<'_>) -> Verdict {
    let id = session.good_id()?;
    // The control: what is not good below is so for its fault.
    session.outcome(&Ask::about(&id))?.require_good("both right")?;
    let mut found = Vec::new();
    for (what, wrong) in [
        ("issuerKeyHash wrong", CertId { key: b"the key of nobody".to_vec(), ..id.clone() }),
        ("issuerNameHash wrong", CertId { name: b"the name of nobody".to_vec(), ..id }),
    ] {
        let outcome: Outcome = session.outcome(&Ask::about(&wrong)).map_err(|stop| stop.about(what))?;
        require(!outcome.is_good(), || format!("{what}: good"))?;
        found.push(format!("{what}: {outcome}"));
    }
    Ok(found.join("; "))
}

pub(super) fn serials_are_numbers(session: &mut Session<'_>) -> Verdict {
    let id = session.good_id()?;
    let longer = [&[0x00], id.serial.as_slice()].concat();
    let negative = std::iter::once(0x80).chain(id.serial.iter().skip(1).copied()).collect();
    let mut found = Vec::new();
    for (what, serial) in
        [("negative", negative), ("zero", vec![0]), ("21 octets", vec![0x41; 21]), ("octets of zero before it", longer)]
    {
        // A serial number that begins with an octet of zero has one more before it: no other number, and still not DER.
        let outcome = session.outcome(&Ask::about(&CertId { serial, ..id.clone() })).map_err(|stop| stop.about(what))?;
        found.push(outcome.require_ignorance_or_malformed(what)?);
    }
    let good = [session.good(0)?, session.good(1)?, session.good(2)?];
    for certificate in &good {
        let single = session.status(certificate)?;
        require(single.status == Status::Good, || format!("serial {}: {}", certificate.serial_hex(), single.status))?;
    }
    found.push(format!("{} issued: good", good.len()));
    Ok(found.join("; "))
}
