//! The shipped gateway as a process: started on free ports with a data directory of its own, asked
//! through its command line, stopped or killed.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    cargo, process,
    stopwatch::{Stopwatch, wait_until},
    tree,
};

/// The last line before the gateway serves.
const READY: &str = "certgate ready";
/// How long a start may take.
const START_LIMIT: Duration = Duration::from_secs(60);

/// `run.json`: where the gateway listens.
#[derive(Deserialize)]
pub(crate) struct RunInfo {
    /// Its process.
    pub(crate) pid: u32,
    /// HTTPS listeners, `ADDRESS:PORT`.
    pub(crate) https: Vec<String>,
    /// Listeners in the clear, likewise.
    pub(crate) http: Vec<String>,
    /// Listeners of health and metrics, likewise.
    pub(crate) ops: Vec<String>,
    /// The trust anchor.
    pub(crate) ca_pem: PathBuf,
}

/// A gateway that runs. Dropping it kills it.
pub(crate) struct Gateway {
    child: Child,
    data_dir: PathBuf,
    run: RunInfo,
    introduction: Vec<String>,
    ready_after: Duration,
}

impl Gateway {
    /// Starts the release binary on free ports of the loopback and waits until it is ready. `wrapper`
    /// is a command to start it under: `strace …`, `taskset …`.
    pub(crate) fn start(data_dir: &Path, wrapper: &[String]) -> Result<Self> {
        Self::start_configured(data_dir, wrapper, None)
    }

    /// Like [`Gateway::start`], with a configuration file.
    pub(crate) fn start_configured(data_dir: &Path, wrapper: &[String], config: Option<&Path>) -> Result<Self> {
        Self::start_on([0; 3], data_dir, wrapper, config)
    }

    /// Like [`Gateway::start_configured`], on these ports of the loopback: HTTPS, plain, health and metrics.
    pub(crate) fn start_on(ports: [u16; 3], data_dir: &Path, wrapper: &[String], config: Option<&Path>) -> Result<Self> {
        let mut command = serve(ports, data_dir, wrapper, config)?;
        let log_path = data_dir.with_extension("log");
        let log = File::options().create(true).append(true).open(&log_path)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().with_context(|| format!("cannot start `{}`", process::describe(&command)))?;
        let watch = Stopwatch::start();
        let introduction = match await_ready(child.stdout.take()) {
            Ok(lines) => lines,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                let said = process::tail(&tree::read(&log_path).unwrap_or_default(), 25);
                bail!("`{}`: {error:#}\n{said}", process::describe(&command));
            }
        };
        let ready_after = watch.elapsed();
        let run = serde_json::from_str(&tree::read(&data_dir.join("run.json"))?).context("run.json")?;
        Ok(Self { child, data_dir: data_dir.to_owned(), run, introduction, ready_after })
    }

    /// Its data directory.
    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Where it listens.
    pub(crate) fn run(&self) -> &RunInfo {
        &self.run
    }

    /// What it printed before it was ready.
    pub(crate) fn introduction(&self) -> &[String] {
        &self.introduction
    }

    /// How long it took from its start until it was ready.
    pub(crate) fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// The port of its first HTTPS listener.
    pub(crate) fn https_port(&self) -> Result<u16> {
        let first = self.run.https.first().context("run.json names no HTTPS listener")?;
        let port = first.rsplit(':').next().unwrap_or_default();
        port.parse().with_context(|| format!("no port in {first}"))
    }

    /// URL of the default EST endpoint, by address.
    pub(crate) fn est_url(&self) -> Result<String> {
        Ok(format!("https://127.0.0.1:{}/.well-known/est", self.https_port()?))
    }

    /// URL of its first listener in the clear.
    pub(crate) fn http_url(&self) -> Result<String> {
        Ok(format!("http://{}", self.run.http.first().context("run.json names no listener in the clear")?))
    }

    /// Runs an administration command and returns its JSON.
    pub(crate) fn admin(&self, arguments: &[&str]) -> Result<Value> {
        let mut command = process::limited(60, cargo::release_binary("certgate")?);
        command.arg("--data-dir").arg(&self.data_dir).args(["--output", "json"]).args(arguments);
        let text = process::stdout(&mut command)?;
        serde_json::from_str(&text).with_context(|| format!("`{}` printed no JSON", process::describe(&command)))
    }

    /// Adds an EST user that may enroll its own name; returns the password.
    pub(crate) fn add_user(&self, name: &str) -> Result<String> {
        self.add_user_at(name, "default")
    }

    /// The same at another endpoint.
    pub(crate) fn add_user_at(&self, name: &str, endpoint: &str) -> Result<String> {
        let answer = self.admin(&["est", "user", "add", name, "--endpoint", endpoint])?;
        Ok(answer["password"].as_str().context("`est user add` named no password")?.to_owned())
    }

    /// Ends it as a service manager does, and waits. It ends well or it is an error.
    pub(crate) fn stop(mut self) -> Result<()> {
        // Another process than at first, if somebody has restarted it.
        let run = tree::read(&self.data_dir.join("run.json"))?;
        let run: RunInfo = serde_json::from_str(&run).context("run.json")?;
        process::signal("TERM", run.pid)?;
        let child = &mut self.child;
        if !wait_until(Duration::from_secs(30), || !matches!(child.try_wait(), Ok(None))) {
            bail!("the gateway did not end within 30 s of SIGTERM");
        }
        let status = child.wait()?;
        ensure!(status.success(), "after SIGTERM the gateway ended with {status}");
        Ok(())
    }

    /// Ends it at once, as a lost machine would: SIGKILL.
    pub(crate) fn kill(mut self) -> Result<()> {
        process::signal("KILL", self.run.pid)?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = process::signal("KILL", self.run.pid);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// `[validation]` of a gateway that validates against this machine.
pub(crate) fn validating_here(http01_port: u16, dns_port: u16) -> String {
    format!(
        "[validation]\nhttp01_port = {http01_port}\nresolver = \"127.0.0.1:{dns_port}\"\nallow_networks = [\"127.0.0.0/8\"]\n"
    )
}

/// The command that serves on these ports of the loopback, of which 0 is any that is free.
fn serve(ports: [u16; 3], data_dir: &Path, wrapper: &[String], config: Option<&Path>) -> Result<Command> {
    let binary = cargo::release_binary("certgate")?;
    let mut command = match wrapper.split_first() {
        Some((program, arguments)) => {
            let mut command = Command::new(program);
            command.args(arguments).arg(&binary);
            command
        }
        None => Command::new(&binary),
    };
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    let [https, http, ops] = ports.map(|port| format!("127.0.0.1:{port}"));
    command.arg("--data-dir").arg(data_dir).args(["serve", "--https", &https, "--http", &http, "--ops", &ops]);
    Ok(command)
}

/// The lines before the ready line.
fn await_ready(stdout: Option<ChildStdout>) -> Result<Vec<String>> {
    let lines = follow(stdout.context("no stdout")?);
    let watch = Stopwatch::start();
    let mut before = Vec::new();
    loop {
        let left = START_LIMIT.saturating_sub(watch.elapsed());
        match lines.recv_timeout(left) {
            Ok(line) if line == READY => return Ok(before),
            Ok(line) => before.push(line),
            Err(_) if watch.elapsed() >= START_LIMIT => bail!("not ready within {} s", START_LIMIT.as_secs()),
            Err(_) => bail!("ended before it was ready"),
        }
    }
}

/// Reads lines on a thread of its own to the end of the pipe, so that the process never blocks on it.
fn follow(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}
