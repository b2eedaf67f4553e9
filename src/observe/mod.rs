//! What operators and their machines look at: health and metrics, on a listener of their own.

mod health;
mod metrics;
mod routes;
mod vitals;

pub use routes::app;
pub use vitals::Vitals;
