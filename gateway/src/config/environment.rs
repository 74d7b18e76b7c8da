//! The environment of the process: what the configuration says is there.

use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use zeroize::Zeroizing;

type Lookup = dyn Fn(&str) -> Option<Zeroizing<Vec<u8>>> + Send + Sync;

/// Where variables are looked up.
#[derive(Clone)]
pub struct Environment(Arc<Lookup>);

impl Environment {
    /// The process's own.
    #[must_use]
    pub fn of_process() -> Self {
        Self::new(of_process)
    }

    /// Another one.
    #[must_use]
    pub fn new(lookup: impl Fn(&str) -> Option<Zeroizing<Vec<u8>>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    /// What a variable has; nothing when it is not set.
    #[must_use]
    pub fn read(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        (self.0)(name)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn of_process(name: &str) -> Option<Zeroizing<Vec<u8>>> {
    std::env::var_os(name).map(|value| Zeroizing::new(value.into_vec()))
}
