//! `certgate crl sign`: the next CRL, made where the key is. It needs no gateway, no data directory and no network.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use certgate_crl::{Crl, Entry};
use certgate_enrollment::Clock;
use certgate_pki::{Certificate, CrlReason, Serial, pem};
use clap::{Args, ValueHint};
use serde_json::json;

use super::ca::failed;
use super::output::Printed;
use super::secret_source;
use crate::admin::certificates::read_reason;
use crate::admin::crl_imports::read_list;
use crate::admin::{AdminFailure, read_time};
use crate::assemble::KeyCopy;
use crate::config::{Period, SecretSource};
use crate::data_dir::{Secrecy, write_new};
use crate::publish::NextCrl;
use crate::telemetry::SystemClock;

#[derive(Args)]
pub(super) struct SignArguments {
    /// The key of the CA, PEM: the file that `certgate ca export-root` has written, or any other
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    key: PathBuf,
    /// What opens the key, if it is encrypted: env:NAME, file:PATH or prompt
    #[arg(long, value_name = "SOURCE", value_parser = secret_source)]
    passphrase: Option<SecretSource>,
    /// The certificate of the CA, PEM; the one in the file of the key, if none is given
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    certificate: Option<PathBuf>,
    /// The CRL that is served now, DER or PEM: what it lists stays listed
    #[arg(long, value_name = "CRL", value_hint = ValueHint::FilePath)]
    previous: PathBuf,
    /// What is revoked besides, in hex; why, as in RFC 5280; when, like 2027-01-31T00:00:00Z, now if not given. Repeatable
    #[arg(long, value_name = "SERIAL[:REASON[:TIME]]")]
    revoke: Vec<String>,
    /// From now to nextUpdate
    #[arg(long, value_name = "PERIOD", default_value = "365d")]
    validity: Period,
    /// Where the CRL goes: PEM if the name ends in .pem, else DER; nothing may be there yet
    #[arg(value_name = "OUT", value_hint = ValueHint::FilePath)]
    out: PathBuf,
}

pub(super) fn run(arguments: &SignArguments) -> Result<Printed, AdminFailure> {
    let now = SystemClock.now();
    let revoked = arguments.revoke.iter().map(|text| entry(text, now)).collect::<Result<Vec<_>, _>>()?;
    let der = sign(arguments, &revoked, arguments.validity.duration()).map_err(failed)?;
    let crl = Crl::parse(&der).map_err(failed)?;
    Ok(Printed::Record(json!({
        "issuer": crl.issuer.to_string(),
        "number": crl.number.as_ref().and_then(certgate_crl::CrlNumber::to_u64),
        "this_update": crl.this_update.to_string(),
        "next_update": crl.next_update.to_string(),
        "entries": crl.entry_count(),
        "file": arguments.out.display().to_string(),
    })))
}

fn sign(arguments: &SignArguments, revoked: &[Entry], validity: Duration) -> anyhow::Result<Vec<u8>> {
    let provider = certgate_crypto::provider();
    let copy = KeyCopy::read(&arguments.key, arguments.passphrase.as_ref(), &provider)?;
    let certificate = match (&arguments.certificate, copy.certificate) {
        (Some(path), _) => read_certificate(path)?,
        (None, Some(certificate)) => certificate,
        (None, None) => bail!("{} has no certificate beside the key: give it by --certificate", arguments.key.display()),
    };
    let name = || arguments.previous.display().to_string();
    let previous = std::fs::read(&arguments.previous).with_context(name)?;
    let previous = read_list(Bytes::from(previous)).map_err(anyhow::Error::msg).with_context(name)?;
    let previous = Crl::parse(&previous).with_context(name)?;
    let next = NextCrl { key: &*copy.key, certificate: &certificate, previous: &previous, revoked, validity };
    let der = next.sign(SystemClock.now(), &provider)?;
    let is_pem = arguments.out.extension().is_some_and(|extension| extension == "pem");
    let octets = if is_pem { pem::encode(pem::X509_CRL, &der).into_bytes() } else { der.clone() };
    write_new(&arguments.out, &octets, Secrecy::Public)?;
    Ok(der)
}

fn read_certificate(path: &Path) -> anyhow::Result<Certificate> {
    let name = || path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(name)?;
    Certificate::from_der(&pem::decode(pem::CERTIFICATE, &text).with_context(name)?).with_context(name)
}

/// `SERIAL[:REASON[:TIME]]`.
fn entry(text: &str, now: certgate_pki::Timestamp) -> Result<Entry, AdminFailure> {
    let mut parts = text.splitn(3, ':');
    let serial = parts.next().and_then(Serial::from_hex);
    let serial = serial.ok_or_else(|| AdminFailure::usage(format!("not a serial number in hex: {text}")))?;
    let reason = match parts.next() {
        None | Some("") => None,
        Some(name) if name.eq_ignore_ascii_case("certificateHold") => Some(CrlReason::CertificateHold),
        Some(name) => read_reason(name)?.crl_reason(),
    };
    let revocation_date = parts.next().map_or(Ok(now), |time| read_time("the time of a revocation", time))?;
    if revocation_date > now {
        return Err(AdminFailure::usage(format!("{serial} is said to be revoked at a time that is still to come")));
    }
    Ok(Entry { serial, revocation_date, reason, invalidity_date: None })
}

#[cfg(test)]
mod tests {
    use certgate_pki::Timestamp;

    use super::*;

    #[test]
    fn a_serial_number_a_reason_a_time() {
        let now = Timestamp::from_seconds(1_790_000_000);
        let plain = entry("0a", now).unwrap();
        assert_eq!((plain.serial.to_string(), plain.reason, plain.revocation_date), ("0a".to_owned(), None, now));
        let full = entry("0a:keycompromise:2026-01-02T03:04:05Z", now).unwrap();
        assert_eq!(
            (full.reason, full.revocation_date.to_string()),
            (Some(CrlReason::KeyCompromise), "2026-01-02T03:04:05Z".into())
        );
        assert_eq!(entry("0a:certificateHold", now).unwrap().reason, Some(CrlReason::CertificateHold));
        assert_eq!(entry("0a:unspecified", now).unwrap().reason, None);
        for wrong in ["", "xyz", "0a:stolen", "0a::yesterday", "0a::2036-01-02T03:04:05Z"] {
            assert!(entry(wrong, now).is_err(), "{wrong}");
        }
    }
}
