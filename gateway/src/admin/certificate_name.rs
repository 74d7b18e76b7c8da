//! What operators call a certificate, and whose that is.

use std::fmt;
use std::str::FromStr;

use certgate_enrollment::{CertificateRecord, CertificateStatus, Certificates as _, History as _, LedgerError, Statuses as _};
use certgate_pki::Serial;

use super::certificates::{HOLD, told};
use super::{Admin, AdminFailure, Code};

/// A serial number in hex, or `AUTHORITY/SERIAL`: a serial number is unique within an authority only (RFC 5280 §4.1.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateName {
    /// Who has signed it, where that is said.
    pub authority: Option<String>,
    /// Its serial number.
    pub serial: Serial,
}

impl FromStr for CertificateName {
    type Err = AdminFailure;

    fn from_str(text: &str) -> Result<Self, AdminFailure> {
        let (authority, hex) = text.split_once('/').map_or((None, text), |(authority, hex)| (Some(authority), hex));
        let serial = Serial::from_hex(hex).ok_or_else(|| AdminFailure::usage(format!("not a serial number in hex: {hex}")))?;
        // As the configuration has them: one that cannot be named there does not get into a path of the socket.
        let is_of_names = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_name = |name: &str| !name.is_empty() && !name.starts_with('.') && name.bytes().all(is_of_names);
        if let Some(other) = authority.filter(|name| !is_name(name)) {
            return Err(AdminFailure::usage(format!("not the name of an authority: {other:?}")));
        }
        Ok(Self { authority: authority.map(str::to_owned), serial })
    }
}

impl fmt::Display for CertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.authority {
            Some(authority) => write!(f, "{authority}/{}", self.serial),
            None => write!(f, "{}", self.serial),
        }
    }
}

/// What a name leads to.
pub(super) enum Named {
    /// This certificate.
    Recorded(Box<CertificateRecord>),
    /// One of this authority, of which no more is known than what a CRL has said.
    Listed(String, CertificateStatus),
    /// None.
    Unknown,
    /// One of each of these.
    Several(Vec<CertificateName>),
}

impl Admin {
    /// What is called so.
    pub(super) async fn look_up(&self, name: &CertificateName) -> Result<Named, LedgerError> {
        let (ledger, serial) = (&self.base.ledger, &name.serial);
        let mut authorities = ledger.authorities_of(serial).await?;
        authorities.retain(|one| name.authority.as_ref().is_none_or(|wanted| wanted == one));
        if authorities.len() > 1 {
            let of = |authority| CertificateName { authority: Some(authority), serial: serial.clone() };
            return Ok(Named::Several(authorities.into_iter().map(of).collect()));
        }
        let Some(authority) = authorities.pop() else { return Ok(Named::Unknown) };
        if let Some(record) = ledger.find_issued(&authority, serial).await? {
            return Ok(Named::Recorded(Box::new(record)));
        }
        let listed = ledger.state_of(&authority, serial).await?;
        Ok(listed.map_or(Named::Unknown, |listed| Named::Listed(authority, listed.status)))
    }

    /// The certificate that is called so.
    ///
    /// # Errors
    /// [`Code::NotFound`]; [`Code::Refused`] where it can be one of several, or where nobody has it.
    pub(super) async fn named(&self, name: &CertificateName) -> Result<CertificateRecord, AdminFailure> {
        let serial = &name.serial;
        match self.look_up(name).await? {
            Named::Recorded(record) => Ok(*record),
            Named::Listed(authority, status) => Err(only_listed(serial, &authority, status)),
            Named::Unknown => {
                Err(AdminFailure::not_found(format!("there is no certificate {name}")).hint("certgate cert list"))
            }
            Named::Several(names) => {
                let authorities = names.iter().filter_map(|one| one.authority.clone()).collect::<Vec<_>>().join(", ");
                let names = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
                let message = format!("several authorities have a certificate {serial}: {authorities}");
                Err(AdminFailure::new(Code::Refused, message).hint(format!("say which one: {names}")))
            }
        }
    }
}

fn only_listed(serial: &Serial, authority: &str, status: CertificateStatus) -> AdminFailure {
    let said = told(status);
    let (status, reason, since) = (if said.reason == Some(HOLD) { "on hold" } else { "revoked" }, said.reason, said.since);
    let since = since.map_or_else(String::new, |since| format!(" since {since}"));
    let message = format!(
        "certificate {serial} is known from an imported CRL of authority {authority} only: {status}{since} ({}), and so it stays in CRLs \
         and OCSP",
        reason.unwrap_or_default()
    );
    let hint = format!("to change or see it, import it first: certgate ca import {authority} --issued FILE");
    AdminFailure::new(Code::Refused, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_serial_number_and_may_say_whose() {
        for (text, authority, written) in [("1A", None, "1a"), ("old-ca/01", Some("old-ca"), "old-ca/01")] {
            let name: CertificateName = text.parse().unwrap();
            assert_eq!((name.authority.as_deref(), name.to_string().as_str()), (authority, written));
        }
        for wrong in ["", "/01", "a/", "a/b/01", "../01", "a b/01", "no-hex", "0"] {
            assert_eq!(wrong.parse::<CertificateName>().unwrap_err().code, Code::Usage, "{wrong:?}");
        }
    }
}
