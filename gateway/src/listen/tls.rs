//! TLS as a listener offers it: 1.2 and 1.3 (RFC 8996), the suites of aws-lc-rs, HTTP/1.1.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::version::{TLS12, TLS13};

use super::ServerIdentity;
use crate::config::MinTls;

/// The configuration of a listener.
///
/// # Errors
/// When rustls cannot make one, or has no randomness for its session tickets.
pub fn server_config(min_tls: MinTls, identity: Arc<ServerIdentity>) -> Result<Arc<ServerConfig>, rustls::Error> {
    let versions: &[&rustls::SupportedProtocolVersion] = match min_tls {
        MinTls::V1_2 => &[&TLS13, &TLS12],
        MinTls::V1_3 => &[&TLS13],
    };
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let mut config = builder.with_protocol_versions(versions)?.with_no_client_auth().with_cert_resolver(identity);
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    // A client that resumes needs one ticket; each costs an encryption in every handshake.
    config.send_tls13_tickets = 1;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
