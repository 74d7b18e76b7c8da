//! The content of answers.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// Octets that are handed out together. HTTP/1.1 copies what it is given into a buffer of the connection, so that head and content are one
/// write: a CRL of 49 MB that was given at once would be there as often as somebody reads it slowly.
pub(crate) const PIECE: usize = 16 * 1024;

/// Content that is there as a whole, shared by all who ask for it, and goes out piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Content(Bytes);

impl Content {
    /// All of it.
    pub(crate) fn new(whole: Bytes) -> Self {
        Self(whole)
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.0.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.0.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn it_comes_in_pieces_and_whole_and_says_how_much_is_left() {
        let whole = Bytes::from(vec![7; 2 * PIECE + 1]);
        let mut content = Content::new(whole.clone());
        let mut lengths = Vec::new();
        while !content.is_end_stream() {
            let left = content.size_hint().exact().unwrap();
            let piece = content.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(content.size_hint().exact(), Some(left - piece.len() as u64));
            lengths.push(piece.len());
        }
        assert_eq!(lengths, [PIECE, PIECE, 1]);
        assert!(content.frame().await.is_none());
        assert_eq!(Content::new(whole.clone()).collect().await.unwrap().to_bytes(), whole);
    }
}
