//! What a TLS session tells the requests that come over it: the client's certificate, and what they can be bound to.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use certgate_est::ChannelBinding;
use rustls::crypto::tls12::Prf;
use rustls::crypto::{ActiveKeyExchange, CipherSuiteCommon, CryptoProvider, aws_lc_rs};
use rustls::{Error, ProtocolVersion, ServerConnection, SupportedCipherSuite, Tls12CipherSuite};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

/// Octets of a Finished message's verify_data (RFC 5246 §7.4.9).
const VERIFY_DATA: usize = 12;
/// The label of tls-exporter (RFC 9266 §3).
const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// One TLS session, after its handshake.
#[derive(Debug)]
pub struct TlsSession {
    /// The certificate whose key the client has, DER, if it showed one. Not judged.
    pub client_certificate: Option<Bytes>,
    /// What a request over this session can be bound to.
    pub binding: Option<ChannelBinding>,
}

impl TlsSession {
    fn of(connection: &ServerConnection, finished: Option<[u8; VERIFY_DATA]>) -> Self {
        let chain = connection.peer_certificates();
        let client_certificate = chain.and_then(<[_]>::first).map(|leaf| Bytes::copy_from_slice(leaf));
        let binding = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => finished.map(ChannelBinding::TlsUnique),
            Some(ProtocolVersion::TLSv1_3) => {
                let exported = connection.export_keying_material([0; 32], EXPORTER_LABEL, Some(&[]));
                exported.ok().map(ChannelBinding::TlsExporter)
            }
            _ => None,
        };
        Self { client_certificate, binding }
    }
}

/// Shakes hands. What comes of it is large, and is moved about: it is on the heap.
///
/// # Errors
/// As rustls says.
pub(super) async fn handshake<S>(acceptor: &TlsAcceptor, stream: S) -> io::Result<(Box<TlsStream<S>>, TlsSession)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut watched = Watched { accept: acceptor.accept(stream), finished: None };
    let stream = std::future::poll_fn(|cx| Pin::new(&mut watched).poll(cx)).await?;
    let session = TlsSession::of(stream.get_ref().1, watched.finished);
    Ok((Box::new(stream), session))
}

/// A handshake that is watched for its first Finished message.
struct Watched<S> {
    accept: Accept<S>,
    finished: Option<[u8; VERIFY_DATA]>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Watched<S> {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<TlsStream<S>>> {
        // A poll is not interrupted: whatever the PRF makes on this thread until it returns is of this handshake.
        WATCH.set(Watch { is_on: true, finished: self.finished });
        let polled = Pin::new(&mut self.accept).poll(cx);
        self.finished = WATCH.replace(Watch::OFF).finished;
        polled
    }
}

/// What is seen on a thread while a handshake is polled on it.
#[derive(Clone, Copy)]
struct Watch {
    is_on: bool,
    finished: Option<[u8; VERIFY_DATA]>,
}

impl Watch {
    const OFF: Self = Self { is_on: false, finished: None };
}

thread_local! {
    static WATCH: Cell<Watch> = const { Cell::new(Watch::OFF) };
}

/// The provider of every TLS listener: that of aws-lc-rs, but for the PRF of TLS 1.2, which lets the first Finished message be seen.
pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites = provider.cipher_suites.into_iter().map(watched_suite).collect();
        Arc::new(provider)
    });
    Arc::clone(&PROVIDER)
}

/// rustls wants suites that live for ever; there are six, made once.
fn watched_suite(suite: SupportedCipherSuite) -> SupportedCipherSuite {
    let SupportedCipherSuite::Tls12(suite) = suite else { return suite };
    let CipherSuiteCommon { suite: name, hash_provider, confidentiality_limit } = suite.common;
    SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
        common: CipherSuiteCommon { suite: name, hash_provider, confidentiality_limit },
        prf_provider: Box::leak(Box::new(WatchedPrf(suite.prf_provider))),
        kx: suite.kx,
        sign: suite.sign,
        aead_alg: suite.aead_alg,
    })))
}

/// RFC 5929 §3.1: tls-unique is "the first TLS Finished message sent … in the most recent TLS handshake": the client's in a full handshake,
/// the server's where a session is resumed. Either is the first output of the PRF whose label ends in " finished" (RFC 5246 §7.4.9).
struct WatchedPrf(&'static dyn Prf);

impl Prf for WatchedPrf {
    fn for_key_exchange(
        &self,
        output: &mut [u8; 48],
        exchange: Box<dyn ActiveKeyExchange>,
        peer_key: &[u8],
        label: &[u8],
        seed: &[u8],
    ) -> Result<(), Error> {
        self.0.for_key_exchange(output, exchange, peer_key, label, seed)
    }

    fn for_secret(&self, output: &mut [u8], secret: &[u8], label: &[u8], seed: &[u8]) {
        self.0.for_secret(output, secret, label, seed);
        let watch = WATCH.get();
        if watch.is_on && watch.finished.is_none() && label.ends_with(b" finished") {
            WATCH.set(Watch { finished: output.first_chunk().copied(), ..watch });
        }
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}
