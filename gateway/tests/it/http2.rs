//! HTTP/2 (RFC 9113), chosen by ALPN.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, Version};

use crate::client::connect;
use crate::process::Gateway;

/// Connections may idle for a second.
const CONFIG: &str = "[limits]\nhead = \"1s\"\n";

#[tokio::test]
async fn requests_share_a_connection_that_is_closed_when_nobody_uses_it() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_with(&directory.path().join("d"), CONFIG);
    let (sender, connection) = connect(&gateway).await;

    let requests = async {
        let ask = |path: &str| {
            let mut sender = sender.clone();
            let uri = format!("https://localhost/.well-known/est/{path}");
            let request = Request::get(uri).body(Full::default()).unwrap();
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
