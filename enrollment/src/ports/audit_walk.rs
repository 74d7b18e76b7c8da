//! What every ledger does the same way when it walks along its trail: it holds what it passes against what is expected.

use super::audit::{AuditHead, AuditReport, ExpectedHeads};

/// A walk from the first event on.
pub struct AuditWalk {
    expected: ExpectedHeads,
    /// Places of the expected heads that are still to come, the nearest last.
    ahead: Vec<usize>,
    report: AuditReport,
}

impl AuditWalk {
    /// Begins before the first event.
    #[must_use]
    pub fn new(expected: ExpectedHeads) -> Self {
        let mut ahead: Vec<usize> = (0..expected.heads.len()).collect();
        ahead.sort_by_key(|place| std::cmp::Reverse(expected.heads.get(*place).map(|head| head.events)));
        let expected_head_found = expected.hash.map(|_| false);
        let head = AuditHead::NOTHING;
        let mut walk =
            Self { expected, ahead, report: AuditReport { head, broken_at: None, expected_head_found, first_missed: None } };
        walk.pass(head);
        walk
    }

    /// Where it is.
    #[must_use]
    pub const fn head(&self) -> AuditHead {
        self.report.head
    }

    /// Goes on to the event that this is the head of.
    pub fn pass(&mut self, head: AuditHead) {
        self.report.head = head;
        if self.expected.hash == Some(head.hash) {
            self.report.expected_head_found = Some(true);
        }
        while let Some((place, next)) = self.next_expected().filter(|(_, next)| next.events <= head.events) {
            self.ahead.pop();
            if next != head {
                self.miss(place);
            }
        }
    }

    /// Ends where the next event does not follow.
    pub fn break_here(&mut self) {
        self.report.broken_at = Some(self.report.head.events + 1);
    }

    /// What was found. Heads that were not reached are missed.
    #[must_use]
    pub fn end(mut self) -> AuditReport {
        for place in std::mem::take(&mut self.ahead) {
            self.miss(place);
        }
        self.report
    }

    fn next_expected(&self) -> Option<(usize, AuditHead)> {
        let place = *self.ahead.last()?;
        Some((place, *self.expected.heads.get(place)?))
    }

    fn miss(&mut self, place: usize) {
        self.report.first_missed = Some(self.report.first_missed.map_or(place, |first| first.min(place)));
    }
}
