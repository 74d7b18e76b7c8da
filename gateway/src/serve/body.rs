//! Request bodies, bounded in size and time.

use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;

/// Bounds on a request's body.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// Octets that are taken.
    pub octets: usize,
    /// Octets that are read and dropped, of a body that nobody wants.
    pub discarded: usize,
    /// Time for all of it.
    pub time: Duration,
}

/// There is no body to work with. All of these are the client's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyFailure {
    /// Too large.
    #[error("the request body is larger than {limit} octets")]
    TooLarge {
        /// What is taken.
        limit: usize,
    },
    /// Too slow.
    #[error("the request body did not arrive in time")]
    TimedOut,
    /// The connection broke, or its chunks are malformed.
    #[error("the request body ended early")]
    Broken,
}

/// Reads a body to its end.
pub(crate) async fn read<B>(body: Pin<&mut B>, limits: &BodyLimits) -> Result<Bytes, BodyFailure>
where
    B: Body<Data = Bytes>,
{
    let limit = limits.octets;
    // RFC 9110 §8.6: what announces itself as too large need not be read.
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyFailure::TooLarge { limit });
    }
    tokio::time::timeout(limits.time, collect(body, limit)).await.unwrap_or(Err(BodyFailure::TimedOut))
}

async fn collect<B>(mut body: Pin<&mut B>, limit: usize) -> Result<Bytes, BodyFailure>
where
    B: Body<Data = Bytes>,
{
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyFailure::Broken)?.into_data() else { continue };
        if collected.len() + data.len() > limit {
            return Err(BodyFailure::TooLarge { limit });
        }
        if collected.is_empty() && body.is_end_stream() {
            return Ok(data);
        }
        collected.extend_from_slice(&data);
    }
    Ok(collected.freeze())
}

/// How long the next octets of a body that nobody wants are waited for.
const DISCARD_PAUSE: Duration = Duration::from_secs(1);

/// Reads what is left and drops it, within the bounds, for as long as it keeps coming.
pub(crate) async fn discard<B>(mut body: Pin<&mut B>, limits: &BodyLimits)
where
    B: Body<Data = Bytes>,
{
    let drain = async {
        let mut left = limits.discarded;
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(DISCARD_PAUSE, body.frame()).await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    // What takes longer is given up.
    let _ = tokio::time::timeout(limits.time, drain).await;
}
