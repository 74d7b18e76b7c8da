//! http-01 (RFC 8555 §8.3).

use std::time::Duration;

use certgate_pki::GeneralName;
use tokio::time::Instant;

use super::exchange::Answer;
use super::failure::ValidationFailure;
use super::reach::Reach;
use super::target::Target;

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 10;

/// Where http-01 is asked, and for how long.
#[derive(Clone, Copy)]
pub(super) struct Http01 {
    /// The port of the first request, which redirects may lead to as well.
    pub(super) port: u16,
    /// From the first query to the end of the last answer.
    pub(super) time: Duration,
}

impl Http01 {
    /// Fetches what is there, and compares it.
    ///
    /// # Errors
    /// [`ValidationFailure`].
    pub(super) async fn validate(
        self,
        reach: &Reach,
        name: &GeneralName,
        token: &str,
        key_authorization: &str,
    ) -> Result<(), ValidationFailure> {
        let deadline = Instant::now() + self.time;
        let mut target = Target::first(name, self.port, token)?;
        for _ in 0..=MAX_REDIRECTS {
            match reach.get(&target, deadline).await? {
                Answer::Redirect(location) => target = target.redirected(&location, self.port)?,
                Answer::Body(body) => return compare(&body, key_authorization, &target),
            }
        }
        Err(ValidationFailure::incorrect(format!("more than {MAX_REDIRECTS} redirects")))
    }
}

/// RFC 8555 §8.3: "The server SHOULD ignore whitespace characters at the end of the body."
fn compare(body: &[u8], key_authorization: &str, target: &Target) -> Result<(), ValidationFailure> {
    if body.trim_ascii_end() == key_authorization.as_bytes() {
        return Ok(());
    }
    Err(ValidationFailure::incorrect(format!("what {target} answered is not the key authorization")))
}
