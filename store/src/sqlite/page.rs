//! Lists, a page at a time.

use certgate_enrollment::{Cursor, Page};

/// Most items of a page, whatever was asked.
const MAX_PAGE: usize = 1000;

/// How many rows to read for a page of `limit` items: one more tells whether there is another page.
pub(super) fn rows(limit: usize) -> i64 {
    i64::try_from(limit.clamp(1, MAX_PAGE) + 1).unwrap_or(i64::MAX)
}

/// The page of these rows, of which there may be one too many; `cursor_of` names where the next page goes on.
pub(super) fn page<T>(mut items: Vec<T>, limit: usize, cursor_of: impl Fn(&T) -> String) -> Page<T> {
    let limit = limit.clamp(1, MAX_PAGE);
    let is_more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| is_more).map(|last| Cursor(cursor_of(last)));
    Page { items, next }
}
