//! The specimens: certificates enrolled for with several CSRs, the CA certificates, and the server's own.

use crate::{
    certificate::Certificate,
    certs_only,
    csr::{Wish, attribute},
    key::{Key, KeyKind},
    session::{Session, Stop, require},
};

/// The certificates of one server.
#[derive(Clone, Debug, Default)]
pub struct Collection {
    /// Each certificate, with what it is.
    pub specimens: Vec<Specimen>,
    /// What the server would not sign, and its answer.
    pub refused: Vec<String>,
}

/// One certificate.
#[derive(Clone, Debug)]
pub struct Specimen {
    /// What it is, for reports.
    pub label: String,
    /// Where it came from.
    pub origin: Origin,
    /// Itself.
    pub certificate: Certificate,
}

/// Where a certificate came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Enrolled for by the suite.
    Enrolled,
    /// In the answer to cacerts.
    Authorities,
    /// Shown in the TLS handshake.
    Server,
}

impl Collection {
    /// Fetches and enrolls for all of them.
    ///
    /// # Errors
    /// A server that answers otherwise than with a certificate or 4xx, or that signs none.
    pub fn gather(session: &mut Session<'_>) -> Result<Self, Stop> {
        let mut collection = Self::default();
        let response = session.get("cacerts")?;
        require(response.status == 200, || format!("GET cacerts gave {}", response.status))?;
        for (number, certificate) in certs_only::decode(&response.content)?.into_iter().enumerate() {
            collection.add(format!("CA certificate {}", number + 1), Origin::Authorities, certificate);
        }
        if let Some(server) = response.peer.first() {
            collection.add("TLS server certificate".into(), Origin::Server, Certificate::parse(server)?);
        }
        let (user, _) = session.login()?;
        for (label, wish, key) in wishes(user, session.device_key()?)? {
            collection.enroll(session, label, &wish, &key)?;
        }
        require(collection.enrolled().next().is_some(), || {
            format!("no certificate was issued: {}", collection.refused.join("; "))
        })?;
        Ok(collection)
    }

    fn add(&mut self, label: String, origin: Origin, certificate: Certificate) {
        self.specimens.push(Specimen { label, origin, certificate });
    }

    fn enroll(&mut self, session: &mut Session<'_>, label: &str, wish: &Wish, key: &Key) -> Result<(), Stop> {
        let response = session.enroll(&wish.sign(key)?)?;
        if response.is_client_error() {
            self.refused.push(format!("{label}: {}", response.status));
            return Ok(());
        }
        require(response.status == 200, || format!("{label}: {}", response.status))?;
        for certificate in certs_only::decode(&response.content)? {
            self.add(label.to_owned(), Origin::Enrolled, certificate);
        }
        Ok(())
    }

    /// The certificates that the suite enrolled for.
    pub fn enrolled(&self) -> impl Iterator<Item = &Specimen> {
        self.specimens.iter().filter(|specimen| specimen.origin == Origin::Enrolled)
    }

    /// The certificates of cacerts.
    pub fn authorities(&self) -> impl Iterator<Item = &Specimen> {
        self.specimens.iter().filter(|specimen| specimen.origin == Origin::Authorities)
    }

    /// The CA certificate whose subject is `certificate`'s issuer and whose key identifier it names, if it names one.
    #[must_use]
    pub fn issuer_of(&self, certificate: &Certificate) -> Option<&Certificate> {
        let authorities = || self.authorities().map(|specimen| &specimen.certificate);
        let wanted = certificate.authority_key_identifier();
        let by_key = authorities().find(|issuer| wanted.is_some() && issuer.subject_key_identifier() == wanted);
        by_key.or_else(|| authorities().find(|issuer| issuer.subject == certificate.issuer))
    }

    /// How many there are, and what was refused.
    #[must_use]
    pub fn summary(&self) -> String {
        let refused = if self.refused.is_empty() { String::new() } else { format!("; refused: {}", self.refused.join("; ")) };
        format!("{} certificates{refused}", self.specimens.len())
    }
}

/// CSRs that ask for what a user may have, each in another form.
fn wishes(user: &str, device_key: Key) -> Result<Vec<(&'static str, Wish, Key)>, Stop> {
    let location = Wish::empty()
        .with_name(attribute::COUNTRY, "DE")
        .with_name(attribute::STATE, "Nordrhein-Westfalen")
        .with_name(attribute::LOCALITY, "Köln");
    let located = location.with_name(attribute::SERIAL_NUMBER, "SN-0042").with_name(attribute::COMMON_NAME, user);
    Ok(vec![
        ("P-256, CN", Wish::common_name(user), Key::p256()),
        ("P-256, SAN only", Wish::empty().with_dns_names(&[user]), Key::p256()),
        ("RSA-2048, CN", Wish::common_name(user), Key::of(KeyKind::Rsa2048)?),
        ("the device's key, CN and SAN", Wish::common_name(user).with_dns_names(&[user]), device_key),
        ("P-256, C ST L serialNumber CN", located, Key::p256()),
    ])
}
