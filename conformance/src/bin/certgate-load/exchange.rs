//! What a server has answered at each path, as a file: a raw server gives it again.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, anyhow};
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use hyper::{HeaderMap, Response, StatusCode};
use serde::{Deserialize, Serialize};

use crate::head;

/// One answer, as it is given.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) status: StatusCode,
    pub(crate) fields: HeaderMap,
    pub(crate) content: Bytes,
}

/// One answer, as it is written down.
#[derive(Serialize, Deserialize)]
struct Written {
    /// As [`head::write`] has it.
    head: String,
    /// base64.
    content: String,
}

/// Keeps the last answer at each path and query.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<BTreeMap<String, Written>>);

impl Recorder {
    /// Keeps an answer.
    pub(crate) fn keep(&self, target: String, answer: &Response<Bytes>) {
        let head = head::write(answer.status(), answer.headers());
        let written = Written { head, content: Base64::encode_string(answer.body()) };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(target, written);
    }

    /// Writes all of them down.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(&*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        std::fs::write(path, text).with_context(|| path.display().to_string())
    }
}

/// What a [`Recorder`] has written, by path and query.
pub(crate) fn read(path: &Path) -> anyhow::Result<HashMap<String, Given>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let all: BTreeMap<String, Written> = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let give = |(target, written): (String, Written)| {
        let (status, fields) = head::read(&written.head)?;
        let content = Base64::decode_vec(&written.content).map_err(|error| anyhow!("{target}: {error}"))?;
        Ok((target, Given { status, fields, content: content.into() }))
    };
    all.into_iter().map(give).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answer_at_a_path_is_read_again() {
        let recorder = Recorder::default();
        for (status, content) in [(200, "first"), (201, "last\0")] {
            let answer = Response::builder().status(status).header("replay-nonce", "a").body(Bytes::from(content)).unwrap();
            recorder.keep("/a?b".to_owned(), &answer);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("exchange");
        recorder.write(&path).unwrap();
        let all = read(&path).unwrap();
        let given = &all["/a?b"];
        assert_eq!((all.len(), given.status.as_u16(), &given.content[..]), (1, 201, &b"last\0"[..]));
        assert_eq!(given.fields["replay-nonce"], "a");
    }
}
