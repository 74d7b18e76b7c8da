//! `/v1/reload`: the configuration is read again.

use super::{Admin, AdminFailure, Code};
use crate::reload::Reloaded;

impl Admin {
    pub(super) async fn reload(&self) -> Result<Reloaded, AdminFailure> {
        let hint = "nothing has changed: mend what it says, then `certgate config reload` again";
        self.reloads.ask().await.map_err(|error| AdminFailure::new(Code::Failed, error.to_string()).hint(hint))
    }
}
