//! Request bodies, bounded in size and time.

use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds on a request's body, and on all bodies together.
#[derive(Clone, Debug)]
pub struct BodyLimits {
    /// Octets that are taken.
    pub octets: usize,
    /// Octets that are read and dropped, of a body that nobody wants.
    pub discarded: usize,
    /// Time for all of it.
    pub time: Duration,
    /// Octets of all bodies that are being read, one permit each.
    pub room: Arc<Semaphore>,
}

/// A body that was read. Its octets count as read until it is dropped.
pub(crate) struct ReadBody {
    octets: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl Deref for ReadBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.octets
    }
}

/// A body that remembers that it came to its end: one in chunks does not say so by itself.
pub(super) struct Watched<'b, B> {
    body: Pin<&'b mut B>,
    is_over: bool,
}

impl<'b, B> Watched<'b, B> {
    pub(super) const fn new(body: Pin<&'b mut B>) -> Self {
        Self { body, is_over: false }
    }
}

impl<B: Body> Body for Watched<'_, B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let polled = self.body.as_mut().poll_frame(context);
        self.is_over |= matches!(polled, Poll::Ready(None));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.is_over || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
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
    /// All bodies together are as large as they may be.
    #[error("too many requests are being read")]
    NoRoom,
    /// Too slow.
    #[error("the request body did not arrive in time")]
    TimedOut,
    /// The connection broke, or its chunks are malformed.
    #[error("the request body ended early")]
    Broken,
}

impl BodyFailure {
    /// As HTTP has it.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads a body to its end.
pub(crate) async fn read<B>(body: Pin<&mut B>, limits: &BodyLimits) -> Result<ReadBody, BodyFailure>
where
    B: Body<Data = Bytes>,
{
    let limit = limits.octets;
    // RFC 9110 §8.6: what announces itself as too large need not be read.
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyFailure::TooLarge { limit });
    }
    tokio::time::timeout(limits.time, collect(body, limits)).await.unwrap_or(Err(BodyFailure::TimedOut))
}

async fn collect<B>(mut body: Pin<&mut B>, limits: &BodyLimits) -> Result<ReadBody, BodyFailure>
where
    B: Body<Data = Bytes>,
{
    let limit = limits.octets;
    let (mut collected, mut room) = (BytesMut::new(), None);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyFailure::Broken)?.into_data() else { continue };
        if collected.len() + data.len() > limit {
            return Err(BodyFailure::TooLarge { limit });
        }
        if collected.is_empty() && body.is_end_stream() {
            return Ok(ReadBody { octets: data, _room: None });
        }
        take_room(&mut room, data.len(), limits)?;
        collected.extend_from_slice(&data);
    }
    Ok(ReadBody { octets: collected.freeze(), _room: room })
}

/// Counts octets that are kept while the rest of their body is waited for.
fn take_room(room: &mut Option<OwnedSemaphorePermit>, octets: usize, limits: &BodyLimits) -> Result<(), BodyFailure> {
    let octets = u32::try_from(octets).map_err(|_| BodyFailure::NoRoom)?;
    let more = Arc::clone(&limits.room).try_acquire_many_owned(octets).map_err(|_| BodyFailure::NoRoom)?;
    match room {
        Some(room) => room.merge(more),
        None => *room = Some(more),
    }
    Ok(())
}

/// How long the next octets of a body that nobody wants are waited for.
const DISCARD_PAUSE: Duration = Duration::from_secs(1);

/// Reads what is left and drops it, within the bounds, for as long as it keeps coming.
pub(crate) async fn discard<B>(mut body: Pin<&mut B>, limits: &BodyLimits)
where
    B: Body<Data = Bytes>,
{
    // Most have come to their end already, and a timer costs more than all else here.
    if body.is_end_stream() {
        return;
    }
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
