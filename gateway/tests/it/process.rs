//! A gateway as a process, on free ports of the loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_certgate");

/// One that runs; it is killed when this is dropped.
pub(crate) struct Gateway {
    child: Child,
    pub(crate) data_dir: PathBuf,
    /// What it printed before it was ready.
    pub(crate) introduction: String,
}

/// `certgate` on a data directory, not started.
pub(crate) fn certgate(data_dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.arg("--data-dir").arg(data_dir).args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(data_dir: &Path, arguments: &[&str]) -> Output {
    certgate(data_dir, arguments).output().unwrap()
}

impl Gateway {
    /// Starts one on a new data directory with this `certgate.toml` in it.
    pub(crate) fn start_with(data_dir: &Path, config: &str) -> Self {
        Self::start_in(data_dir, config, &[])
    }

    /// Likewise, with these variables in its environment.
    pub(crate) fn start_in(data_dir: &Path, config: &str, variables: &[(&str, &str)]) -> Self {
        std::fs::create_dir(data_dir).unwrap();
        std::fs::write(data_dir.join("certgate.toml"), config).unwrap();
        Self::start_under(data_dir, variables)
    }

    /// Starts one and waits until it is ready.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::start_under(data_dir, &[])
    }

    fn start_under(data_dir: &Path, variables: &[(&str, &str)]) -> Self {
        let any = "127.0.0.1:0";
        let mut command = certgate(data_dir, &["serve", "--https", any, "--http", any, "--ops", any]);
        command.envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut introduction = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if line == "certgate ready" {
                return Self { child, data_dir: data_dir.to_owned(), introduction };
            }
            introduction.push_str(&line);
            introduction.push('\n');
        }
        panic!("ended before it was ready: {:?}", child.wait());
    }

    /// An administration command with JSON; its exit code, and what it printed on stdout or else on stderr.
    pub(crate) fn admin(&self, arguments: &[&str]) -> (i32, Value) {
        let output = run(&self.data_dir, &[&["--output", "json"], arguments].concat());
        let text = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
        let value = serde_json::from_slice(text).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(text)));
        (output.status.code().unwrap(), value)
    }

    pub(crate) fn run_json(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.data_dir.join("run.json")).unwrap()).unwrap()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Ends it as a service manager does; its exit code.
    pub(crate) fn stop(self) -> Option<i32> {
        self.signal("TERM");
        self.wait()
    }

    /// Waits for its end; its exit code.
    pub(crate) fn wait(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Waits for its end, 10 s at the most; its exit code.
    pub(crate) fn wait_briefly(mut self) -> Option<i32> {
        for _ in 0..100 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("it still runs");
    }

    /// Ends it as a lost machine would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status of a GET in the clear, and the whole answer.
pub(crate) fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}
