//! The log: to standard error, so that standard output stays for what a command answers; and beside it traces, if there are any.

use std::{fmt, io::IsTerminal as _};

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, filter_fn},
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Json, Writer},
    },
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::{
    config::{Color, Log, LogFormat},
    observe::{Traces, span_in_hand},
};

/// Words of libraries that would drown ours; a filter in the settings may raise them again.
const QUIET: &str = "poem=warn,sqlx=warn,apalis=warn,apalis_core=warn";

/// Begins to log, and to hand over spans. Does nothing if somebody does already, as in a test.
pub fn start(log: &Log, traces: Option<&Traces>) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).map_event_format(Traced).boxed(),
        LogFormat::Text => {
            let color = match log.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => std::io::stderr().is_terminal(),
            };
            lines.with_ansi(color).with_target(false).boxed()
        }
    };
    let filter = EnvFilter::new(format!("{QUIET},{}", log.level));
    // Spans are for traces: a line names the one that it belongs to by its ids.
    let lines = lines.with_filter(filter.and(filter_fn(|metadata| !metadata.is_span())));
    let started = tracing_subscriber::registry().with(lines).with(traces.map(Traces::layer)).try_init();
    if started.is_ok() {
        std::panic::set_hook(Box::new(panicked));
    }
}

/// A panic is caught where it would end more than its request or job; it is told like any other error, in one entry.
fn panicked(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, message = panic.payload_as_str(), "a defect: something panicked");
}

/// Lines of JSON that name the trace in which they were said.
struct Traced(Format<Json>);

impl<S, N> FormatEvent<S, N> for Traced
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(span) = span_in_hand() else {
            return self.0.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        match line.trim_end().strip_suffix('}') {
            Some(open) => {
                let (trace, span) = (span.trace_id(), span.span_id());
                writeln!(writer, "{open},\"trace_id\":\"{trace}\",\"span_id\":\"{span}\"}}")
            }
            None => writer.write_str(&line),
        }
    }
}
