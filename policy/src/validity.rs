//! From when to when a certificate is good.

use certgate_pki::{Timestamp, Validity};

use crate::Profile;

/// The authority's own certificate is over, or not yet good: it can sign nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the authority's own certificate is not valid now")]
pub struct IssuerExpired;

/// The validity of what is issued `now`: backdated by the profile, never outside the issuer's own.
///
/// RFC 5280 §4.1.2.5: both ends are included, so a certificate of 90 days ends one second before the 90th day does.
///
/// # Errors
/// [`IssuerExpired`].
pub fn window(profile: &Profile, issuer: Validity, now: Timestamp) -> Result<Validity, IssuerExpired> {
    if now < issuer.not_before || now.floor_to_second() > issuer.not_after {
        return Err(IssuerExpired);
    }
    let second = std::time::Duration::from_secs(1);
    let not_before = now.before(profile.backdate).max(issuer.not_before).floor_to_second();
    let not_after = now.after(profile.validity).before(second).min(issuer.not_after).floor_to_second();
    Ok(Validity { not_before, not_after })
}
