//! The HTTP surface of Fairy: the API under `/v1`, and the few pages that links in mails lead to.
//!
//! This crate turns requests into domain types and domain answers into responses; it decides nothing. It meets the
//! database, the lanes and the mail only through the ports in `fairy_jobs` and the handle of `fairy_queue`, which the
//! composition root hands over in [`Services`].

mod accept;
mod app;
mod auth;
mod desk;
mod edge;
mod front;
mod host;
mod network;
mod page;
mod problem;
mod rates;
mod routes;
mod services;
mod settings;
mod shape;
mod trace;
mod view;

use std::time::Duration;

pub use accept::operation_job;
pub use app::{app, spec};
pub use auth::AdminToken;
pub use desk::{Again, Desk, Retried};
pub use host::is_local;
pub use services::Services;
pub use settings::{Rates, Settings, SignUp};

/// The longest from the first byte of a request to its answer that the API itself allows: the body arrives, the operation is
/// pushed until its fate is known, its outcome is waited for.
pub const LONGEST_REQUEST: Duration =
    shape::MOST_TIME.saturating_add(accept::MOST_DOUBT).saturating_add(accept::MOST_PATIENCE);
