//! A certificate and those above it, as they are sent to clients.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use certgate_pki::{Certificate, ExtendedKeyUsage, GeneralName, KeyUsage, Provider, Timestamp};
use rustls::pki_types::{CertificateDer, UnixTime};

use crate::config::Place;

/// At least one certificate, in the order in which they were found.
pub(super) struct Chain<'p> {
    place: &'p Place,
    certificates: Vec<Certificate>,
}

impl<'p> Chain<'p> {
    /// Reads each.
    pub(super) fn read(place: &'p Place, sent: &[CertificateDer<'_>]) -> anyhow::Result<Self> {
        let read = |(index, der): (usize, &CertificateDer<'_>)| {
            Certificate::from_der(der).with_context(|| format!("certificate {} in {place} cannot be read", index + 1))
        };
        Ok(Self { place, certificates: sent.iter().enumerate().map(read).collect::<Result<_, _>>()? })
    }

    fn leaf(&self) -> anyhow::Result<&Certificate> {
        self.certificates.first().with_context(|| format!("{} holds no certificate", self.place))
    }

    /// The first one.
    pub(super) fn into_leaf(self) -> anyhow::Result<Certificate> {
        let place = self.place;
        self.certificates.into_iter().next().with_context(|| format!("{place} holds no certificate"))
    }

    /// The server's own certificate comes first, and is no CA's (RFC 8446 §4.4.2).
    pub(super) fn has_leaf_first(&self) -> anyhow::Result<()> {
        let (leaf, place) = (self.leaf()?, self.place);
        if !is_ca(leaf) {
            return Ok(());
        }
        if self.certificates.iter().any(|one| !is_ca(one)) {
            bail!(
                "the first certificate in {place} is a CA's, {}: the server's own comes first, then the one that signed it",
                name(leaf)
            );
        }
        bail!(
            "the certificate in {place}, {}, is a CA's and not a server's: {}",
            name(leaf),
            "have a CA issue one for the server; `openssl req -x509` makes one by -addext basicConstraints=critical,CA:FALSE"
        );
    }

    /// Each is signed by the next.
    pub(super) fn is_signed_in_order(&self, provider: &Provider) -> anyhow::Result<()> {
        let place = self.place;
        for (index, pair) in self.certificates.windows(2).enumerate() {
            let [lower, upper] = pair else { continue };
            let (at, advice) = (index + 2, "leaf first, then each one that signed the one before it, and nothing else");
            let names_fit = lower.issuer().as_der() == upper.subject().as_der();
            if !names_fit && self.certificates.iter().any(|one| one.subject().as_der() == lower.issuer().as_der()) {
                bail!(
                    "the certificates in {place} are out of order: certificate {at} is {}, and {} comes next: {advice}",
                    name(upper),
                    lower.issuer()
                );
            }
            if !names_fit {
                bail!(
                    "the chain in {place} is broken: {} is signed by {}, and certificate {at} is {}: {advice}",
                    name(lower),
                    lower.issuer(),
                    name(upper)
                );
            }
            if !is_ca(upper) {
                bail!("certificate {at} in {place}, {}, is no CA's and signs nothing: {advice}", name(upper));
            }
            if lower.verify_signed_by(upper.public_key(), provider).is_err() {
                bail!(
                    "the chain in {place} is broken: certificate {at}, {}, has the name of the issuer and did not sign the one before it: {}",
                    name(upper),
                    "a CA of that name may have got a new key; take its chain from where the certificate came from"
                );
            }
        }
        Ok(())
    }

    /// Every one of them is good now.
    pub(super) fn is_good_at(&self, now: Timestamp) -> anyhow::Result<()> {
        let place = self.place;
        for (index, one) in self.certificates.iter().enumerate() {
            let what = if index == 0 { "the server certificate" } else { "a certificate of the chain" };
            let validity = one.validity();
            if now < validity.not_before {
                let advice = "is the clock of this machine right?";
                bail!("{what} in {place}, {}, is good from {} on, and it is {now}: {advice}", name(one), validity.not_before);
            }
            if now > validity.not_after {
                let advice = "clients refuse it; put a new one there";
                bail!("{what} in {place}, {}, ended at {}, and it is {now}: {advice}", name(one), validity.not_after);
            }
        }
        Ok(())
    }

    /// Its purposes allow a TLS server.
    pub(super) fn is_for_servers(&self) -> anyhow::Result<()> {
        let (leaf, place) = (self.leaf()?, self.place);
        let malformed = || format!("an extension of the certificate in {place} is malformed");
        let purposes = leaf.extensions().extended_key_usage().map_err(|_| anyhow!(malformed()))?;
        if purposes.is_some_and(|purposes| !purposes.contains(&ExtendedKeyUsage::ServerAuth)) {
            bail!(
                "the certificate in {place}, {}, is not for servers: its extKeyUsage must have serverAuth (RFC 5280 §4.2.1.12)",
                name(leaf)
            );
        }
        // RFC 8446 §4.4.2.2: "the digitalSignature bit MUST be set if the Key Usage extension is present".
        let usage = leaf.extensions().key_usage().map_err(|_| anyhow!(malformed()))?;
        if usage.is_some_and(|usage| !usage.intersects(KeyUsage::DIGITAL_SIGNATURE)) {
            bail!(
                "the certificate in {place}, {}, signs nothing: its keyUsage must have digitalSignature (RFC 8446 §4.4.2.2)",
                name(leaf)
            );
        }
        Ok(())
    }

    /// It has all of these names, and one at least.
    pub(super) fn has_names(&self, required: &[GeneralName]) -> anyhow::Result<()> {
        let (leaf, place) = (self.leaf()?, self.place);
        let names = leaf.extensions().subject_alt_names().unwrap_or_default();
        if !names.iter().any(|name| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_))) {
            bail!(
                "the certificate in {place}, {}, has no name that clients look at: {}",
                name(leaf),
                "it needs a subjectAltName with the host names and addresses that they use (RFC 9525 §3)"
            );
        }
        let missing: Vec<String> =
            required.iter().filter(|wanted| !names.iter().any(|had| covers(had, wanted))).map(ToString::to_string).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let had = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        bail!(
            "the certificate in {place} lacks {}: clients look for each host of https public URLs, or for what required_sans of [tls] \
             has. Its names are {had}",
            missing.join(", ")
        );
    }
}

