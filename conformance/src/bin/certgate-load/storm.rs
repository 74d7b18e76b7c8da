//! A storm of wrong passwords, and how a device that renews its certificate fares meanwhile.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use anyhow::ensure;
use certgate_conformance::{clock::Stopwatch, target::Url};
use serde::Serialize;
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    client::{Connection, Server},
    work::{self, Work},
};

/// Who storms and who renews.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Base URL of the endpoint: `https://HOST:PORT/.well-known/est`
    #[arg(long)]
    url: Url,
    /// PEM trust anchors
    #[arg(long)]
    ca_file: PathBuf,
    /// The user whose password is guessed, one that a person chose
    #[arg(long)]
    victim: String,
    /// Guesses, all at the same time
    #[arg(long, default_value_t = 1000)]
    guesses: usize,
    /// Common name of the device that renews
    #[arg(long)]
    device: String,
    /// Its certificate, PEM
    #[arg(long)]
    certificate: PathBuf,
    /// Its key, PEM
    #[arg(long)]
    key: PathBuf,
    /// Renewals before the storm, and at the most so many while it lasts
    #[arg(long, default_value_t = 200)]
    renewals: usize,
}

/// What was measured.
#[derive(Serialize)]
pub(crate) struct Measurement {
    /// Median and 99th percentile of a renewal in microseconds, before.
    calm_p50_us: u64,
    calm_p99_us: u64,
    /// The same while guesses were waiting.
    storm_p50_us: u64,
    storm_p99_us: u64,
    /// How many renewals those were: each was done before the last guess was answered.
    renewals: usize,
    /// Guesses by the status of their answer.
    answers: BTreeMap<u16, usize>,
}

/// Runs it, client and all, on one thread.
pub(crate) fn run(options: &Options) -> anyhow::Result<Measurement> {
    ensure!(options.guesses > 0 && options.renewals > 0, "nothing to do");
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(drive(options))
}

async fn drive(options: &Options) -> anyhow::Result<Measurement> {
    let identity = Some((options.certificate.as_path(), options.key.as_path()));
    let holder = Server::with_identity(&options.url, &options.ca_file, identity).await?;
    let renewals = work::renewals(&options.url, &options.device, 2 * options.renewals)?;
    let mut connection = holder.connect().await?;
    let calm = renew(&mut connection, &renewals, 0..options.renewals).await?;
    // Every guesser is connected before the first guess is sent: what is measured are guesses, not handshakes.
    let stranger = Server::new(&options.url, Some(&options.ca_file)).await?;
    let guesses = Arc::new(work::enrollments(&options.url, &options.victim, "not the password", 1)?);
    let start = Arc::new(Barrier::new(options.guesses + 1));
    let mut storm = JoinSet::new();
    for _ in 0..options.guesses {
        storm.spawn(guess(stranger.connect().await?, Arc::clone(&guesses), Arc::clone(&start)));
    }
    start.wait().await;
    let (mut answers, mut during) = (BTreeMap::new(), Vec::new());
    let mut count = |status: anyhow::Result<u16>| -> anyhow::Result<()> {
        *answers.entry(status?).or_default() += 1;
        Ok(())
    };
    for index in options.renewals..2 * options.renewals {
        let took = renew(&mut connection, &renewals, index..index + 1).await?;
        while let Some(answered) = storm.try_join_next() {
            count(answered?)?;
        }
        if storm.is_empty() {
            break;
        }
        during.extend(took);
    }
    during.sort_unstable();
    while let Some(answered) = storm.join_next().await {
        count(answered?)?;
    }
    let [calm_p50_us, calm_p99_us] = [50, 99].map(|percent| percentile(&calm, percent));
    let [storm_p50_us, storm_p99_us] = [50, 99].map(|percent| percentile(&during, percent));
    Ok(Measurement { calm_p50_us, calm_p99_us, storm_p50_us, storm_p99_us, renewals: during.len(), answers })
}

/// One guess; the status of its answer.
async fn guess(mut connection: Connection, guesses: Arc<Work>, start: Arc<Barrier>) -> anyhow::Result<u16> {
    start.wait().await;
    Ok(connection.ask(guesses.request(0)?).await?.status().as_u16())
}

/// Renews again and again over one connection; the microseconds that each took, sorted.
async fn renew(connection: &mut Connection, work: &Work, range: std::ops::Range<usize>) -> anyhow::Result<Vec<u64>> {
    let mut times = Vec::with_capacity(range.len());
    for index in range {
        let watch = Stopwatch::start();
        work.check(index, &connection.ask(work.request(index)?).await?)?;
        times.push(u64::try_from(watch.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    times.sort_unstable();
    Ok(times)
}

/// Of sorted times: the one that `percent` of them do not pass.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default()
}
