//! The commands of the `[hooks]` table, which act on the server under test from outside the protocols.

use crate::{
    target::Hooks,
    transport::{Transport, command::Running},
    verdict::Stop,
};

/// A hook that the suites use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Adds the user `{name}` at `{endpoint}`.
    AddUser,
    /// Makes a SCEP challenge that is good at `{endpoint}`.
    NewChallenge,
    /// Approves the enrollment of the CSR `{csr_sha256}`.
    Approve,
    /// Denies it.
    Deny,
    /// Revokes `{serial}` for `{reason}`.
    Revoke,
    /// Puts `{serial}` on hold.
    Hold,
    /// Releases `{serial}`.
    Release,
    /// Restarts the server.
    Restart,
    /// Sets the server's clock to `{time}`.
    SetTime,
}

impl Hook {
    /// Its key in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddUser => "add_user",
            Self::NewChallenge => "new_challenge",
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::Revoke => "revoke",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Restart => "restart",
            Self::SetTime => "set_time",
        }
    }

    /// Its words, placeholders and all; none when the target has no such hook.
    #[must_use]
    pub fn argv(self, hooks: &Hooks) -> &[String] {
        match self {
            Self::AddUser => &hooks.add_user,
            Self::NewChallenge => &hooks.new_challenge,
            Self::Approve => &hooks.approve,
            Self::Deny => &hooks.deny,
            Self::Revoke => &hooks.revoke,
            Self::Hold => &hooks.hold,
            Self::Release => &hooks.release,
            Self::Restart => &hooks.restart,
            Self::SetTime => &hooks.set_time,
        }
    }

    /// The command: `{placeholder}`s filled in, and `more` behind it.
    #[must_use]
    pub fn fill(self, hooks: &Hooks, values: &[(&str, &str)], more: &[String]) -> Vec<String> {
        let filled = self.argv(hooks).iter().map(|word| {
            values.iter().fold(word.clone(), |word, (placeholder, value)| word.replace(&format!("{{{placeholder}}}"), value))
        });
        filled.chain(more.iter().cloned()).collect()
    }
}

/// Runs a hook and gives what it printed.
///
/// # Errors
/// [`Stop::Skip`] when the target has no such hook, [`Stop::Fail`] when it fails.
pub fn run(
    transport: &mut dyn Transport,
    hooks: &Hooks,
    hook: Hook,
    values: &[(&str, &str)],
    more: &[String],
) -> Result<String, Stop> {
    let argv = command(hooks, hook, values, more)?;
    transport.command(&argv).map_err(|error| Stop::Fail(format!("hook {}: {error:#}", hook.name())))
}

/// Begins to run a hook, others beside it.
///
/// # Errors
/// [`Stop::Skip`] when the target has no such hook.
pub fn start(transport: &mut dyn Transport, hooks: &Hooks, hook: Hook, values: &[(&str, &str)]) -> Result<Running, Stop> {
    let argv = command(hooks, hook, values, &[])?;
    Ok(transport.start(argv))
}

fn command(hooks: &Hooks, hook: Hook, values: &[(&str, &str)], more: &[String]) -> Result<Vec<String>, Stop> {
    if hook.argv(hooks).is_empty() {
        return Err(Stop::Skip(format!("the target has no hook {}", hook.name())));
    }
    Ok(hook.fill(hooks, values, more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_words_appended() {
        let hooks = Hooks { approve: vec!["x".into(), "csr:{csr_sha256}".into()], ..Hooks::default() };
        assert_eq!(Hook::Approve.fill(&hooks, &[("csr_sha256", "ab")], &["y".into()]), ["x", "csr:ab", "y"]);
        assert!(Hook::Deny.argv(&hooks).is_empty());
    }
}
