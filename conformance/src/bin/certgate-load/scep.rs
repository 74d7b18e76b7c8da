//! PKCSReqs (RFC 8894 §3.3.1), made before the clock starts, and what an answer to each must be.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use bytes::Bytes;
use certgate_conformance::{
    clock,
    scep::requests::{Asked, Requester},
    target::Url,
};
use http_body_util::Full;
use hyper::{Request, StatusCode, header::HOST};

use crate::{
    client::Server,
    secret,
    work::{self, Work},
};

/// Devices that ask in turn: RSA keys take long to make.
const DEVICES: usize = 8;

/// How certificates are asked for.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// File of a challenge that is good for all of the requests, whatever name they have
    #[arg(long)]
    challenge_file: PathBuf,
    /// Take any answer: a raw server gives the same always
    #[arg(long)]
    unchecked: bool,
}

/// Requests of several devices in turn.
pub(crate) struct Messages {
    devices: Vec<Requester>,
    asked: Vec<Asked>,
    is_unchecked: bool,
}

/// `count` requests to the CA at `url`, which is asked for its certificates first.
pub(crate) async fn messages(options: &Options, server: &Server, url: &Url, count: usize) -> anyhow::Result<Work> {
    let target = format!("{}?operation=GetCACert", url.path);
    let request = Request::get(target).header(HOST, url.authority()).body(Full::<Bytes>::default())?;
    let mut connection = server.connect().await?;
    let answer = connection.ask(request).await?;
    connection.close().await;
    ensure!(answer.status() == StatusCode::OK, "GetCACert: status {}", answer.status());
    let (challenge, now) = (secret(&options.challenge_file)?, clock::unix_now());
    let device = |number| Requester::new(&format!("device-{number}.bench.example"), &challenge, (url, answer.body()), now);
    let devices = (0..DEVICES).map(device).collect::<anyhow::Result<Vec<_>>>()?;
    let asked = devices.iter().cycle().take(count).map(Requester::ask).collect::<anyhow::Result<_>>()?;
    Ok(work::messages(url, Messages { devices, asked, is_unchecked: options.unchecked }))
}

impl Messages {
    /// The message at `index`.
    pub(crate) fn der(&self, index: usize) -> anyhow::Result<Bytes> {
        Ok(self.asked(index)?.der.clone().into())
    }

    /// Whether this grants the request at `index`.
    pub(crate) fn check(&self, index: usize, answer: &[u8]) -> anyhow::Result<()> {
        if self.is_unchecked {
            return Ok(());
        }
        let device = self.devices.get(index % DEVICES).context("no device")?;
        device.check(self.asked(index)?, answer)
    }

    fn asked(&self, index: usize) -> anyhow::Result<&Asked> {
        self.asked.get(index).context("a request that was not made")
    }
}
