//! Traces: spans of all crates are handed to a collector over OTLP, where the standard environment names one.
//!
//! The other crates know `tracing` and the text in which a trace is written down. Here their spans (target `fairy::trace`)
//! become those of OpenTelemetry, below the span that the text names (`parent`), and are sent by a thread of their own, which
//! nobody waits for: while the collector is away, spans are dropped once 2,048 wait. Where no endpoint is named no span is made.
//!
//! What the environment says is read by the SDK itself; what it would pass over in silence is refused here.

mod courier;
mod environment;
mod parent;

use std::time::Duration;

use opentelemetry::{
    Context, KeyValue,
    trace::{SpanContext, TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::{Level, Subscriber};
use tracing_subscriber::{Layer, filter::FilterFn, registry::LookupSpan};

use self::{courier::Courier, environment::Environment, parent::BelowParent};
use crate::Failure;

/// How long what is left may take to be sent at the end.
const LAST_SPANS: Duration = Duration::from_secs(2);

/// The way to the collector.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to hand spans over as the environment says, over the connections of a runtime that outlives this; nothing where
    /// no collector is named.
    ///
    /// # Errors
    /// With what is wrong in the environment.
    pub fn begin(handle: Handle, role: &'static str) -> Result<Option<Self>, Failure> {
        let environment = Environment::process();
        let Some(timeout) = environment.export_timeout()? else {
            return Ok(None);
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Courier::new(handle, timeout)?)
            .build()
            .map_err(|error| Failure::new(format_args!("traces cannot be exported: {error}")))?;
        let mut resource = Resource::builder().with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("fairy.role", role),
        ]);
        if !environment.names_service() {
            resource = resource.with_service_name("fairy");
        }
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build());
        Ok(Some(Self(provider.build())))
    }

    /// What takes spans out of `tracing`.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let layer = tracing_opentelemetry::layer()
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_tracer(self.0.tracer("fairy"));
        let ours = FilterFn::new(|metadata| metadata.is_span() && metadata.target() == "fairy::trace");
        BelowParent(layer).with_filter(ours.with_max_level_hint(Level::INFO))
    }

    /// Sends what is left, for a while; called when no more spans are made.
    pub fn end(self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST_SPANS) {
            tracing::warn!(%error, "the last traces were not exported");
        }
    }
}

/// The span in hand as a `traceparent`, if there is one.
pub fn in_hand() -> Option<String> {
    let context = span_in_hand()?;
    let (trace, span) = (context.trace_id(), context.span_id());
    Some(format!("00-{trace}-{span}-{:02x}", context.trace_flags().to_u8()))
}

/// The span in hand.
pub fn span_in_hand() -> Option<SpanContext> {
    Context::map_current(|context| {
        let span = context.span();
        Some(span.span_context().clone()).filter(SpanContext::is_valid)
    })
}