/// Does a name of a certificate stand for this one? A wildcard is one label (RFC 9525 §6.3).
fn covers(had: &GeneralName, wanted: &GeneralName) -> bool {
    match (had, wanted) {
        (GeneralName::Dns(had), GeneralName::Dns(wanted)) => {
            let beyond_first = wanted.as_str().split_once('.').map(|(_, rest)| rest);
            had == wanted || had.as_str().strip_prefix("*.").is_some_and(|base| Some(base) == beyond_first)
        }
        (GeneralName::Ip(had), GeneralName::Ip(wanted)) => canonical(*had) == canonical(*wanted),
        _ => false,
    }
}

fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn is_ca(certificate: &Certificate) -> bool {
    certificate.extensions().is_ca().unwrap_or(false)
}

/// What people know a certificate by.
fn name(certificate: &Certificate) -> String {
    if certificate.subject().is_empty() {
        return format!("serial number {}", certificate.serial());
    }
    format!("\"{}\"", certificate.subject())
}

/// Does what is sent lead to one of these roots, for a TLS server, as a client would see it at this time?
pub(super) fn lead_to(
    (place, sent): (&Place, &[CertificateDer<'_>]),
    (ca, roots): (&Place, &[CertificateDer<'_>]),
    now: Timestamp,
) -> anyhow::Result<()> {
    let anchors = roots.iter().map(webpki::anchor_from_trusted_cert).collect::<Result<Vec<_>, _>>();
    let anchors = anchors.with_context(|| format!("a certificate in {ca} cannot be a root"))?;
    let [leaf, chain @ ..] = sent else { bail!("{place} holds no certificate") };
    let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
    let leaf = webpki::EndEntityCert::try_from(leaf).with_context(|| format!("the certificate in {place} cannot be read"))?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(now.seconds()));
    let usage = webpki::KeyUsage::server_auth();
    match leaf.verify_for_usage(algorithms.all, &anchors, chain, time, usage, None, None) {
        Ok(_) => Ok(()),
        Err(webpki::Error::UnknownIssuer) => bail!(
            "the certificate in {place} does not lead to a root in {ca}: {}",
            "an issuing CA between them is missing there (leaf first, then its issuers), or ca of [tls] is another root"
        ),
        Err(error) => Err(error).with_context(|| format!("clients that trust {ca} refuse the certificate in {place}")),
    }
}
