//! Requests of one issuance, one after the other over one connection, each with the nonce of the answer before it.

use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use certgate_conformance::acme::objects::{Directory, Status};
use http_body_util::Full;
use hyper::{
    Method, Request, Response,
    header::{CONTENT_TYPE, HOST, LOCATION, USER_AGENT},
};
use serde::{Deserialize, de::DeserializeOwned};

use super::signer::Signer;
use crate::client::Connection;

/// How long a client waits before it asks once more.
const PAUSE: Duration = Duration::from_millis(20);
/// RFC 8555 §6.1: "ACME clients MUST send a User-Agent header field".
const AGENT: &str = "certgate-load";

/// Where a challenge stands.
#[derive(Deserialize)]
pub(super) struct Stands {
    pub(super) status: Status,
}

/// A client amid an issuance.
pub(super) struct Talk<'t> {
    directory: &'t Directory,
    host: &'t str,
    signer: &'t Signer,
    connection: &'t mut Connection,
    nonce: Option<String>,
}

impl<'t> Talk<'t> {
    /// Begins, with a nonce if there is one.
    pub(super) const fn new(
        directory: &'t Directory,
        host: &'t str,
        signer: &'t Signer,
        connection: &'t mut Connection,
        nonce: Option<String>,
    ) -> Self {
        Self { directory, host, signer, connection, nonce }
    }

    /// The nonce of the last answer.
    pub(super) fn nonce(self) -> Option<String> {
        self.nonce
    }

    /// Posts a payload, which has to be answered with this status. Without a nonce it asks for one first.
    pub(super) async fn post(&mut self, url: &str, payload: &[u8], status: u16) -> anyhow::Result<Response<Bytes>> {
        if self.nonce.is_none() {
            let head = request(Method::HEAD, target(&self.directory.new_nonce), self.host, Bytes::new())?;
            self.ask(head).await?;
        }
        let nonce = self.nonce.take().context("newNonce gave no nonce")?;
        let content = self.signer.sign(url, nonce, payload)?;
        let answer = self.ask(request(Method::POST, target(url), self.host, content.into())?).await?;
        let text = || String::from_utf8_lossy(answer.body()).into_owned();
        ensure!(answer.status() == status, "{}: status {}: {}", target(url), answer.status(), text());
        Ok(answer)
    }

    /// POST-as-GET of an object (RFC 8555 §6.3).
    pub(super) async fn fetch<T: DeserializeOwned>(&mut self, url: &str) -> anyhow::Result<T> {
        object(&self.post(url, b"", 200).await?, target(url))
    }

    async fn ask(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
        let answer = self.connection.ask(request).await?;
        let nonce = answer.headers().get("replay-nonce").and_then(|nonce| nonce.to_str().ok());
        self.nonce = nonce.map(str::to_owned);
        Ok(answer)
    }
}

/// GET, without a signature.
pub(super) async fn get(connection: &mut Connection, target: &str, host: &str) -> anyhow::Result<Response<Bytes>> {
    connection.ask(request(Method::GET, target, host, Bytes::new())?).await
}

/// The object in an answer.
pub(super) fn object<T: DeserializeOwned>(answer: &Response<Bytes>, what: &str) -> anyhow::Result<T> {
    serde_json::from_slice(answer.body()).with_context(|| format!("{what}: {}", String::from_utf8_lossy(answer.body())))
}

/// The URL of what was made.
pub(super) fn location(answer: &Response<Bytes>) -> anyhow::Result<String> {
    let location = answer.headers().get(LOCATION).context("no Location")?;
    Ok(location.to_str()?.to_owned())
}

/// Lets the server go on.
pub(super) async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

fn request(method: Method, target: &str, host: &str, content: Bytes) -> anyhow::Result<Request<Full<Bytes>>> {
    let request = Request::builder().uri(target).header(HOST, host).header(USER_AGENT, AGENT);
    let request = if method == Method::POST { request.header(CONTENT_TYPE, "application/jose+json") } else { request };
    Ok(request.method(method).body(Full::new(content))?)
}

/// Path and query of a URL.
fn target(url: &str) -> &str {
    let behind = url.split_once("://").map_or(url, |(_, behind)| behind);
    behind.find('/').and_then(|at| behind.get(at..)).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn a_target_is_what_follows_the_host() {
        for (url, wanted) in [("https://a:1/b/c?d", "/b/c?d"), ("https://a", "/")] {
            assert_eq!(target(url), wanted);
        }
    }
}
