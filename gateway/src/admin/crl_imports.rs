//! `/v1/crls/import`: CRLs that were signed where the key of their authority is.

use bytes::Bytes;
use certgate_crl::{Crl, MAX_CRL};
use certgate_pki::pem;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};

use super::crls::{CrlItem, items};
use super::query::Query;
use super::{Admin, AdminFailure, Code};
use crate::publish::{CrlPublisher, ImportError};

/// What came of an import.
#[derive(Debug, Deserialize, Serialize)]
pub struct ImportedCrl {
    /// The list, as it is served now.
    #[serde(flatten)]
    pub crl: CrlItem,
    /// Serial numbers of certificates that it has revoked, or put on hold, and that were good before.
    pub revoked: Vec<String>,
    /// How many of its entries are of no certificate that is known here.
    pub unknown: usize,
}

impl Admin {
    /// Takes in a list, DER or PEM.
    pub(super) async fn import_crl(&self, query: &str, body: Incoming) -> Result<ImportedCrl, AdminFailure> {
        let mut query = Query::new(query);
        let named = query.take("authority");
        query.finish()?;
        let body = Limited::new(body, MAX_CRL).collect().await.map_err(|error| AdminFailure::usage(error.to_string()))?;
        let der = read_list(body.to_bytes()).map_err(AdminFailure::usage)?;
        let publisher = self.importer(named.as_deref(), &der)?;
        let imported = publisher.import(der).await.map_err(|error| failure(publisher, &error))?;
        let crl = items(publisher, [imported.id]).pop().ok_or_else(|| AdminFailure::new(Code::Failed, "it is not served"))?;
        tracing::info!(authority = crl.authority, number = crl.number, revoked = imported.revoked.len(), "a CRL was imported");
        Ok(ImportedCrl { crl, revoked: imported.revoked.iter().map(ToString::to_string).collect(), unknown: imported.unknown })
    }

    /// Whose list it is to be: the authority that is named, or the one whose name it has.
    fn importer(&self, named: Option<&str>, der: &[u8]) -> Result<&CrlPublisher, AdminFailure> {
        if let Some(name) = named {
            let found = self.publishers(Some(name))?.into_iter().next();
            return found.ok_or_else(|| AdminFailure::not_found(format!("there is no authority {name} that publishes CRLs")));
        }
        let crl = Crl::parse(der).map_err(|error| AdminFailure::new(Code::Refused, error.to_string()))?;
        let is_its = |publisher: &&CrlPublisher| {
            publisher.of().chain().first().is_some_and(|own| own.subject().as_der() == crl.issuer.as_der())
        };
        // Several may have one name: it is one whose lists are imported.
        let named: Vec<&CrlPublisher> = self.crls.iter().filter(is_its).collect();
        let offline = named.iter().find(|publisher| publisher.of().offline_since().is_some());
        offline.or(named.first()).copied().ok_or_else(|| {
            let message = format!("it is of {}, and no authority has that name", crl.issuer);
            AdminFailure::not_found(message).hint("certgate ca show")
        })
    }
}

fn failure(publisher: &CrlPublisher, error: &ImportError) -> AdminFailure {
    let code = if error.is_refusal() { Code::Refused } else { Code::Failed };
    let message = format!("the CRL of authority {} was not taken: {error}", publisher.authority());
    let hint = if matches!(error, ImportError::NotWritten(_)) { "" } else { "what was published before is still served" };
    AdminFailure::new(code, message).hint(hint)
}

/// A list, DER, from DER or PEM.
///
/// # Errors
/// When it begins as PEM does, and is none of a CRL.
pub(crate) fn read_list(octets: Bytes) -> Result<Bytes, String> {
    match std::str::from_utf8(&octets).ok().filter(|text| text.contains("-----BEGIN")) {
        Some(text) => pem::decode(pem::X509_CRL, text).map(Bytes::from).map_err(|error| error.to_string()),
        None => Ok(octets),
    }
}
