//! Request bodies, bounded in size and time.

use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::listen::{ArrivingBody, InFlight};
use crate::telemetry::{BodyRefusal, Refusals};

/// Bounds on a request's body, and on all bodies together.
#[derive(Clone)]
pub struct BodyLimits {
    /// Octets that are taken.
    pub octets: usize,
    /// Octets that are read and dropped, of a body that nobody wants.
    pub discarded: usize,
    /// Time for all of it.
    pub time: Duration,
    /// Octets of all bodies that are being read, one permit each.
    pub room: Arc<Semaphore>,
    /// Where those are counted that are not taken.
    pub refusals: Arc<Refusals>,
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

/// A body that remembers that it came to its end: one in chunks does not say so by itself. Once it has to be waited for, its connection is told
/// how fast it comes, and may have to make way for others.
pub(super) struct Watched<'b, B> {
    body: Pin<&'b mut B>,
    is_over: bool,
    connection: &'b InFlight,
    /// From when it is first waited for until it is there.
    waiting: Option<Waiting<'b>>,
}

/// What a body that is waited for needs.
struct Waiting<'b> {
    arriving: ArrivingBody,
    is_wanted: Pin<Box<dyn Future<Output = ()> + Send + 'b>>,
}

/// What ends a body before its time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Interrupted {
    /// The connection broke, or its chunks are malformed.
    Broken,
    /// The connection is to make way for another.
    Displaced,
}

/// A request's body, as those see it who answer.
pub(crate) trait Incoming: Body<Data = Bytes, Error = Interrupted> {}

impl<B: Body<Data = Bytes, Error = Interrupted>> Incoming for B {}

impl<'b, B: Body> Watched<'b, B> {
    pub(super) const fn new(body: Pin<&'b mut B>, connection: &'b InFlight) -> Self {
        Self { body, is_over: false, connection, waiting: None }
    }

    /// What has come of a body that did not come at once.
    #[cold]
    fn waited(&mut self, polled: Polled<B, Interrupted>, context: &mut Context<'_>) -> Polled<B, Interrupted> {
        let connection = self.connection;
        match &polled {
            Poll::Pending => {
                let waiting = self.waiting.get_or_insert_with(|| Waiting {
                    arriving: connection.wait_for_body(),
                    is_wanted: Box::pin(connection.is_wanted()),
                });
                if waiting.is_wanted.as_mut().poll(context).is_ready() {
                    // Whoever asks again nevertheless is told again.
                    self.waiting = None;
                    return Poll::Ready(Some(Err(Interrupted::Displaced)));
                }
            }
            Poll::Ready(Some(Ok(frame))) if !self.body.is_end_stream() => {
                if let Some(waiting) = &self.waiting {
                    waiting.arriving.came(frame.data_ref().map_or(0, Buf::remaining));
                }
            }
            Poll::Ready(_) => self.waiting = None,
        }
        polled
    }
}

/// What [`Body::poll_frame`] returns.
type Polled<B, E> = Poll<Option<Result<Frame<<B as Body>::Data>, E>>>;

impl<B: Body> Body for Watched<'_, B> {
    type Data = B::Data;
    type Error = Interrupted;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled<B, Interrupted> {
        let polled = self.body.as_mut().poll_frame(context).map_err(|_| Interrupted::Broken);
        self.is_over |= matches!(polled, Poll::Ready(None));
        if polled.is_ready() && self.waiting.is_none() { polled } else { self.waited(polled, context) }
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
    /// Slower than others, when there was no room for more connections.
    #[error("the request body came too slowly, and there is no room for others")]
    Displaced,
    /// The connection broke, or its chunks are malformed.
    #[error("the request body ended early")]
    Broken,
}

impl From<Interrupted> for BodyFailure {
    fn from(interrupted: Interrupted) -> Self {
        match interrupted {
            Interrupted::Broken => Self::Broken,
            Interrupted::Displaced => Self::Displaced,
        }
    }
}

impl BodyFailure {
    /// As HTTP has it.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TimedOut | Self::Displaced => StatusCode::REQUEST_TIMEOUT,
            Self::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }

    const fn counted(self) -> BodyRefusal {
        match self {
            Self::TooLarge { .. } => BodyRefusal::TooLarge,
            Self::NoRoom => BodyRefusal::NoRoom,
            Self::TimedOut => BodyRefusal::TooSlow,
            Self::Displaced => BodyRefusal::Displaced,
            Self::Broken => BodyRefusal::Broken,
        }
    }
}

/// Reads a body to its end. What is not taken is counted.
pub(crate) async fn read<B>(body: Pin<&mut B>, limits: &BodyLimits) -> Result<ReadBody, BodyFailure>
where
    B: Incoming,
{
    let limit = limits.octets;
    // RFC 9110 §8.6: what announces itself as too large need not be read.
    let read = if body.size_hint().lower() > limit as u64 {
        Err(BodyFailure::TooLarge { limit })
    } else {
        tokio::time::timeout(limits.time, collect(body, limits)).await.unwrap_or(Err(BodyFailure::TimedOut))
    };
    if let Err(failure) = &read {
        limits.refusals.body(failure.counted());
    }
    read
}

async fn collect<B>(mut body: Pin<&mut B>, limits: &BodyLimits) -> Result<ReadBody, BodyFailure>
where
    B: Incoming,
{
    let limit = limits.octets;
    let (mut collected, mut room) = (BytesMut::new(), None);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
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
    B: Incoming,
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
