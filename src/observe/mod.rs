//! What operators and their machines look at: health and metrics, on a listener of their own, and traces.

mod account;
mod health;
mod lane;
mod metered;
mod meters;
mod metrics;
mod process;
mod routes;
mod series;
mod traces;
mod vitals;

pub use account::{Auditor, Found};
pub use metered::Metered;
pub use meters::Meters;
pub use routes::app;
pub use traces::{Traces, in_hand, span_in_hand};
pub use vitals::Vitals;
