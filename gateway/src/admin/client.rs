//! The client's side of the socket: one request, one answer.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use certgate_pki::CryptoError;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::progress::ProgressResult;
use super::{AdminFailure, Code, ErrorBody};

/// How often it is asked how far something has come.
const PERIOD: Duration = Duration::from_millis(200);

/// A body for [`ask`].
///
/// # Errors
/// When it cannot be written as JSON.
pub fn encode_body<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, AdminFailure> {
    serde_json::to_vec(value).map_err(|error| AdminFailure::new(Code::Failed, error.to_string()))
}

/// Asks as [`ask`] does, and says meanwhile how far the gateway has come.
///
/// # Errors
/// As [`ask`].
pub async fn ask_and_watch(
    socket: &Path,
    (method, path): (Method, &str),
    body: Vec<u8>,
    mut seen: impl FnMut(ProgressResult),
) -> Result<serde_json::Value, AdminFailure> {
    let failed = |error: CryptoError| AdminFailure::new(Code::Failed, error.to_string());
    let mut octets = [0; 16];
    certgate_crypto::provider().random.fill(&mut octets).map_err(failed)?;
    let id = base16ct::lower::encode_string(&octets);
    let (path, shown) = (format!("{path}?progress={id}"), format!("/v1/progress/{id}"));
    let watch = async {
        loop {
            tokio::time::sleep(PERIOD).await;
            // What is not under way yet, or no more, is not to be seen.
            let said = ask(socket, Method::GET, &shown, None).await.ok();
            if let Some(progress) = said.and_then(|said| serde_json::from_value(said).ok()) {
                seen(progress);
            }
        }
    };
    tokio::select! {
        answer = ask(socket, method, &path, Some(body)) => answer,
        () = watch => Err(AdminFailure::new(Code::Failed, "the gateway has not answered")),
    }
}

/// Asks the gateway behind `socket`.
///
/// # Errors
/// What the gateway says, or why it could not be asked.
pub async fn ask(socket: &Path, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<serde_json::Value, AdminFailure> {
    let failed = |error: &dyn std::fmt::Display| AdminFailure::new(Code::Failed, error.to_string());
    let stream = UnixStream::connect(socket).await.map_err(|error| {
        let message = format!("cannot reach the gateway at {}: {error}", socket.display());
        AdminFailure::new(Code::Failed, message).hint("is `certgate serve` running? --data-dir or --socket tells where it is")
    })?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, "certgate")
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.unwrap_or_default())))
        .map_err(|error| failed(&error))?;
    // The sender goes with the exchange, which ends the connection that is driven beside it.
    let exchange = async move {
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        Ok::<_, hyper::Error>((status, answer.into_body().collect().await?.to_bytes()))
    };
    let (exchanged, _) = tokio::join!(exchange, connection);
    let (status, body) = exchanged.map_err(|error| failed(&error))?;
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|error| failed(&error));
    }
    match serde_json::from_slice::<ErrorBody>(&body) {
        Ok(said) => Err(said.into()),
        Err(_) => Err(failed(&format!("the gateway answered {status}"))),
    }
}
