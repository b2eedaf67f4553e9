//! The machinery between a broker and a handler, driven by apalis and written once for every broker.
//!
//! apalis polls a [`backend`] for batches, runs them through a [`work`] service and gives the result to the
//! [`acknowledge`] layer. None of these three talks to the store: tasks of their own do ([`fetch`], [`settle`],
//! [`renew`]), each repeating until it succeeds, because a worker whose poll returns an error is gone for good.
//! What they share is a [`station`].
//!
//! Memory is bounded by slots: a hand-out takes one before it is asked for and gives it back when it is settled.

mod acknowledge;
mod backend;
mod fetch;
mod register;
mod renew;
mod settle;
mod sift;
mod station;
mod work;

pub use register::{Crew, register};
