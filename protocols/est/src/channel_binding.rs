//! Binding a request to its TLS session (RFC 7030 §3.5).
//!
//! "The client … base64 encodes the tls-unique value, and the resulting string is placed in the certification request challenge-password
//! field": so the proof of possession covers the session, and nobody in between can pass on a request that was made for somebody else.

use base64ct::{Base64, Encoding};
use subtle::ConstantTimeEq;

/// What identifies a TLS session to both of its ends and to nobody else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ChannelBinding {
    /// tls-unique of TLS 1.2 (RFC 5929 §3): the first Finished message of the handshake.
    TlsUnique([u8; 12]),
    /// tls-exporter of TLS 1.3 (RFC 9266), where there is no tls-unique.
    TlsExporter([u8; 32]),
}

/// A request is not bound to its session as it should be. All of these are the client's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindingError {
    /// This endpoint has requests be bound, and this one is not.
    #[error(
        "this endpoint has requests be bound to their TLS session: put the base64 of tls-unique (TLS 1.2) or tls-exporter (TLS 1.3, \
         RFC 9266) into the challengePassword (RFC 7030 §3.5)"
    )]
    Missing,
    /// It is bound to another session, or to none.
    #[error(
        "the challengePassword is not the base64 of this session's tls-unique (TLS 1.2) or tls-exporter (TLS 1.3, RFC 9266); a request \
         with a challengePassword is taken as bound to its TLS session (RFC 7030 §3.5)"
    )]
    Wrong,
}

impl ChannelBinding {
    /// The octets that both ends know.
    fn octets(&self) -> &[u8] {
        match self {
            Self::TlsUnique(octets) => octets,
            Self::TlsExporter(octets) => octets,
        }
    }

    /// Is this challengePassword of this session?
    fn matches(&self, challenge_password: &str) -> bool {
        let expected = Base64::encode_string(self.octets());
        challenge_password.as_bytes().ct_eq(expected.as_bytes()).into()
    }
}

/// Checks the challengePassword of a request against the session that it came over; one that is there is always checked.
///
/// A session of which nothing is known, as behind a proxy that ends TLS, has nothing to be bound to.
///
/// # Errors
/// [`BindingError`].
pub fn check_binding(
    session: Option<ChannelBinding>,
    challenge_password: Option<&str>,
    is_required: bool,
) -> Result<(), BindingError> {
    match challenge_password {
        None if is_required => Err(BindingError::Missing),
        None => Ok(()),
        Some(given) if session.is_some_and(|session| session.matches(given)) => Ok(()),
        Some(_) => Err(BindingError::Wrong),
    }
}

impl std::fmt::Debug for ChannelBinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TlsUnique(_) => "TlsUnique(…)",
            Self::TlsExporter(_) => "TlsExporter(…)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_verified_and_what_is_required_is_missed() {
        let check =
            |given: Option<&str>, is_required| check_binding(Some(ChannelBinding::TlsUnique([7; 12])), given, is_required);
        let right = Base64::encode_string(&[7; 12]);
        for is_required in [false, true] {
            assert_eq!(check(Some(&right), is_required), Ok(()));
            let other = Base64::encode_string(&[8; 12]);
            let exported = Base64::encode_string(&[7; 32]);
            for wrong in ["", "secret", &other, &exported, &right[1..], &format!("{right} ")] {
                assert_eq!(check(Some(wrong), is_required), Err(BindingError::Wrong), "{wrong:?}");
            }
        }
        assert_eq!(check(None, false), Ok(()));
        assert_eq!(check(None, true), Err(BindingError::Missing));
        let exporter = Some(ChannelBinding::TlsExporter([9; 32]));
        assert_eq!(check_binding(exporter, Some(&Base64::encode_string(&[9; 32])), true), Ok(()));
        assert_eq!(check_binding(None, Some(&right), false), Err(BindingError::Wrong));
    }
}
