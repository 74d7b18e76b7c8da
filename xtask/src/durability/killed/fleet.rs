//! Devices that enroll again and again, each over one connection that it keeps, until nobody answers.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{device::Device, gateway::Gateway};

/// How many devices enroll at once.
const DEVICES: usize = 4;
/// How long the gateway may take for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes `$COUNT` CSRs: no two are the same octets.
const REQUESTS: &str = r#"
set +x
i=0
while [ $i -lt $COUNT ]; do
  openssl req -new -key key.pem -outform DER -subj "/CN=$NAME" -addext "subjectAltName=DNS:$NAME" | openssl base64 -A > csr-$i
  i=$((i + 1))
done
"#;

/// The devices.
pub(super) struct Fleet(Vec<Device>);

impl Fleet {
    /// Adds their users and makes a key for each.
    pub(super) fn new(gateway: &Gateway, work: &Path) -> Result<Self> {
        let made = (0..DEVICES).map(|number| {
            let mut device = Device::new(gateway, work, &format!("fleet-{number}.example.com"))?;
            device.request("ec -pkeyopt ec_paramgen_curve:P-256")?;
            Ok(device)
        });
        made.collect::<Result<_>>().map(Self)
    }

    /// Makes CSRs for half as many answers again, so that requests are under way when the last one comes.
    pub(super) fn make_requests(&self, answers: usize) -> Result<()> {
        let count = requests_each(answers).to_string();
        std::thread::scope(|scope| {
            let makers: Vec<_> = self.0.iter().map(|device| scope.spawn(|| make_requests(device, &count))).collect();
            makers.into_iter().try_for_each(|maker| maker.join().unwrap_or_else(|_| bail!("a thread panicked")))
        })
    }

    /// Starts a curl for each device.
    pub(super) fn enroll(&self, gateway: &Gateway) -> Result<Burst> {
        let (sender, answers) = channel();
        let mut burst = Burst { curls: Vec::new(), answers, received: Vec::new() };
        for device in &self.0 {
            let transfers = device.folder().join("transfers");
            std::fs::write(&transfers, describe_transfers(device, gateway)?)?;
            let mut command = Command::new("curl");
            command.args(["--silent", "--fail-early", "--config"]).arg(transfers).current_dir(device.folder());
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
            burst.start(command, sender.clone())?;
        }
        Ok(burst)
    }
}

fn requests_each(answers: usize) -> usize {
    10 + answers * 3 / 2 / DEVICES
}

fn make_requests(device: &Device, count: &str) -> Result<()> {
    let old = std::fs::read_dir(device.folder())?;
    for file in old.filter_map(Result::ok).filter(|file| file.file_name().to_string_lossy().starts_with("csr-")) {
        std::fs::remove_file(file.path())?;
    }
    device.script(REQUESTS, &[("COUNT", count.as_ref())]).map(drop)
}

/// One transfer for each CSR of the device, as curl's `--config` reads them. What comes is told on stderr,
/// since that is not buffered.
fn describe_transfers(device: &Device, gateway: &Gateway) -> Result<String> {
    let (root, est, pid) = (gateway.run().ca_pem.display(), gateway.est_url()?, gateway.run().pid);
    let mut text = String::new();
    let mut number = 0;
    while device.folder().join(format!("csr-{number}")).exists() {
        let separator = if number == 0 { "" } else { "next\n" };
        write!(
            text,
            "{separator}url = \"{est}/simpleenroll\"\ncacert = \"{root}\"\nnetrc-file = \"netrc\"\n\
             header = \"Content-Type: application/pkcs10\"\ndata-binary = \"@csr-{number}\"\n\
             output = \"answer-{pid}-{number}\"\nwrite-out = \"%{{stderr}}%{{exitcode}} %{{http_code}} %{{filename_effective}}\\n\"\n"
        )?;
        number += 1;
    }
    Ok(text)
}

/// Enrollments under way.
pub(super) struct Burst {
    curls: Vec<Child>,
    answers: Receiver<Result<PathBuf>>,
    received: Vec<PathBuf>,
}

impl Burst {
    fn start(&mut self, mut command: Command, sender: Sender<Result<PathBuf>>) -> Result<()> {
        let folder = command.get_current_dir().unwrap_or(Path::new(".")).to_owned();
        let mut curl = command.spawn().context("cannot start curl")?;
        let told = curl.stderr.take().context("no stderr")?;
        self.curls.push(curl);
        std::thread::spawn(move || {
            for line in BufReader::new(told).lines().map_while(Result::ok) {
                if let Some(answer) = read_line(&line, &folder) {
                    let _ = sender.send(answer);
                }
            }
        });
        Ok(())
    }

    /// Waits until so many answers have come.
    pub(super) fn wait_for(&mut self, count: usize) -> Result<()> {
        while self.received.len() < count {
            let next = self.answers.recv_timeout(PATIENCE);
            self.received.push(next.with_context(|| format!("only {} answers came", self.received.len()))??);
        }
        Ok(())
    }

    /// Waits until every device has given up; returns all answers.
    pub(super) fn finish(mut self) -> Result<Vec<PathBuf>> {
        let last: Vec<PathBuf> = self.answers.iter().collect::<Result<_>>()?;
        self.received.extend(last);
        Ok(std::mem::take(&mut self.received))
    }
}

impl Drop for Burst {
    fn drop(&mut self) {
        for curl in &mut self.curls {
            let _ = curl.kill();
            let _ = curl.wait();
        }
    }
}

/// An answer that came whole, or what the gateway said instead; `None` for one that never came.
fn read_line(line: &str, folder: &Path) -> Option<Result<PathBuf>> {
    let mut words = line.splitn(3, ' ');
    let (exit, status, file) = (words.next()?, words.next()?, words.next()?);
    if exit != "0" {
        return None;
    }
    let path = folder.join(file);
    if status == "200" {
        return Some(Ok(path));
    }
    let said = std::fs::read_to_string(&path).unwrap_or_default();
    Some(Err(anyhow::anyhow!("enrollment was answered with {status}: {said}")))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::read_line;

    #[test]
    fn only_a_whole_answer_counts() {
        let folder = Path::new("/f");
        assert_eq!(read_line("0 200 answer-1-0", folder).unwrap().unwrap(), Path::new("/f/answer-1-0"));
        assert!(read_line("56 200 answer-1-1", folder).is_none());
        assert!(read_line("7 000 answer-1-2", folder).is_none());
        assert!(read_line("0 503 answer-1-3", folder).unwrap().is_err());
    }
}
