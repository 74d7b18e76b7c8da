//! Running commands. A failure quotes the command and the end of what it wrote to stderr.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::tree;

/// Debian's Python: packages of Debian are there, and in no other.
pub(crate) const PYTHON: &str = "/usr/bin/python3";
/// `sysconf(_SC_CLK_TCK)` of every Linux: the unit of CPU time in `/proc`.
const TICK: Duration = Duration::from_millis(10);
/// How long a script may take.
const SCRIPT_SECONDS: u32 = 120;

/// A command that is ended after `seconds`: for clients that may hang on an answer.
pub(crate) fn limited(seconds: u32, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("timeout");
    command.arg("--kill-after=5").arg(seconds.to_string()).arg(program);
    command
}

/// Runs to the end and wants success.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    let output = attempt(command)?;
    if output.status.success() {
        return Ok(output);
    }
    bail!("{}", complaint(command, &output))
}

/// Runs to the end, whatever the outcome; stdin is empty.
pub(crate) fn attempt(command: &mut Command) -> Result<Output> {
    command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{}`", describe(command)))
}

/// Runs to the end, wants success and UTF-8 on stdout.
pub(crate) fn stdout(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed no UTF-8", describe(command)))
}

/// Runs to the end, passes stdout on line by line, and keeps it. True is success.
pub(crate) fn stream(command: &mut Command) -> Result<(bool, String)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", describe(command)))?;
    let mut kept = String::new();
    if let Some(pipe) = child.stdout.take() {
        for line in BufReader::new(pipe).lines() {
            let line = line?;
            println!("{line}");
            kept.push_str(&line);
            kept.push('\n');
        }
    }
    Ok((child.wait()?.success(), kept))
}

/// Runs a shell script in `folder` to its first failing command and wants success. Every command is
/// traced, so that the complaint ends with the one that failed.
pub(crate) fn script(folder: &Path, text: &str, environment: &[(&str, &OsStr)]) -> Result<String> {
    let mut command = limited(SCRIPT_SECONDS, "sh");
    command.args(["-e", "-u", "-x", "-c", text]).current_dir(folder).envs(environment.iter().copied());
    let output = attempt(&mut command)?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let printed = String::from_utf8_lossy(&output.stdout);
        let last = said.lines().last().unwrap_or_default();
        bail!("{last} ({})\n{}\n{}", output.status, tail(&printed, 20), tail(&said, 20));
    }
    String::from_utf8(output.stdout).context("the script printed no UTF-8")
}

/// Runs with stdout and stderr passed through and wants success.
pub(crate) fn pass_through(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot start `{}`", describe(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", describe(command));
    }
    Ok(())
}

/// True if the shell finds the program.
pub(crate) fn found(program: &str) -> bool {
    succeeds(Command::new("sh").args(["-c", "command -v \"$0\"", program]))
}

/// True if the command can be started and succeeds; what it prints is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    attempt(command).is_ok_and(|output| output.status.success())
}

/// The command as a person would type it. Arguments are shown as they are.
pub(crate) fn describe(command: &Command) -> String {
    let name = Path::new(command.get_program());
    let mut words = vec![name.to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Why a command failed: itself, its status, and the end of its output.
pub(crate) fn complaint(command: &Command, output: &Output) -> String {
    let said = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    format!("`{}` failed: {}\n{}", describe(command), output.status, tail(&String::from_utf8_lossy(said), 25))
}

/// The last `count` lines.
pub(crate) fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// Sends a signal by name to a process that this task started.
pub(crate) fn signal(name: &str, pid: u32) -> Result<()> {
    output(Command::new("kill").arg(format!("-{name}")).arg(pid.to_string())).map(drop)
}

/// CPU time of a process so far, user and system, also of one that has ended and was not waited for.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = tree::read(Path::new(&format!("/proc/{pid}/stat")))?;
    // The name in parentheses may have blanks; utime and stime are the 12th and 13th field behind it.
    let (_, fields) = stat.rsplit_once(") ").context("/proc/PID/stat")?;
    let times = fields.split(' ').skip(11).take(2).map(str::parse::<u32>).collect::<Result<Vec<_>, _>>()?;
    Ok(TICK * times.iter().sum::<u32>())
}
