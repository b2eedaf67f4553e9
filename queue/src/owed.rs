//! The account of a lane: which jobs somebody is still to vouch for.
//!
//! That a job is done is the worker's word, and that it is there the store's. Who must not lose a job trusts neither:
//! [`NewJob::accountable`](crate::NewJob::accountable) enters it in the account in the same step that queues it, and
//! nothing that happens to the job strikes it out. Somebody who knows by other means what became of it does, by its unique
//! key. So whatever stands in the account, and is neither in the lane nor among its dead letters nor known elsewhere, was
//! lost, and it has a name.

use crate::JobId;

/// A job in the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// Its id.
    pub job: JobId,
    /// Its unique key.
    pub key: String,
}

/// A part of the account, in the order of the pushes.
#[derive(Debug, Clone, Default)]
pub struct OwedPage {
    /// Those that have left the lane and are not among its dead letters.
    pub gone: Vec<Owed>,
    /// How many of this part have not.
    pub held: u64,
    /// Where the next part starts, if there is one.
    pub next: Option<JobId>,
}
