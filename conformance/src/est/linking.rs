//! Linking identity and proof of possession (RFC 7030 §3.5): a `challengePassword` that binds a CSR to the TLS session.

use base64ct::{Base64, Encoding};

use super::steps::{issued, require_refusal};
use crate::{
    channel::{Channel, TlsVersion},
    csr::Wish,
    endpoint::Endpoint,
    http::{Connection, Response},
    key::{Key, random},
    parts::Parts,
    session::Session,
    transport::Failure,
    verdict::{Stop, Verdict, require},
};

/// Octets of `tls-unique` (RFC 5246 §7.4.9: 12 in every suite), and of `tls-exporter` (RFC 9266 §2).
const fn length(version: TlsVersion) -> usize {
    match version {
        TlsVersion::V1_2 => 12,
        TlsVersion::V1_3 => 32,
    }
}

/// What a failed handshake says when the versions do not meet (RFC 8446 §6.2, §4.2.1).
const SPOKEN_NO_MORE: [&str; 3] = ["ProtocolVersion", "HandshakeFailure", "incompatible"];

/// Opens a connection to bind to, and gives its binding: TLS 1.2 and `tls-unique`, which RFC 7030 knows, or if the server speaks that no
/// more, TLS 1.3 and `tls-exporter`.
pub(super) fn open(session: &mut Session<'_>, endpoint: &Endpoint) -> Result<(TlsVersion, Vec<u8>), Stop> {
    match open_version(session, endpoint, TlsVersion::V1_2) {
        Err(Stop::Skip(_)) => open_version(session, endpoint, TlsVersion::V1_3),
        other => other,
    }
}

/// Opens a connection of this version.
///
/// # Errors
/// [`Stop::Skip`] when the server does not speak it.
fn open_version(session: &mut Session<'_>, endpoint: &Endpoint, version: TlsVersion) -> Result<(TlsVersion, Vec<u8>), Stop> {
    let channel = match session.open(&endpoint.dial().speaking(version)) {
        Err(Failure::Tls(alert)) if SPOKEN_NO_MORE.iter().any(|words| alert.contains(words)) => {
            return Err(Stop::Skip(format!("{version} is not spoken: {alert}")));
        }
        other => other?,
    };
    let binding = binding_of(&channel)?;
    let right = channel.version == version && binding.len() == length(version);
    require(right, || format!("in the suite: {} and a binding of {} octets", channel.version, binding.len()))?;
    Ok((version, binding))
}

fn binding_of(channel: &Channel) -> Result<Vec<u8>, Stop> {
    channel.binding().map(<[u8]>::to_vec).ok_or_else(|| Stop::fail("in the suite: no channel binding"))
}

/// Enrolls over the connection that is open, with this challengePassword.
fn enroll(session: &mut Session<'_>, endpoint: &Endpoint, key: &Key, challenge: &str) -> Result<Response, Stop> {
    let csr = Wish::common_name(&endpoint.user).with_challenge(challenge).sign(key)?;
    let request = endpoint.with_password("simpleenroll", &csr).on(Connection::Opened);
    Ok(session.exchange(&request)?)
}

/// Enrolls over a connection of its own, bound to it, with this key.
pub(super) fn enroll_bound(session: &mut Session<'_>, endpoint: &Endpoint, key: &Key) -> Result<Response, Stop> {
    let (_, binding) = open(session, endpoint)?;
    enroll(session, endpoint, key, &Base64::encode_string(&binding))
}

pub(super) fn refuses_a_foreign_binding(session: &mut Session<'_>) -> Verdict {
    // RFC 7030 §3.5: "If tls-unique information is included by the client, the server MUST verify it."
    let mut parts = Parts::default();
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let verdict = refuses_over(session, version);
        parts.add(&version.to_string(), verdict)?;
    }
    parts.verdict()
}

fn refuses_over(session: &mut Session<'_>, version: TlsVersion) -> Verdict {
    let endpoint = session.endpoint()?;
    let key = session.device_key()?;
    let (_, elsewhere) = open_version(session, &endpoint, version)?;
    let random = random::<32>()?;
    let other = Base64::encode_string(random.get(..length(version)).unwrap_or_default());
    let foreign = [
        ("no base64 at all", "this is no channel binding".to_owned()),
        ("of other octets", other),
        ("of another connection", Base64::encode_string(&elsewhere)),
    ];
    let mut found = Vec::new();
    for (what, challenge) in foreign {
        open_version(session, &endpoint, version)?;
        let response = enroll(session, &endpoint, &key, &challenge)?;
        require_refusal(&response, what)?;
        found.push(format!("{what} {}", response.status));
    }
    Ok(found.join(", "))
}

pub(super) fn takes_the_right_binding(session: &mut Session<'_>) -> Verdict {
    // RFC 7030 §3.5: "The tls-unique value is base64 encoded as specified in Section 4 of [RFC4648], and the resulting string is placed
    // in the certification request challenge-password field".
    let mut parts = Parts::default();
    let verdict = takes_over(session, TlsVersion::V1_2);
    parts.add("tls-unique, TLS 1.2", verdict)?;
    // RFC 7030 knows tls-unique only: what a server makes of tls-exporter is told, and is no failure.
    let verdict = match takes_over(session, TlsVersion::V1_3) {
        Err(Stop::Fail(reason)) => Ok(format!("not taken ({reason})")),
        other => other,
    };
    parts.add("tls-exporter, TLS 1.3", verdict)?;
    parts.verdict()
}

fn takes_over(session: &mut Session<'_>, version: TlsVersion) -> Verdict {
    let endpoint = session.endpoint()?;
    let key = session.device_key()?;
    let (_, binding) = open_version(session, &endpoint, version)?;
    let response = enroll(session, &endpoint, &key, &Base64::encode_string(&binding))?;
    issued(&response, &key)?;
    Ok("200".into())
}
