//! Drives a server over several connections, each with one request in flight, and measures its CPU time meanwhile.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::ensure;
use bytes::Bytes;
use certgate_conformance::{clock::Stopwatch, target::Url};
use hyper::Response;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::{
    client::{Connection, Server},
    cpu::CpuClock,
    exchange::Recorder,
    head,
    plan::{Extent, Job, Plan},
};

/// Where the load goes and how much of it.
#[derive(clap::Args)]
#[group(id = "load")]
pub(crate) struct Options {
    /// Where: of EST `https://HOST:PORT/.well-known/est`, of ACME `https://HOST:PORT/acme/ENDPOINT/directory`, of SCEP
    /// `http://HOST:PORT/scep/ENDPOINT`, of OCSP `http://HOST:PORT/ocsp/AUTHORITY`
    #[arg(long)]
    pub(crate) url: Url,
    /// PEM trust anchors, for https
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// Connections, each with one request in flight
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Requests that count; of ACME, certificates
    #[arg(long, default_value_t = 5000)]
    requests: usize,
    /// Requests before those
    #[arg(long, default_value_t = 500)]
    warm_up: usize,
    /// A new connection for each request, or certificate of ACME, over TLS with a full handshake
    #[arg(long)]
    cold: bool,
    /// The server's process: its CPU time is measured
    #[arg(long)]
    server_pid: Option<i32>,
    /// Where the content of one answer is written
    #[arg(long)]
    save: Option<PathBuf>,
    /// Where its status and its header fields are written, as raw-server takes them
    #[arg(long)]
    save_head: Option<PathBuf>,
    /// Where the last answer at each path is written, as raw-server takes them by --exchange
    #[arg(long)]
    record: Option<PathBuf>,
}

impl Options {
    /// How many requests there will be.
    pub(crate) const fn answers(&self) -> usize {
        self.requests + self.warm_up
    }

    /// Writes an answer where it was asked for.
    fn keep(&self, answer: &Response<Bytes>) -> anyhow::Result<()> {
        if let Some(path) = &self.save {
            std::fs::write(path, answer.body())?;
        }
        if let Some(path) = &self.save_head {
            std::fs::write(path, head::write(answer.status(), answer.headers()))?;
        }
        Ok(())
    }
}

/// What was measured.
#[derive(Serialize)]
pub(crate) struct Measurement {
    requests: usize,
    /// Requests of HTTP that were sent for those.
    exchanges: usize,
    errors: usize,
    /// What was wrong with the first answer that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_error: Option<String>,
    wall_seconds: f64,
    /// CPU time of the server's process while the requests ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_cpu_ns: Option<u64>,
    /// Microseconds until the answer, at the median and so on.
    p50_us: u64,
    p90_us: u64,
    p99_us: u64,
    max_us: u64,
    /// Octets of one answer's content.
    response_bytes: usize,
}

/// Runs the load on one thread.
pub(crate) fn run(options: &Options, plan: Plan) -> anyhow::Result<Measurement> {
    ensure!(options.connections > 0 && options.requests > 0, "nothing to do");
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(drive(options, plan))
}

async fn drive(options: &Options, plan: Plan) -> anyhow::Result<Measurement> {
    let mut server = Server::new(&options.url, options.ca_file.as_deref()).await?;
    let recorder = options.record.as_ref().map(|_| Arc::<Recorder>::default());
    if let Some(recorder) = &recorder {
        server.record(Arc::clone(recorder));
    }
    let extent = Extent { connections: options.connections, count: options.answers(), cold: options.cold };
    let job = plan.prepare(&server, &options.url, extent).await?;
    let measured = measure(options, server, job).await?;
    if let Some((recorder, path)) = recorder.zip(options.record.as_deref()) {
        recorder.write(path)?;
    }
    Ok(measured)
}

