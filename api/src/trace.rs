//! The span of a request, and of the acceptance in it.
//!
//! A request with a `traceparent` goes on with that trace, any other begins one. The span says which route it was, by its
//! template, and how it ended: no path, for it may hold the code of a link; nobody's id or address; nothing of a body. What is
//! queued carries the span of its acceptance (`fairy_queue::Queue::traced`), below which all that follows from it comes.
//!
//! This is `tracing` and nothing else. What becomes of the spans is decided where the process is put together; where nobody
//! takes them they are not made.

use fairy_jobs::trace::Trace;
use poem::{Request, Response, http::HeaderMap};
use tracing::{Span, field::Empty};

/// A span for this request, whose route is called so.
pub(crate) fn request(request: &Request, route: impl FnOnce() -> Option<String>) -> Span {
    let method = request.method().as_str();
    let span = tracing::info_span!(
        target: "fairy::trace",
        "request",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = Empty,
        http.response.status_code = Empty,
        traceparent = parent(request.headers()).map(display),
    );
    if !span.is_disabled()
        && let Some(route) = route()
    {
        span.record("otel.name", format!("{method} {route}"));
        span.record("http.route", route);
    }
    span
}

/// Notes how a request was answered. What is wrong with the request is no error of its span.
pub(crate) fn answered(span: &Span, answer: &Response) {
    let status = answer.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// A span for putting this many operations into their lane.
pub(crate) fn acceptance(operations: usize) -> Span {
    tracing::info_span!(
        target: "fairy::trace",
        "accept",
        otel.kind = "producer",
        messaging.batch.message_count = operations,
    )
}

/// Where the caller is in its trace; of several headers none is believed.
fn parent(headers: &HeaderMap) -> Option<Trace> {
    let mut given = headers.get_all("traceparent").iter();
    let trace = given.next()?.to_str().ok().and_then(Trace::parse)?;
    given.next().is_none().then_some(trace)
}
