//! The system calls of one enrollment: the ledger's log is written, then synced, then the answer is sent.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::trace::{self, Call};
use crate::{device::Device, gateway::Gateway, process, report::Outcome, tree};

/// The calls that are traced: what makes a file durable, and what sends.
const TRACED: &str = "trace=fdatasync,fsync,pwrite64,write,writev,sendto,sendmsg";
/// Octets that no TLS alert or session ticket has, and every answer.
const ANSWER_OCTETS: i64 = 400;

/// The issuing certificates, then an enrollment, over one connection.
const REQUESTS: &str = r#"
curl --silent --show-error --fail --cacert "$ROOT" --output cacerts.b64 "$EST/cacerts" \
  --next --silent --show-error --fail --cacert "$ROOT" --netrc-file netrc --header 'Content-Type: application/pkcs10' \
  --data-binary @csr.b64 --output answer.b64 "$EST/simpleenroll"
"#;

/// Traces a gateway and judges the order.
pub(super) fn check() -> Result<Outcome> {
    if !process::found("strace") {
        return Ok(Outcome::Skipped("strace is not installed".to_owned()));
    }
    if trace::is_forbidden(&[]) {
        return Ok(trace::forbidden());
    }
    let work = tempfile::tempdir()?;
    let (port, text) = traced_enrollment(work.path())?;
    judge(&trace::calls(&text), port)?;
    Ok(Outcome::Passed)
}

/// Runs the gateway under strace for one enrollment; returns its port and the trace.
fn traced_enrollment(work: &Path) -> Result<(u16, String)> {
    let log = work.join("trace.txt");
    let wrapper = ["strace", "-f", "-yy", "-s", "0", "-e", TRACED, "-o"].map(str::to_owned);
    let wrapper = [&wrapper[..], &[log.to_string_lossy().into_owned()]].concat();
    let gateway = Gateway::start(&work.join("data"), &wrapper)?;
    let mut device = Device::new(&gateway, work, "synced.example.com")?;
    device.request("ec -pkeyopt ec_paramgen_curve:P-256")?;
    device.script(REQUESTS, &[])?;
    let port = gateway.https_port()?;
    gateway.stop()?;
    Ok((port, tree::read(&log)?))
}

/// The last answer was sent after a sync that was begun after the last write to the ledger's log.
fn judge(calls: &[Call], port: u16) -> Result<()> {
    let socket = format!("TCP:[127.0.0.1:{port}->");
    let sent: Vec<&Call> =
        calls.iter().filter(|call| call.target.starts_with(&socket) && call.result >= ANSWER_OCTETS).collect();
    let [.., before, answer] = sent[..] else { anyhow::bail!("the trace has {} answers, not two", sent.len()) };
    let log = |call: &&Call| call.target.contains("ledger.db-wal");
    let between = calls.iter().filter(|call| call.began > before.ended && call.began < answer.began);
    let written = between.filter(log).rfind(|call| call.name == "pwrite64" || call.name == "write");
    let written = written.context("nothing was written to the ledger's log before the answer")?;
    let is_sync = |call: &&Call| (call.name == "fdatasync" || call.name == "fsync") && call.result == 0;
    let synced = calls.iter().filter(log).filter(is_sync).any(|call| call.began > written.ended && call.ended < answer.began);
    ensure!(
        synced,
        "no sync of the ledger's log ended between its last write (line {}) and the answer (line {})",
        written.ended + 1,
        answer.began + 1
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{judge, trace};

    const CACERTS: &str = "7 sendto(9<TCP:[127.0.0.1:4->127.0.0.1:5]>, \"\"..., 900, MSG_NOSIGNAL, NULL, 0) = 900\n";
    const WRITTEN: &str = "8 pwrite64(5</d/ledger.db-wal>, \"\"..., 4096, 56) = 4096\n";
    const SYNC: &str = "8 fdatasync(5</d/ledger.db-wal>) = 0\n";
    const SYNC_BEGINS: &str = "8 fdatasync(5</d/ledger.db-wal> <unfinished ...>\n";
    const SYNC_ENDS: &str = "8 <... fdatasync resumed>) = 0\n";
    const OTHER_SYNC: &str = "8 fdatasync(6</d/ledger.db>) = 0\n";
    const TICKET: &str = "7 sendto(9<TCP:[127.0.0.1:4->127.0.0.1:5]>, \"\"..., 24, MSG_NOSIGNAL, NULL, 0) = 24\n";

    #[test]
    fn a_sync_must_end_before_the_answer_begins() {
        for (between, fine) in [
            (vec![WRITTEN, SYNC], true),
            (vec![WRITTEN, SYNC_BEGINS, TICKET, SYNC_ENDS], true),
            (vec![WRITTEN, SYNC, WRITTEN], false),
            (vec![WRITTEN, SYNC_BEGINS], false),
            (vec![WRITTEN, OTHER_SYNC], false),
            (vec![SYNC], false),
            (vec![WRITTEN], false),
        ] {
            let text = [CACERTS, &between.concat(), CACERTS, SYNC_ENDS, TICKET].concat();
            assert_eq!(judge(&trace::calls(&text), 4).is_ok(), fine, "{text}");
        }
    }
}
