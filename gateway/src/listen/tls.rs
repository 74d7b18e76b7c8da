//! TLS as a listener offers it: 1.2 and 1.3 (RFC 8996), the suites of aws-lc-rs, HTTP/2 and HTTP/1.1.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::version::{TLS12, TLS13};

use super::ServerIdentity;
use super::client_certificate::AnyClientCertificate;
use super::session;
use crate::config::{ClientCert, MinTls};

/// HTTP/2 in ALPN (RFC 9113 §3.1).
pub(super) const H2: &[u8] = b"h2";

/// The configuration of a listener.
///
/// # Errors
/// When rustls cannot make one, or has no randomness for its session tickets.
pub fn server_config(
    min_tls: MinTls,
    client_cert: ClientCert,
    identity: Arc<ServerIdentity>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let versions: &[&rustls::SupportedProtocolVersion] = match min_tls {
        MinTls::V1_2 => &[&TLS13, &TLS12],
        MinTls::V1_3 => &[&TLS13],
    };
    let provider = session::provider();
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions)?;
    let builder = match client_cert {
        ClientCert::Off => builder.with_no_client_auth(),
        ClientCert::Optional => builder.with_client_cert_verifier(AnyClientCertificate::new(&provider)),
    };
    let mut config = builder.with_cert_resolver(identity);
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    // A client that resumes needs one ticket; each costs an encryption in every handshake.
    config.send_tls13_tickets = 1;
    config.alpn_protocols = vec![H2.to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
