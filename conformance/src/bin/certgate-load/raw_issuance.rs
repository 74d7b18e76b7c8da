//! What an issuance by ACME cannot do without, in the place where a server does it: signatures of requests, a validation by http-01, a CSR and
//! a certificate.

use std::net::Ipv4Addr;

use anyhow::{Context, anyhow, ensure};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
};

use crate::{raw_crypto::Enrollment, raw_jws::Verification};

/// A query for the address of a name as long as those of the load (RFC 1035 §4.1).
const QUERY: &[u8] = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x140123456789ab-0000000\x05bench\x07example\0\0\x01\0\x01";
/// A request as a server sends it to validate.
const REQUEST: &[u8] = b"GET /.well-known/acme-challenge/0123456789012345678901 HTTP/1.1\r\n\
    Host: 0123456789ab-0000000.bench.example\r\nConnection: close\r\n\r\n";

/// The payload of finalize.
#[derive(Deserialize)]
struct Finalize<'a> {
    csr: &'a str,
}

/// Does for each request of an issuance what it needs.
pub(crate) struct Issuance {
    verification: Verification,
    enrollment: Enrollment,
    /// Where on this machine http-01 and DNS are asked.
    ports: (u16, u16),
}

impl Issuance {
    /// Signs what was signed in `issued`, a chain in PEM.
    pub(crate) fn new(issued: &[u8], ports: (u16, u16)) -> anyhow::Result<Self> {
        Ok(Self { verification: Verification::default(), enrollment: Enrollment::new(issued)?, ports })
    }

    /// What the request at `target` needs.
    pub(crate) async fn perform(&self, target: &str, body: &[u8]) -> anyhow::Result<()> {
        if body.is_empty() {
            return Ok(());
        }
        let payload = self.verification.payload(body)?;
        if payload == b"{}" {
            return self.validate().await;
        }
        if target.ends_with("/finalize") {
            let finalize: Finalize<'_> = serde_json::from_slice(&payload)?;
            let csr = Base64UrlUnpadded::decode_vec(finalize.csr).map_err(|error| anyhow!("base64url: {error}"))?;
            return self.enrollment.issue(&csr);
        }
        Ok(())
    }

    /// An address is asked for, and a file there: the least that http-01 takes (RFC 8555 §8.3).
    async fn validate(&self) -> anyhow::Result<()> {
        let (http, dns) = self.ports;
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        socket.connect((Ipv4Addr::LOCALHOST, dns)).await?;
        socket.send(QUERY).await?;
        let length = socket.recv(&mut [0; 512]).await.context("no answer of DNS")?;
        ensure!(length > QUERY.len(), "no address");
        let mut tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, http)).await?;
        tcp.write_all(REQUEST).await?;
        let mut answer = Vec::new();
        tcp.read_to_end(&mut answer).await?;
        ensure!(answer.starts_with(b"HTTP/1.1 200 "), "no key authorization");
        Ok(())
    }
}
