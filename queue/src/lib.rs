//! Durable lanes of jobs: the queue under Fairy, knowing nothing of tasks.
//!
//! A lane is a durable queue of one kind of job, described by a [`LaneSpec`]. Everything a lane promises (order,
//! leases, retries, dead letters, unique keys, pause) is asked of one port, [`Broker`]; the worker machinery that
//! drives handlers through apalis and the conformance suite are written once over that port, so a new store needs
//! an implementation of `Broker` and nothing else.

mod answer;
mod broker;
mod dead;
mod job;
mod lane;
mod observer;
mod owed;
mod push;
mod queue;
pub mod redis;
pub mod sqlite;
mod stats;
#[cfg(feature = "testing")]
#[expect(clippy::unwrap_used, clippy::expect_used, reason = "a scenario fails by panicking")]
pub mod testing;
mod wakes;
mod worker;

pub use answer::{Answer, Handler, Job};
pub use broker::{Ask, Broker, Claimed, Doom, Hand, RawJob, Settled, Token, Verdict};
pub use dead::{AuditEntry, DeadJob, DeadPage, Failure, Page, Which};
pub use job::{Hold, JobId, NewJob, Unique};
pub use lane::{LaneSpec, Order, RetrySchedule};
pub use observer::{JobEnd, Observer};
pub use owed::{Owed, OwedPage};
pub use push::{Existing, Found, FoundState, PushError, Pushed};
pub use queue::{Queue, QueueError, TraceSource};
pub use stats::LaneStats;
pub use worker::{Crew, register};
