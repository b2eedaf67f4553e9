//! What the domain needs of the outside, as traits; the composition root says who fulfils them.
//!
//! `api` and `workers` know stores, mail and buses only through these. Each method is one unit of work: if it writes,
//! all of it is written or nothing is.

mod accounts;
mod activity;
mod deliveries;
mod feed;
mod ledger;
mod limiter;
mod mail;
mod meter;
mod outcomes;
mod tasks;
mod teams;
mod upkeep;

pub use self::{
    accounts::{Accounts, ApiToken, Credentials, LinkPurpose, ResetLink, Session},
    activity::{About, ActivityLog, ActivityQuery, EventBus},
    deliveries::{Attempt, Begun, Deliveries, DeliveryContent, NewDelivery, Notices, Told, Wait},
    feed::{Feed, Sinks, Stretch},
    ledger::{Applied, Ledger},
    limiter::Limiter,
    mail::{Mail, Mailer, SendError, Sent},
    meter::Meter,
    outcomes::{FeedSignal, OutcomeChannel, Relay, Reply},
    tasks::{AssigneeFilter, TaskFilter, TaskQuery, TaskSort, Tasks},
    teams::{Invited, Membership, TeamOutcome, Teams, WorkspaceName},
    upkeep::{Backlog, Upkeep},
};
use crate::problem::Problem;

/// Why a port could not do its work.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PortError {
    /// The domain says no.
    #[error(transparent)]
    Refused(#[from] Problem),
    /// It is away, busy or full; nothing was done and it may work later.
    #[error("not available: {0}")]
    Unavailable(String),
    /// It may have been done; whoever asks must look.
    #[error("unknown whether it was done: {0}")]
    Unknown(String),
    /// A defect, or rows that are not as they must be; trying again will not help.
    #[error("broken: {0}")]
    Broken(String),
}

/// The result of a port's method.
pub type PortResult<T> = Result<T, PortError>;
