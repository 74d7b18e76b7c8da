//! HTTP/2 (RFC 9113), chosen by ALPN.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper::{Request, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::process::Gateway;

/// Connections may idle for a second.
const CONFIG: &str = "[limits]\nhead = \"1s\"\n";

#[tokio::test]
async fn requests_share_a_connection_that_is_closed_when_nobody_uses_it() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("d");
    std::fs::create_dir(&data_dir).unwrap();
    std::fs::write(data_dir.join("certgate.toml"), CONFIG).unwrap();
    let gateway = Gateway::start(&data_dir);
    let run = gateway.run_json();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(run["ca_pem"].as_str().unwrap()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut tls = builder.with_root_certificates(roots).with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(run["https"][0].as_str().unwrap()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(tls)).connect(name, stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();

    let requests = async {
        let ask = |path: &str| {
            let mut sender = sender.clone();
            let uri = format!("https://localhost/.well-known/est/{path}");
            let request = Request::get(uri).body(Empty::<Bytes>::new()).unwrap();
            async move { sender.send_request(request).await.unwrap() }
        };
        // Longer than the connection may idle: it is in use.
        for _ in 0..3 {
            let (certificates, attributes, missing) = tokio::join!(ask("cacerts"), ask("csrattrs"), ask("nothing"));
            let statuses = [certificates.status(), attributes.status(), missing.status()];
            assert_eq!(statuses, [StatusCode::OK, StatusCode::NO_CONTENT, StatusCode::NOT_FOUND]);
            assert_eq!(certificates.version(), Version::HTTP_2);
            assert!(certificates.into_body().collect().await.unwrap().to_bytes().starts_with(b"MII"));
            tokio::time::sleep(Duration::from_millis(600)).await;
        }
        sender.clone()
    };
    let mut connection = std::pin::pin!(connection);
    let sender = tokio::select! {
        sender = requests => sender,
        ended = &mut connection => panic!("closed while it was used: {ended:?}"),
    };
    let closed = tokio::time::timeout(Duration::from_secs(10), connection).await;
    assert!(closed.is_ok(), "nobody uses it, and it is open still");
    drop(sender);
    assert_eq!(gateway.stop(), Some(0));
}
