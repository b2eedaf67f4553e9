//! Work in the traces that it belongs to.
//!
//! One job may do the work of many requests. Each of their traces gets a span over the same time, below the one that asked, so
//! whoever follows a request finds what was done for it; the first of them, in which the work runs, links to the others. A
//! span says which job it was, of how much, and whether it went well: nothing of what was written and nobody's id. Why it did
//! not go well is in the log, under the same trace.
//!
//! This is `tracing` and nothing else. What becomes of the spans is decided where the process is put together; where nobody
//! takes them they are not made.

use std::collections::BTreeSet;

use fairy_jobs::trace::Trace;
use tracing::{Instrument as _, Span, field::Empty};

/// Does work of this name for these traces; `well` says of its result whether it went well.
pub(crate) async fn in_spans<T>(
    name: &'static str,
    traces: impl IntoIterator<Item = Option<Trace>>,
    well: fn(&T) -> bool,
    work: impl Future<Output = T>,
) -> T {
    let spans = spans(name, traces);
    let first = spans.first().cloned().unwrap_or_else(Span::none);
    for other in spans.iter().skip(1) {
        first.follows_from(other);
    }
    let result = work.instrument(first).await;
    if !well(&result) {
        for span in &spans {
            span.record("otel.status_code", "ERROR");
        }
    }
    result
}

/// A span for each of the traces, or one of a new trace where there is none.
fn spans(name: &'static str, traces: impl IntoIterator<Item = Option<Trace>>) -> Vec<Span> {
    let traces: Vec<Option<Trace>> = traces.into_iter().collect();
    let span = |trace: Option<&Trace>| {
        tracing::info_span!(
            target: "fairy::trace",
            "job",
            otel.name = name,
            otel.kind = "consumer",
            otel.status_code = Empty,
            messaging.batch.message_count = traces.len(),
            traceparent = trace.map(display),
        )
    };
    let mut known = BTreeSet::new();
    let mut others = traces.iter().flatten().filter(|trace| known.insert(**trace));
    let first = span(others.next());
    if first.is_disabled() {
        return Vec::new();
    }
    let mut spans = vec![first];
    spans.extend(others.map(|trace| span(Some(trace))));
    spans
}
