//! The log: to standard error, so that standard output stays for what a command answers.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Color, Log, LogFormat};

/// Words of libraries that would drown ours; a filter in the settings may raise them again.
const QUIET: &str = "poem=warn,sqlx=warn,apalis=warn,apalis_core=warn";

/// Begins to log. Does nothing if somebody does already, as in a test.
pub fn start(log: &Log) {
    let filter = EnvFilter::new(format!("{QUIET},{}", log.level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => {
            let color = match log.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => std::io::stderr().is_terminal(),
            };
            builder.with_ansi(color).with_target(false).try_init()
        }
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(panicked));
    }
}

/// A panic is caught where it would end more than its request or job; it is told like any other error, in one entry.
fn panicked(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, message = panic.payload_as_str(), "a defect: something panicked");
}
