//! Accepting operations: from a request to a durable job, and from its outcome back to an answer.
//!
//! The order is what makes it safe: listen for the outcome, look whether the operation has one, push it under its id,
//! wait. A repeat with the same idempotency key has the same id, so whichever step it meets the first request at, there
//! is one operation and both get its outcome.

mod answer;
mod batch;
mod claims;
mod envelope;
mod look;
mod operated;
mod prefer;
mod push;
mod repeat;
mod standing;
mod ticket;
mod view;
mod wait;

pub use self::push::operation_job;
pub(crate) use self::{
    batch::{BatchAccepted, Item, most_items},
    claims::Claims,
    envelope::Envelope,
    look::Looks,
    operated::{Changed, Created, Nothing, Operated},
    prefer::{MOST_PATIENCE, Prefer},
    push::MOST_DOUBT,
    ticket::Ticket,
    view::OperationView,
};
