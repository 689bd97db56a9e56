//! Says in the answer that the connection ends, where a request is answered before its body was read to its end.
//!
//! Such a connection can't be used again: what follows in it is the rest of that body. A client that isn't told sends its
//! next request into it, and sees it fail.

use axum::body::{Body, Bytes, HttpBody};
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::http::{Request, Response};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

/// A body that notes that it was read to its end.
struct Watched {
    body: Incoming,
    read: Arc<AtomicBool>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.read.store(true, Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whether a request's body was read to its end.
pub(crate) struct Reading(Option<Arc<AtomicBool>>);

impl Reading {
    /// The request with a body that is watched, unless it has none.
    pub(crate) fn watch(request: Request<Incoming>) -> (Self, Request<Body>) {
        if request.body().is_end_stream() {
            return (Self(None), request.map(|_| Body::empty()));
        }
        let read = Arc::new(AtomicBool::new(false));
        let watched = request.map(|body| Body::new(Watched { body, read: Arc::clone(&read) }));
        (Self(Some(read)), watched)
    }

    /// Says that the connection ends, if it has to.
    pub(crate) fn end_if_unread<B>(&self, response: &mut Response<B>) {
        if self.0.as_ref().is_some_and(|read| !read.load(Relaxed)) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}
