//! Why a connection was ended, by what hyper and h2 tell of it.

use std::error::Error;
use std::io;

use crate::telemetry::ConnectionEnd;

/// Why; `None` where that was the client's own end, or the network's.
pub(super) fn reason(error: &hyper::Error) -> Option<ConnectionEnd> {
    if error.is_parse_too_large() {
        return Some(ConnectionEnd::HeadTooLarge);
    }
    if error.is_parse() {
        return Some(ConnectionEnd::HeadMalformed);
    }
    if error.is_incomplete_message() {
        return Some(ConnectionEnd::CutShort);
    }
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.find_map(of_cause)
}

fn of_cause(cause: &(dyn Error + 'static)) -> Option<ConnectionEnd> {
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        // Only writes have a limit.
        return (error.kind() == io::ErrorKind::TimedOut).then_some(ConnectionEnd::WriteTimeout);
    }
    let error = cause.downcast_ref::<h2::Error>()?;
    if !(error.is_library() && error.is_go_away()) {
        return None;
    }
    let is_abuse = error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM);
    Some(if is_abuse { ConnectionEnd::Http2Abuse } else { ConnectionEnd::Http2Malformed })
}
