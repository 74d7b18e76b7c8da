//! Commands of the target, run with a time limit.

use std::{
    io::{ErrorKind, Read},
    process::{Child, Command, ExitStatus, Stdio},
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, anyhow, bail};

use crate::clock::Stopwatch;

/// How long a command may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How often a command that runs is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Runs a command and gives what it wrote to standard output.
///
/// # Errors
/// A command that does not start, takes longer than 30 seconds or fails; with what it wrote to standard error.
pub fn run(argv: &[String]) -> anyhow::Result<String> {
    let (output, status, complaint) = finish(argv, LIMIT)?.ok_or_else(|| anyhow!("there is no command {:?}", argv.first()))?;
    if !status.success() {
        let complaint: Vec<&str> = complaint.split_whitespace().collect();
        bail!("{}: {status}: {}", argv.join(" "), complaint.join(" "));
    }
    Ok(output)
}

/// A command that was begun.
#[derive(Debug)]
pub enum Running {
    /// It runs.
    Beside(JoinHandle<anyhow::Result<String>>),
    /// It has ended.
    Done(anyhow::Result<String>),
}

impl Running {
    /// Begins a command.
    #[must_use]
    pub fn start(argv: Vec<String>) -> Self {
        Self::Beside(std::thread::spawn(move || run(&argv)))
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match self {
            Self::Beside(thread) => thread.is_finished(),
            Self::Done(_) => true,
        }
    }

    /// Waits for its end, and gives what it wrote to standard output.
    ///
    /// # Errors
    /// As [`run`].
    pub fn finish(self) -> anyhow::Result<String> {
        match self {
            Self::Beside(thread) => thread.join().map_err(|_| anyhow!("the thread of a command panicked"))?,
            Self::Done(outcome) => outcome,
        }
    }
}

/// Runs a command to its end, good or bad: standard output, status and standard error. `None` when there is no such program.
///
/// # Errors
/// A command that does not start for another reason, or takes longer than `limit`.
pub fn finish(argv: &[String], limit: Duration) -> anyhow::Result<Option<(String, ExitStatus, String)>> {
    let (program, arguments) = argv.split_first().ok_or_else(|| anyhow!("an empty command"))?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.with_context(|| argv.join(" "))?,
    };
    let output = child.stdout.take().map(collect);
    let complaint = child.stderr.take().map(collect);
    let status = wait(&mut child, limit)?;
    let text = |reader: Option<JoinHandle<String>>| reader.and_then(|thread| thread.join().ok()).unwrap_or_default();
    match status {
        Some(status) => Ok(Some((text(output), status, text(complaint)))),
        None => bail!("{}: still runs after {} s", argv.join(" "), limit.as_secs()),
    }
}

/// Waits for the end; `None` when it had to be forced.
fn wait(child: &mut Child, limit: Duration) -> anyhow::Result<Option<ExitStatus>> {
    let watch = Stopwatch::start();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if watch.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut octets = Vec::new();
        let _ = stream.read_to_end(&mut octets);
        String::from_utf8_lossy(&octets).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(String::from).to_vec()
    }

    #[test]
    fn output_is_given_and_complaints_are_told() {
        assert_eq!(run(&shell("echo good; echo bad >&2")).expect("ran"), "good\n");
        let error = run(&shell("echo why >&2; exit 4")).expect_err("failed").to_string();
        assert!(error.contains("4") && error.ends_with("why"), "{error}");
        assert!(run(&["no-such-program-here".into()]).is_err());
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended() {
        let watch = Stopwatch::start();
        assert!(finish(&shell("exec sleep 20"), Duration::from_millis(100)).is_err());
        assert!(watch.elapsed() < Duration::from_secs(10));
    }
}
