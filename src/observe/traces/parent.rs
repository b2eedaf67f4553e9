//! Puts a span below the one that its field `traceparent` names, which is most often one of another process.
//!
//! `tracing` knows parents within a process only, and the crates that make spans know nothing of OpenTelemetry; so the name
//! of the parent is a field, and here it is made the context in which the span begins.

use fairy_jobs::trace::Trace;
use opentelemetry::{
    Context as Surroundings, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt as _, TraceState},
};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context};

/// A layer below parents.
pub(super) struct BelowParent<L>(pub L);

impl<S: Subscriber, L: Layer<S>> Layer<S> for BelowParent<L> {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut named = Named(None);
        attributes.record(&mut named);
        let parent = named.0.as_ref().and_then(remote);
        let _below = parent.map(|parent| Surroundings::current().with_remote_span_context(parent).attach());
        self.0.on_new_span(attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.0.on_record(id, values, context);
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        self.0.on_follows_from(id, follows, context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.0.on_enter(id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.0.on_exit(id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.0.on_close(id, context);
    }
}

/// Reads the field.
struct Named(Option<Trace>);

impl Visit for Named {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "traceparent" {
            self.0 = Trace::parse(&format!("{value:?}"));
        }
    }
}

fn remote(trace: &Trace) -> Option<SpanContext> {
    let id = TraceId::from_hex(&trace.trace_id()).ok()?;
    let span = SpanId::from_hex(&trace.span_id()).ok()?;
    let flags = if trace.is_sampled() { TraceFlags::SAMPLED } else { TraceFlags::default() };
    Some(SpanContext::new(id, span, flags, true, TraceState::default()))
}
