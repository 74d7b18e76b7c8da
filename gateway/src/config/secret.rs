//! Where a secret is: never in the configuration itself, which is copied and shown.

use std::env::VarError;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::data_dir::read_private;

/// `env:NAME`, `file:PATH` or `prompt`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum SecretSource {
    /// In an environment variable.
    Env(String),
    /// In a file that is its owner's alone. A newline at its end is not part of it.
    File(PathBuf),
    /// With a person at the terminal.
    Prompt,
}

impl TryFrom<String> for SecretSource {
    type Error = &'static str;

    /// What is refused is not repeated: it may be the secret.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let text = Zeroizing::new(text);
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() && !name.contains(['=', '\0']) => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            None if *text == "prompt" => Ok(Self::Prompt),
            _ => Err("a secret is not written here: say where it is, by \"env:NAME\", \"file:PATH\" or \"prompt\""),
        }
    }
}

impl SecretSource {
    /// The secret. `what` is what it is for, as a prompt and errors call it.
    ///
    /// # Errors
    /// When it is not there, is empty, or could be read by others; says what to do.
    pub fn read(&self, what: &str) -> anyhow::Result<Zeroizing<String>> {
        let secret = match self {
            Self::Env(name) => read_variable(name).with_context(|| what.to_owned())?,
            Self::File(path) => without_newline(&read_private(path).with_context(|| what.to_owned())?),
            Self::Prompt => ask(&format!("{what}: "), what)?,
        };
        if secret.is_empty() {
            bail!("{what} is empty");
        }
        Ok(secret)
    }

    /// A secret that is to hold from now on: a person is asked for it twice.
    ///
    /// # Errors
    /// As [`Self::read`], and when a person says two different ones.
    pub fn read_new(&self, what: &str) -> anyhow::Result<Zeroizing<String>> {
        let secret = self.read(what)?;
        if *self == Self::Prompt && ask(&format!("{what}, again: "), what)? != secret {
            bail!("{what} was not the same both times");
        }
        Ok(secret)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the loader: it reads what the configuration names, and nothing else")]
fn read_variable(name: &str) -> anyhow::Result<Zeroizing<String>> {
    std::env::var(name).map(Zeroizing::new).map_err(|error| match error {
        VarError::NotPresent => anyhow!("the environment variable {name} is not set"),
        VarError::NotUnicode(_) => anyhow!("the environment variable {name} is not UTF-8"),
    })
}

fn without_newline(text: &str) -> Zeroizing<String> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    Zeroizing::new(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

fn ask(prompt: &str, what: &str) -> anyhow::Result<Zeroizing<String>> {
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| match error.kind() {
        ErrorKind::Interrupted | ErrorKind::UnexpectedEof => anyhow!("{what}: nobody entered it"),
        _ => anyhow!(
            "{what}: there is no terminal to ask at ({error}). Without one, have it in \"env:NAME\" or \"file:PATH\" instead of \
             \"prompt\""
        ),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn source(text: &str) -> Result<SecretSource, &'static str> {
        text.to_owned().try_into()
    }

    #[test]
    fn a_secret_is_somewhere_else() {
        assert_eq!(source("env:CA_PASSPHRASE"), Ok(SecretSource::Env("CA_PASSPHRASE".into())));
        assert_eq!(source("file:/run/secrets/ca"), Ok(SecretSource::File("/run/secrets/ca".into())));
        assert_eq!(source("prompt"), Ok(SecretSource::Prompt));
        for wrong in ["", "hunter2", "env:", "file:", "prompt:", "env:A=B", "Env:A", "pass:hunter2"] {
            assert!(source(wrong).unwrap_err().contains("\"env:NAME\", \"file:PATH\" or \"prompt\""), "{wrong}");
        }
        assert!(!source("hunter2").unwrap_err().contains("hunter2"));
    }

    #[test]
    fn a_file_is_its_owners_alone_and_its_last_newline_is_not_part_of_the_secret() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        for (contents, expected) in [("a b\n", "a b"), ("a b\r\n", "a b"), ("a b", "a b"), (" a\n\n", " a\n")] {
            std::fs::write(&path, contents).unwrap();
            mode(0o600);
            assert_eq!(*SecretSource::File(path.clone()).read("the passphrase").unwrap(), expected);
        }
        mode(0o644);
        let error = format!("{:#}", SecretSource::File(path.clone()).read("the passphrase").unwrap_err());
        assert!(error.contains("the passphrase") && error.contains("chmod it to 600"), "{error}");
        std::fs::write(&path, "\n").unwrap();
        mode(0o600);
        let error = SecretSource::File(path).read_new("the passphrase").unwrap_err().to_string();
        assert_eq!(error, "the passphrase is empty");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = format!("{:#}", SecretSource::Env("CERTGATE_NOT_SET".into()).read("the passphrase").unwrap_err());
        assert_eq!(error, "the passphrase: the environment variable CERTGATE_NOT_SET is not set");
        assert!(!SecretSource::Env("PATH".into()).read("the passphrase").unwrap().is_empty());
    }
}
