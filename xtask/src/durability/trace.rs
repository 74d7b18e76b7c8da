//! What `strace -f -yy` writes: one line a call, or two when another thread comes between.

use std::collections::BTreeMap;
use std::process::Command;

use crate::{process, report::Outcome};

/// May nothing be traced here, by these options of strace?
pub(super) fn is_forbidden(options: &[&str]) -> bool {
    !process::succeeds(Command::new("strace").args(options).args(["-o", "/dev/null", "true"]))
}

/// What comes of it then.
pub(super) fn forbidden() -> Outcome {
    Outcome::Skipped("tracing is forbidden here".to_owned())
}

/// A system call on a file descriptor.
#[derive(Debug, PartialEq)]
pub(super) struct Call {
    /// `fdatasync`.
    pub(super) name: String,
    /// What the descriptor is: a path, or `TCP:[…]`.
    pub(super) target: String,
    /// What it returned; -1 for an error.
    pub(super) result: i64,
    /// Line on which it began, from 0.
    pub(super) began: usize,
    /// Line on which it ended.
    pub(super) ended: usize,
}

/// The calls that ended, in the order of their ends.
pub(super) fn calls(text: &str) -> Vec<Call> {
    let mut open: BTreeMap<&str, Call> = BTreeMap::new();
    let mut calls = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if rest.starts_with("<... ") {
            if let (Some(mut call), Some(result)) = (open.remove(thread), result_of(rest)) {
                call.result = result;
                call.ended = number;
                calls.push(call);
            }
        } else if let Some(mut call) = begin(rest, number) {
            match result_of(rest) {
                Some(result) => {
                    call.result = result;
                    calls.push(call);
                }
                None => drop(open.insert(thread, call)),
            }
        }
    }
    calls
}

/// A call as far as its first argument tells: `fdatasync(9</d/ledger.db-wal>…`.
fn begin(rest: &str, number: usize) -> Option<Call> {
    let (name, arguments) = rest.split_once('(')?;
    let after = arguments.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix('<')?;
    let end = after.find(">, ").or_else(|| after.find(">)")).or_else(|| after.find("> <"))?;
    Some(Call { name: name.to_owned(), target: after[..end].to_owned(), result: 0, began: number, ended: number })
}

/// What stands behind the last `=`; `None` if the call has not ended.
fn result_of(rest: &str) -> Option<i64> {
    let (_, result) = rest.rsplit_once(") ")?;
    result.trim_start().strip_prefix("= ")?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Call, calls};

    const TEXT: &str = "\
12    write(5</d/ledger.db-wal>, \"\"..., 24) = 24
12    fdatasync(5</d/ledger.db-wal> <unfinished ...>
13    sendto(9<TCP:[127.0.0.1:4->127.0.0.1:5]>, \"\"..., 9, MSG_NOSIGNAL, NULL, 0) = 9
12    <... fdatasync resumed>)          = 0
13    write(9<TCP:[127.0.0.1:4->127.0.0.1:5]>, \"\"..., 9) = -1 EPIPE (Broken pipe)
13    --- SIGTERM {si_signo=SIGTERM} ---
13    +++ exited with 0 +++
";

    fn call(name: &str, target: &str, result: i64, began: usize, ended: usize) -> Call {
        Call { name: name.into(), target: target.into(), result, began, ended }
    }

    #[test]
    fn calls_in_one_line_and_in_two_are_read() {
        let socket = "TCP:[127.0.0.1:4->127.0.0.1:5]";
        let expected = [
            call("write", "/d/ledger.db-wal", 24, 0, 0),
            call("sendto", socket, 9, 2, 2),
            call("fdatasync", "/d/ledger.db-wal", 0, 1, 3),
        ];
        assert_eq!(calls(TEXT)[..3], expected);
        assert_eq!(calls(TEXT).len(), 4);
    }
}
