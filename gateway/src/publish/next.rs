//! The list after one that was published, made where the key is: no ledger is there, and no gateway.

use std::collections::BTreeSet;
use std::time::Duration;

use certgate_crl::{Crl, CrlError, CrlFields, Entry, InvalidFields, Kind, Listed};
use certgate_pki::{Certificate, CrlReason, CryptoError, KeyUsage, Provider, Serial, SigningKey, Timestamp};

use super::build::authority_key;

/// Why there is no next list.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NextError {
    /// Key, certificate and list are not of one CA.
    #[error("{0}")]
    NotOneCa(&'static str),
    /// The list before cannot be followed.
    #[error("the previous CRL {0}")]
    Previous(&'static str),
    /// It has been revoked already, or is given twice.
    #[error("{0} is revoked already, or is given twice")]
    Twice(Serial),
    /// This machine's clock, or that of the one before, is wrong.
    #[error("it is {now} by the clock of this machine, and the previous CRL was made at {previous}: set the clock")]
    Clock {
        /// Now.
        now: Timestamp,
        /// thisUpdate of the list before.
        previous: Timestamp,
    },
    /// What was made cannot be read.
    #[error(transparent)]
    Malformed(#[from] CrlError),
    /// No list can be made of these fields.
    #[error(transparent)]
    Fields(#[from] InvalidFields),
    /// It could not be signed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// What the next list is made of.
pub struct NextCrl<'n> {
    /// Who signs.
    pub key: &'n dyn SigningKey,
    /// The CA.
    pub certificate: &'n Certificate,
    /// The list before, complete: its entries stay, and its scope.
    pub previous: &'n Crl<'n>,
    /// What is revoked, or put on hold, besides.
    pub revoked: &'n [Entry],
    /// From now to nextUpdate, which is never after the end of the CA.
    pub validity: Duration,
}

impl NextCrl<'_> {
    /// The list, DER, with the number after that of the one before.
    ///
    /// # Errors
    /// [`NextError`].
    pub fn sign(&self, now: Timestamp, provider: &Provider) -> Result<Vec<u8>, NextError> {
        let Self { key, certificate, previous, .. } = self;
        self.check(now, provider)?;
        let number = previous.number.as_ref().ok_or(NextError::Previous("has no number (RFC 5280 §5.2.3)"))?;
        let number = number.successor().ok_or(NextError::Previous("has the last number that there is"))?;
        let fields = CrlFields {
            issuer: certificate.subject(),
            this_update: now.floor_to_second(),
            next_update: now.after(self.validity).min(certificate.validity().not_after).floor_to_second(),
            authority_key: &authority_key(certificate, provider),
            number: &number,
            distribution_point: previous.distribution_point.as_ref(),
            // Deltas are not made where lists are signed by hand.
            kind: Kind::Complete { freshest: None },
        };
        let (kept, added) = self.entries()?;
        let draft = fields.prepare(key.algorithm(), [kept.as_slice(), added.as_slice()])?;
        let signature = key.sign(draft.to_be_signed())?;
        let der = draft.assemble(&signature);
        let is_signed = Crl::parse(&der)?.verify_signed_by(certificate.public_key(), provider).is_ok();
        if is_signed { Ok(der) } else { Err(NextError::NotOneCa("what was signed does not verify by the certificate")) }
    }

    fn check(&self, now: Timestamp, provider: &Provider) -> Result<(), NextError> {
        let Self { key, certificate, previous, .. } = self;
        let usage = certificate.extensions().key_usage();
        if key.public_key() != certificate.public_key() {
            return Err(NextError::NotOneCa("the certificate is of another key"));
        }
        if !usage.is_ok_and(|usage| usage.is_none_or(|usage| usage.intersects(KeyUsage::CRL_SIGN))) {
            return Err(NextError::NotOneCa("the certificate may not sign CRLs (keyUsage, RFC 5280 §4.2.1.3)"));
        }
        let is_its = previous.issuer.as_der() == certificate.subject().as_der();
        if !is_its || previous.verify_signed_by(certificate.public_key(), provider).is_err() {
            return Err(NextError::Previous("is not signed by this key"));
        }
        if previous.is_delta() {
            return Err(NextError::Previous("is a delta, and a complete one is wanted"));
        }
        if now < previous.this_update {
            return Err(NextError::Clock { now, previous: previous.this_update });
        }
        Ok(())
    }

    /// Entries that stay, as they came, and those that are added. One on hold gives way to its revocation.
    fn entries(&self) -> Result<(Vec<u8>, Vec<u8>), NextError> {
        let (mut new, mut added) = (BTreeSet::new(), Vec::new());
        for entry in self.revoked {
            if !new.insert(&entry.serial) {
                return Err(NextError::Twice(entry.serial.clone()));
            }
            entry.encode_into(&mut added);
        }
        let listed =
            || self.previous.entries().filter_map(|one| if let Listed::Revoked(entry) = one { Some(entry) } else { None });
        let is_hold = |entry: &Entry| entry.reason == Some(CrlReason::CertificateHold);
        let again: Vec<Entry> = listed().filter(|entry| new.contains(&entry.serial)).collect();
        let is_revoked =
            |entry: &&Entry| !is_hold(entry) || self.revoked.iter().any(|one| one.serial == entry.serial && is_hold(one));
        if let Some(entry) = again.iter().find(is_revoked) {
            return Err(NextError::Twice(entry.serial.clone()));
        }
        if again.is_empty() {
            return Ok((self.previous.encoded_entries().to_vec(), added));
        }
        let mut kept = Vec::new();
        listed().filter(|entry| !new.contains(&entry.serial)).for_each(|entry| entry.encode_into(&mut kept));
        Ok((kept, added))
    }
}
