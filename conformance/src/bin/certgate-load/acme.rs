//! Whole issuances by ACME (RFC 8555 §7.4), for one account: order, authorizations, challenges of http-01, CSR, certificate.

mod signer;
mod talk;
mod validated;

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, ensure};
use bytes::Bytes;
use certgate_conformance::{
    acme::{
        objects::{Authorization, Directory, Order, Status},
        payloads,
    },
    asn1::Element,
    certificate::{Certificate, hex},
    key::{Key, random},
    pem,
    target::Url,
};
use hyper::Response;
use tokio::task::JoinSet;

use crate::{
    client::{Connection, Server},
    plan::Extent,
};
pub(crate) use signer::Signer;
use talk::Talk;

/// Names are below this one.
const DOMAIN: &str = "bench.example";

/// How certificates are ordered.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Port of 127.0.0.1 where the server validates http-01: answered here
    #[arg(long)]
    http01_port: u16,
    /// UDP port of 127.0.0.1 where the server asks for addresses: answered here
    #[arg(long)]
    dns_port: u16,
    /// Order the same names again and again, as many as connections; else each time another one
    #[arg(long)]
    renew: bool,
    /// Take any certificate: a raw server gives the same always
    #[arg(long)]
    unchecked: bool,
}

/// A certificate that is to be ordered.
struct Wish {
    name: String,
    csr: Vec<u8>,
    /// The key that has to be in the certificate.
    spki: Element,
}

/// All that are to be ordered, and for whom.
pub(crate) struct Issuances {
    directory: Directory,
    /// Host and port as requests name them.
    host: String,
    signer: Signer,
    wishes: Vec<Wish>,
    /// Nonces that came with the last answers of issuances that are over.
    nonces: Mutex<Vec<String>>,
    /// Whether each begins with nothing in hand.
    is_cold: bool,
    is_unchecked: bool,
    /// What answers the server while it validates.
    _validated: JoinSet<()>,
}

impl Issuances {
    /// Opens an account, and makes all CSRs.
    pub(crate) async fn prepare(options: &Options, server: &Server, url: &Url, extent: Extent) -> anyhow::Result<Self> {
        let host = url.authority();
        let mut connection = server.connect().await?;
        let answer = talk::get(&mut connection, &url.path, &host).await?;
        let directory: Directory = talk::object(&answer, "the directory")?;
        let mut signer = Signer::new()?;
        let mut talk = Talk::new(&directory, &host, &signer, &mut connection, None);
        let answer = talk.post(&directory.new_account, payloads::terms().to_string().as_bytes(), 201).await?;
        let account = talk::location(&answer)?;
        connection.close().await;
        let validated = validated::answer(options.http01_port, options.dns_port, &signer.thumbprint()).await?;
        signer.is_called(account);
        Ok(Self {
            directory,
            host,
            signer,
            wishes: wishes(extent.count, if options.renew { extent.connections } else { extent.count })?,
            nonces: Mutex::default(),
            is_cold: extent.cold,
            is_unchecked: options.unchecked,
            _validated: validated,
        })
    }

    /// The issuance at `index`; the answer is the certificate.
    pub(crate) async fn perform(&self, index: usize, connection: &mut Connection) -> anyhow::Result<Response<Bytes>> {
        let wish = self.wishes.get(index).context("an order that was not planned")?;
        let nonce = if self.is_cold { None } else { self.nonces().pop() };
        let mut talk = Talk::new(&self.directory, &self.host, &self.signer, connection, nonce);
        let payload = payloads::identifiers(std::slice::from_ref(&wish.name)).to_string();
        let answer = talk.post(&self.directory.new_order, payload.as_bytes(), 201).await?;
        let place = talk::location(&answer)?;
        let order: Order = talk::object(&answer, "the order")?;
        // Authorizations that the account has already need no validation.
        if order.status == Status::Pending {
            for url in &order.authorizations {
                authorize(&mut talk, url).await?;
            }
        }
        let payload = payloads::csr_payload(&wish.csr).to_string();
        let answer = talk.post(&order.finalize, payload.as_bytes(), 200).await?;
        let mut order: Order = talk::object(&answer, "the order")?;
        while order.status == Status::Processing {
            talk::pause().await;
            order = talk.fetch(&place).await?;
        }
        let url = order.certificate.with_context(|| format!("an order that is {:?}", order.status))?;
        let answer = talk.post(&url, b"", 200).await?;
        self.nonces().extend(talk.nonce());
        if !self.is_unchecked {
            wish.check(answer.body())?;
        }
        Ok(answer)
    }

    fn nonces(&self) -> MutexGuard<'_, Vec<String>> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has one authorization validated, if it is not yet.
async fn authorize(talk: &mut Talk<'_>, url: &str) -> anyhow::Result<()> {
    let authorization: Authorization = talk.fetch(url).await?;
    if authorization.status == Status::Valid {
        return Ok(());
    }
    let challenge = authorization.challenges.iter().find(|challenge| challenge.kind == "http-01").context("no http-01")?;
    let answer = talk.post(&challenge.url, b"{}", 200).await?;
    let mut status = talk::object::<talk::Stands>(&answer, "the challenge")?.status;
    while matches!(status, Status::Pending | Status::Processing) {
        talk::pause().await;
        status = talk.fetch::<Authorization>(url).await?.status;
    }
    ensure!(status == Status::Valid, "an authorization of {} is {status:?}", authorization.identifier.value);
    Ok(())
}

/// `count` certificates, each with a key of its own, of so many names in turn.
fn wishes(count: usize, names: usize) -> anyhow::Result<Vec<Wish>> {
    let run = hex(&random::<6>()?);
    let wish = |index: usize| {
        let name = format!("{run}-{:07}.{DOMAIN}", index % names);
        let key = Key::p256();
        Ok(Wish { csr: payloads::wish(std::slice::from_ref(&name)).sign(&key)?, spki: key.spki()?, name })
    };
    (0..count).map(wish).collect()
}

impl Wish {
    /// Whether this is the certificate that was wished for, with those that certify it behind it.
    fn check(&self, content: &[u8]) -> anyhow::Result<()> {
        let chain = pem::decode(content).map_err(anyhow::Error::msg)?;
        let leaf = Certificate::parse(chain.first().context("no certificate")?)?;
        ensure!(leaf.spki == self.spki, "a certificate for another key");
        ensure!(leaf.dns_names() == std::slice::from_ref(&self.name), "a certificate of other names");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewals_have_the_same_names_and_other_keys() {
        let wishes = wishes(5, 2).unwrap();
        assert_eq!([&wishes[0].name, &wishes[1].name], [&wishes[2].name, &wishes[3].name]);
        assert_ne!(wishes[0].name, wishes[1].name);
        assert_ne!(wishes[0].spki, wishes[2].spki);
    }
}
