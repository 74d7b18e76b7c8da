//! The lines that the gateway prints on its first start work as pasted.

use std::path::Path;

use anyhow::{Result, bail};

use super::clean_der;
use crate::{gateway::Gateway, install::pkilint, process};

/// What the lines leave behind is a key and its certificate from this authority.
const JUDGE: &str = concat!(
    clean_der!(),
    r#"
openssl pkey -in first-device.key -pubout -out key.pub
openssl x509 -in first-device.pem -noout -pubkey -out cert.pub
cmp key.pub cert.pub
test "$(stat -c %a first-device.key)" = 600
openssl verify -x509_strict -CAfile "$ROOT" -untrusted "$CHAIN" first-device.pem
if command -v dumpasn1 > /dev/null; then
  openssl x509 -in first-device.pem -outform DER -out first-device.der
  clean first-device.der
fi
if test -x "$LINT"; then "$LINT" lint -s WARNING first-device.pem; fi
"#
);

/// Pastes the lines into a shell that stands in an empty directory.
pub(super) fn follow(gateway: &Gateway) -> Result<()> {
    let lines = shell_lines(gateway.introduction());
    if lines.is_empty() {
        bail!("the first start prints no command");
    }
    let empty = tempfile::tempdir()?;
    process::script(empty.path(), &lines, &[])?;
    let chain = gateway.data_dir().join("ca/default.chain.pem");
    let linter = pkilint()?;
    let environment =
        [("ROOT", gateway.run().ca_pem.as_os_str()), ("CHAIN", Path::as_os_str(&chain)), ("LINT", linter.as_os_str())];
    process::script(empty.path(), JUDGE, &environment).map(drop)
}

/// Commands are what is indented by four spaces.
fn shell_lines(introduction: &[String]) -> String {
    let commands = introduction.iter().filter_map(|line| line.strip_prefix("    "));
    commands.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::shell_lines;

    #[test]
    fn commands_are_told_from_text() {
        let printed = ["certgate serves", "", "    curl x \\", "      -o y", "Then:", "    cat y"].map(str::to_owned);
        assert_eq!(shell_lines(&printed), "curl x \\\n  -o y\ncat y\n");
    }
}
