//! `kill -9` while devices enroll; then every certificate that one of them holds is in the ledger.

mod fleet;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use self::fleet::Fleet;
use crate::{gateway::Gateway, process, report::Report};

/// SHA-256 of each certificate by its serial number, both in lowercase hex.
type Held = BTreeMap<String, String>;

/// Prints the serial number and the SHA-256 of the certificate in each answer that `answers.txt` names.
const READ_ANSWERS: &str = r#"
set +x
while read -r answer; do
  openssl base64 -d -A -in "$answer" | openssl pkcs7 -inform DER -print_certs | openssl x509 -noout -serial -fingerprint -sha256
done < answers.txt
"#;

/// A round for each number of answers, all on one data directory.
pub(super) fn all(report: &mut Report, rounds: &[usize]) -> Result<()> {
    let work = tempfile::tempdir()?;
    let data = work.path().join("data");
    let first = Gateway::start(&data, &[])?;
    let fleet = Fleet::new(&first, work.path())?;
    first.stop()?;
    let mut held = Held::new();
    for &answers in rounds {
        report.must(&format!("kill -9 after {answers} answers loses no certificate"), || {
            let received = kill_amid(&data, &fleet, answers)?;
            println!("        {} answers had come when it was gone", received.len());
            hold(&mut held, read_answers(work.path(), &received)?)?;
            look_up(&data, &held)
        });
    }
    Ok(())
}

/// Starts the gateway, lets the fleet enroll, and kills it after so many answers; returns all that came.
fn kill_amid(data: &Path, fleet: &Fleet, answers: usize) -> Result<Vec<PathBuf>> {
    fleet.make_requests(answers)?;
    let gateway = Gateway::start(data, &[])?;
    let mut burst = fleet.enroll(&gateway)?;
    burst.wait_for(answers)?;
    gateway.kill()?;
    burst.finish()
}

/// The certificates in the answers.
fn read_answers(work: &Path, answers: &[PathBuf]) -> Result<Vec<(String, String)>> {
    let names: String = answers.iter().map(|path| format!("{}\n", path.display())).collect();
    std::fs::write(work.join("answers.txt"), names)?;
    let certificates = certificates(&process::script(work, READ_ANSWERS, &[])?);
    ensure!(certificates.len() == answers.len(), "{} answers hold {} certificates", answers.len(), certificates.len());
    Ok(certificates)
}

/// Serial numbers and fingerprints as OpenSSL prints them.
fn certificates(printed: &str) -> Vec<(String, String)> {
    let values = |key: &'static str| {
        let lines = printed.lines().filter_map(|line| line.split_once('='));
        lines.filter(move |(found, _)| found.ends_with(key)).map(|(_, value)| value.replace(':', "").to_lowercase())
    };
    values("serial").zip(values("Fingerprint")).collect()
}

/// Adds them to what is held. No serial number stands for two certificates.
fn hold(held: &mut Held, more: Vec<(String, String)>) -> Result<()> {
    for (serial, sha256) in more {
        if let Some(other) = held.insert(serial.clone(), sha256.clone())
            && other != sha256
        {
            bail!("serial number {serial} was given twice");
        }
    }
    Ok(())
}

/// Starts anew on what was left: each certificate is there, and the audit trail is whole.
fn look_up(data: &Path, held: &Held) -> Result<()> {
    let gateway = Gateway::start(data, &[])?;
    for (serial, sha256) in held {
        let shown = gateway.admin(&["cert", "show", serial]).with_context(|| format!("certificate {serial} is lost"))?;
        ensure!(shown["sha256"] == sha256.as_str(), "certificate {serial} is another one: {shown}");
        ensure!(shown["status"] == "valid", "certificate {serial} is not valid: {shown}");
    }
    let audit = gateway.admin(&["audit", "verify"])?;
    ensure!(audit["ok"] == true, "audit verify: {audit}");
    gateway.stop()
}

#[cfg(test)]
mod tests {
    use super::{Held, certificates, hold};

    #[test]
    fn what_openssl_prints_is_read() {
        let printed = "serial=019A0B\nsha256 Fingerprint=AB:CD:00\nserial=02\nsha256 Fingerprint=EF\n";
        let pairs = [("019a0b", "abcd00"), ("02", "ef")].map(|(serial, hash)| (serial.to_owned(), hash.to_owned()));
        assert_eq!(certificates(printed), pairs);
    }

    #[test]
    fn a_serial_number_is_given_once() {
        let pair = |serial: &str, hash: &str| vec![(serial.to_owned(), hash.to_owned())];
        let mut held = Held::new();
        assert!(hold(&mut held, pair("01", "aa")).is_ok());
        assert!(hold(&mut held, pair("01", "aa")).is_ok());
        assert!(hold(&mut held, pair("01", "bb")).is_err());
    }
}
