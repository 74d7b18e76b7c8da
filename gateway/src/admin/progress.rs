//! `/v1/progress/ID`: how far a request that takes long has come. Whoever makes the request gives it an ID, and asks by it meanwhile.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::AdminFailure;

/// Longest ID, in octets.
const LONGEST_ID: usize = 64;

/// How far a request has come.
#[derive(Debug, Deserialize, Serialize)]
pub struct ProgressResult {
    /// Steps that are done.
    pub done: u64,
    /// Steps in all; 0 while nobody knows.
    pub total: u64,
}

/// The steps of one request.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
}

impl Steps {
    /// There are so many of them.
    pub(super) fn of(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// Where those are counted that are done.
    pub(super) fn done(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.done)
    }

    fn result(&self) -> ProgressResult {
        ProgressResult { done: self.done.load(Ordering::Relaxed), total: self.total.load(Ordering::Relaxed) }
    }
}

/// Requests with an ID that are under way.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<HashMap<String, Steps>>);

impl UnderWay {
    /// A request has begun; it is forgotten when what this returns is dropped.
    pub(super) fn begin(self: &Arc<Self>, id: Option<String>) -> Result<Entered, AdminFailure> {
        let steps = Steps::default();
        if let Some(id) = &id {
            if id.is_empty() || id.len() > LONGEST_ID {
                return Err(AdminFailure::usage(format!("progress is from 1 to {LONGEST_ID} characters long")));
            }
            self.lock().insert(id.clone(), steps.clone());
        }
        Ok(Entered { all: Arc::clone(self), id, steps })
    }

    /// How far the request of this ID has come.
    pub(super) fn show(&self, id: &str) -> Result<ProgressResult, AdminFailure> {
        let steps = self.lock().get(id).cloned();
        steps.map(|steps| steps.result()).ok_or_else(|| AdminFailure::not_found("no such request is under way"))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Steps>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is under way.
pub(super) struct Entered {
    all: Arc<UnderWay>,
    id: Option<String>,
    pub(super) steps: Steps,
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(id) = &self.id {
            self.all.lock().remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Code;
    use super::*;

    #[test]
    fn a_request_is_seen_by_its_id_as_long_as_it_is_under_way() {
        let all = Arc::<UnderWay>::default();
        let unseen = all.begin(None).unwrap();
        let entered = all.begin(Some("a".into())).unwrap();
        entered.steps.of(10);
        entered.steps.done().store(3, Ordering::Relaxed);
        let shown = all.show("a").unwrap();
        assert_eq!((shown.done, shown.total), (3, 10));
        drop(entered);
        assert_eq!(all.show("a").unwrap_err().code, Code::NotFound);
        drop(unseen);
        for wrong in [String::new(), "a".repeat(65)] {
            assert_eq!(all.begin(Some(wrong)).err().map(|failure| failure.code), Some(Code::Usage));
        }
    }
}
