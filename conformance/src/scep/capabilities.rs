//! GetCACaps (RFC 8894 §3.5) and GetCACert (RFC 8894 §4.2).

use super::{session::Session, steps::Device};
use crate::verdict::{Stop, Verdict, require};

/// The keywords of RFC 8894 §3.5.2, Table 7.
const KEYWORDS: [&str; 9] =
    ["AES", "DES3", "GetNextCACert", "POSTPKIOperation", "Renewal", "SHA-1", "SHA-256", "SHA-512", "SCEPStandard"];

/// What RFC 8894 §2.9 forbids, by the names that implementations of its drafts have for it.
const FORBIDDEN: [&str; 3] = ["DES", "MD5", "MD-5"];

pub(super) fn are_told(session: &mut Session<'_>) -> Verdict {
    let url = session.url();
    let response = session.get(&url, "GetCACaps")?;
    require(response.status == 200, || format!("HTTP {}, not 200", response.status))?;
    // RFC 8894 §3.5.2: "The Content-type of the reply SHOULD be "text/plain"."
    let media_type = response.media_type();
    require(media_type.as_deref() == Some("text/plain"), || format!("content type {media_type:?}"))?;
    let listed = keywords(&response.content)?;
    // RFC 8894 §3.5.2: "The CA MUST use the text case specified here".
    for keyword in &listed {
        let known = KEYWORDS.iter().find(|known| known.eq_ignore_ascii_case(keyword));
        require(known.is_none_or(|known| known == keyword), || format!("keyword {keyword:?} in another letter case"))?;
    }
    Ok(listed.join(" "))
}

pub(super) fn suffice(session: &mut Session<'_>) -> Verdict {
    let listed = fetch(session)?;
    let has = |wanted: &str| listed.iter().any(|keyword| keyword == wanted);
    // RFC 8894 §3.5.2: SCEPStandard "implies "AES", "POSTPKIOperation", and "SHA-256"".
    let each = ["AES", "POSTPKIOperation", "SHA-256"];
    let missing: Vec<&str> = each.into_iter().filter(|wanted| !has(wanted)).collect();
    match (has("SCEPStandard"), missing.is_empty()) {
        (true, _) => Ok("SCEPStandard".into()),
        (false, true) => Ok(each.join(" ")),
        (false, false) => Err(Stop::Fail(format!("neither SCEPStandard nor {}", missing.join(" ")))),
    }
}

pub(super) fn forbid(session: &mut Session<'_>) -> Verdict {
    let listed = fetch(session)?;
    let forbidden = listed.iter().find(|keyword| FORBIDDEN.iter().any(|known| known.eq_ignore_ascii_case(keyword)));
    require(forbidden.is_none(), || format!("keyword {forbidden:?}"))?;
    Ok(format!("{} keywords, neither DES nor MD5", listed.len()))
}

pub(super) fn certificates_are_complete(session: &mut Session<'_>) -> Verdict {
    let url = session.url();
    let now = session.now();
    let authorities = session.authorities(&url)?;
    if !authorities.is_message {
        return Err(Stop::Skip("the CA has no intermediates and no RA: S04".into()));
    }
    let recipient = authorities.recipient()?;
    let length = authorities.validate(recipient, now).map_err(|stop| stop.about("the certificate to encrypt to"))?;
    // RFC 8894 §2.2: "a certificate chain consisting of all CA certificates is returned."
    let is_there = authorities.has_issuer_of(recipient);
    require(is_there, || "the issuer of the certificate to encrypt to is not there".into())?;
    let device = Device::new(session, url.clone())?;
    let challenge = session.challenge(&url)?;
    let request = device.request(&device.csr(&challenge)?)?;
    let issued = device.enroll(session, &request)?;
    require(authorities.has_issuer_of(&issued), || "the CA that issues is not there".into())?;
    authorities.validate(&issued, session.now()).map_err(|stop| stop.about("an issued certificate"))?;
    Ok(format!("{} certificates, a chain of {length}", authorities.certificates.len()))
}

/// RFC 8894 §4.7: either it is there and said to be there, or neither.
pub(super) fn next_certificate_is_told_or_not(session: &mut Session<'_>) -> Verdict {
    let listed = fetch(session)?;
    let url = session.url();
    let response = session.get(&url, "GetNextCACert")?;
    let is_listed = listed.iter().any(|keyword| keyword == "GetNextCACert");
    match (response.status, is_listed) {
        (400..=499, false) => Ok(format!("HTTP {}, and not listed", response.status)),
        (200, true) => Err(Stop::Fail("GetNextCACert is served, which the suite cannot judge yet".into())),
        (status, listed) => Err(Stop::Fail(format!("HTTP {status}, keyword listed: {listed}"))),
    }
}

fn fetch(session: &mut Session<'_>) -> Result<Vec<String>, Stop> {
    let url = session.url();
    let response = session.get(&url, "GetCACaps")?;
    require(response.status == 200, || format!("HTTP {}, not 200", response.status))?;
    keywords(&response.content)
}

/// RFC 8894 §3.5.2: "a list of CA capabilities, in plain text and in any order, separated by <CR><LF> or <LF> characters."
fn keywords(content: &[u8]) -> Result<Vec<String>, Stop> {
    let text = std::str::from_utf8(content).ok().filter(|text| text.is_ascii()).ok_or_else(|| Stop::fail("no plain text"))?;
    let lines = text.strip_suffix('\n').unwrap_or(text).split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let keywords: Vec<String> = lines.map(str::to_owned).collect();
    let wrong = keywords.iter().find(|keyword| keyword.is_empty() || !keyword.bytes().all(|octet| octet.is_ascii_graphic()));
    require(wrong.is_none(), || format!("line {wrong:?}"))?;
    Ok(keywords)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_stand_in_lines() {
        for good in ["AES\nSHA-256", "AES\r\nSHA-256\r\n", "AES\nSHA-256\n"] {
            assert_eq!(keywords(good.as_bytes()).expect("good"), ["AES", "SHA-256"]);
        }
        for bad in ["AES SHA-256", "AES\n\nSHA-256", "AES\rSHA-256", "Ä"] {
            keywords(bad.as_bytes()).expect_err(bad);
        }
    }
}
