//! What operators and their machines look at: health and metrics, on a listener of their own, and traces.

mod health;
mod metrics;
mod routes;
mod traces;
mod vitals;

pub use routes::app;
pub use traces::{Traces, in_hand, span_in_hand};
pub use vitals::Vitals;
