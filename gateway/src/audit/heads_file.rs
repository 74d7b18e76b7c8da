//! The file of signed heads: a line each, synced, never rewritten.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{SignedHead, Statement};

/// Octets that a line never has.
const LONGEST_LINE: u64 = 4096;

/// A file that may be moved away at any time: the next line begins another one.
#[derive(Clone, Debug)]
pub struct HeadsFile(PathBuf);

impl HeadsFile {
    /// At this path.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// All of it; nothing while there is no file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self) -> std::io::Result<String> {
        match std::fs::read_to_string(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            read => read,
        }
    }

    /// What the last whole line states, if there is one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn last(&self) -> std::io::Result<Option<Statement>> {
        let mut file = match File::open(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let Tail { lines, .. } = Tail::read(&mut file)?;
        let line = lines.lines().last().and_then(|line| SignedHead::read(line).ok());
        Ok(line.and_then(|signed| signed.statement.parse().ok()))
    }

    /// Appends a line; returns when it is synced. What a crash has left of a line is cut off.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&self, head: &SignedHead) -> std::io::Result<()> {
        let line = serde_json::to_string(head)? + "\n";
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o644).open(&self.0)?;
        let Tail { end, .. } = Tail::read(&mut file)?;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        file.write_all(line.as_bytes())?;
        file.sync_all()?;
        File::open(self.0.parent().unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// The end of a file, as far as its last line goes.
struct Tail {
    /// Whole lines; the first may be the rest of one.
    lines: String,
    /// Where they end.
    end: u64,
}

impl Tail {
    fn read(file: &mut File) -> std::io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        let start = length.saturating_sub(2 * LONGEST_LINE);
        file.seek(SeekFrom::Start(start))?;
        let mut octets = Vec::new();
        file.take(length - start).read_to_end(&mut octets)?;
        let whole = octets.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
        if whole == 0 && start > 0 {
            return Err(Error::new(ErrorKind::InvalidData, "it ends in something else than signed heads: move it away"));
        }
        octets.truncate(whole);
        Ok(Self { end: start + octets.len() as u64, lines: String::from_utf8_lossy(&octets).into_owned() })
    }
}

#[cfg(test)]
mod tests {
    use certgate_enrollment::AuditHead;
    use certgate_testkit::NOW;

    use super::super::KeyId;
    use super::*;

    fn statement(events: u64) -> Statement {
        Statement { head: AuditHead { events, hash: [7; 32] }, at: NOW.floor_to_second(), key: KeyId([8; 32]) }
    }

    fn signed(events: u64) -> SignedHead {
        SignedHead { statement: statement(events).to_string(), signature: "MEUC".repeat(24) }
    }

    #[test]
    fn lines_are_appended_and_half_a_line_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let file = HeadsFile::new(folder.path().join("audit.heads"));
        assert_eq!((file.last().unwrap(), file.read().unwrap()), (None, String::new()));
        for events in 1..=40 {
            file.append(&signed(events)).unwrap();
            assert_eq!(file.last().unwrap(), Some(statement(events)));
        }
        let whole = file.read().unwrap();
        assert_eq!(whole.lines().count(), 40);
        std::fs::write(file.path(), format!("{whole}{{\"statement\":\"certg")).unwrap();
        assert_eq!(file.last().unwrap(), Some(statement(40)));
        file.append(&signed(41)).unwrap();
        assert_eq!(file.read().unwrap(), whole + &serde_json::to_string(&signed(41)).unwrap() + "\n");
        std::fs::write(file.path(), "{\"state").unwrap();
        file.append(&signed(42)).unwrap();
        assert_eq!((file.read().unwrap().lines().count(), file.last().unwrap()), (1, Some(statement(42))));
    }

    #[test]
    fn another_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = HeadsFile::new(folder.path().join("audit.heads"));
        let other = "x".repeat(10_000);
        std::fs::write(file.path(), &other).unwrap();
        assert!(file.append(&signed(1)).unwrap_err().to_string().contains("move it away"));
        assert_eq!(file.read().unwrap(), other);
    }
}