async fn measure(options: &Options, server: Server, job: Job) -> anyhow::Result<Measurement> {
    let clock = options.server_pid.map(CpuClock::of).transpose()?;
    let run = Arc::new(Run { server, job, cold: options.cold, next: AtomicUsize::new(0) });
    let mut kept = Vec::new();
    for _ in 0..options.connections {
        kept.push(if options.cold { None } else { Some(run.server.connect().await?) });
    }
    let _awake = stay_awake();
    let (kept, _) = run.pass(kept, options.warm_up).await?;
    let cpu = || clock.map(CpuClock::nanoseconds).transpose();
    let asked = run.server.asked();
    let (watch, before) = (Stopwatch::start(), cpu()?);
    let (kept, mut tally) = run.pass(kept, options.answers()).await?;
    let (wall, after) = (watch.elapsed(), cpu()?);
    drop(kept);
    if let Some(answer) = &tally.answer {
        options.keep(answer)?;
    }
    tally.nanoseconds.sort_unstable();
    Ok(Measurement {
        requests: tally.nanoseconds.len(),
        exchanges: run.server.asked() - asked,
        errors: tally.errors.len(),
        first_error: tally.errors.first().cloned(),
        wall_seconds: wall.as_secs_f64(),
        server_cpu_ns: after.zip(before).map(|(after, before)| after.saturating_sub(before)),
        p50_us: tally.percentile(50),
        p90_us: tally.percentile(90),
        p99_us: tally.percentile(99),
        max_us: tally.percentile(100),
        response_bytes: tally.answer.map_or(0, |answer| answer.body().len()),
    })
}

/// Has this thread poll its sockets without a rest until what this returns is dropped. Whoever writes to one that sleeps has to wake it,
/// which over the loopback is CPU time of the server, and more of it the slower the server is; a client on another machine costs none.
fn stay_awake() -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    tasks
}

/// What the connections of a run share.
struct Run {
    server: Server,
    job: Job,
    cold: bool,
    /// The next request that nobody has taken.
    next: AtomicUsize,
}

/// A connection between two requests; none where each request has its own.
type Kept = Option<Connection>;

impl Run {
    /// Sends requests up to the one at `end` over all connections at once.
    async fn pass(self: &Arc<Self>, connections: Vec<Kept>, end: usize) -> anyhow::Result<(Vec<Kept>, Tally)> {
        let mut tasks = JoinSet::new();
        for connection in connections {
            tasks.spawn(Arc::clone(self).follow(connection, end));
        }
        let (mut kept, mut sum) = (Vec::new(), Tally::default());
        while let Some(ended) = tasks.join_next().await {
            let (connection, tally) = ended??;
            kept.push(connection);
            sum.add(tally);
        }
        self.next.store(end, Ordering::Relaxed);
        Ok((kept, sum))
    }

    /// Sends over one connection, one request after the other. A connection that fails is made anew.
    async fn follow(self: Arc<Self>, mut connection: Kept, end: usize) -> anyhow::Result<(Kept, Tally)> {
        let mut tally = Tally::default();
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= end {
                return Ok((connection, tally));
            }
            let watch = Stopwatch::start();
            let mut used = match connection.take() {
                Some(kept) => kept,
                None => self.server.connect().await?,
            };
            match self.job.perform(index, &mut used).await {
                Ok(answer) => {
                    tally.nanoseconds.push(watch.elapsed().as_nanos());
                    tally.answer = Some(answer);
                    if self.cold {
                        used.close().await;
                    } else {
                        connection = Some(used);
                    }
                }
                Err(error) => tally.errors.push(format!("{error:#}")),
            }
        }
    }
}

/// How the requests of one connection went.
#[derive(Default)]
struct Tally {
    /// Until each right answer.
    nanoseconds: Vec<u128>,
    /// What was wrong with the others.
    errors: Vec<String>,
    /// A right answer.
    answer: Option<Response<Bytes>>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.nanoseconds.extend(other.nanoseconds);
        self.errors.extend(other.errors);
        self.answer = self.answer.take().or(other.answer);
    }

    /// Of sorted times: the one that `percent` of them do not pass, in microseconds.
    fn percentile(&self, percent: usize) -> u64 {
        let rank = (self.nanoseconds.len() * percent).div_ceil(100).saturating_sub(1);
        self.nanoseconds.get(rank).map_or(0, |time| u64::try_from(time / 1000).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let tally = Tally { nanoseconds: (1..=200).map(|time| time * 1000).collect(), ..Tally::default() };
        assert_eq!([1, 50, 99, 100].map(|percent| tally.percentile(percent)), [2, 100, 198, 200]);
        assert_eq!(Tally::default().percentile(50), 0);
    }
}
