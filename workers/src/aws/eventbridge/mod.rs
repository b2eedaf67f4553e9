//! Events on an EventBridge bus: one per change, `source` `fairy`, `detail-type` the kind of the change, and as detail what
//! the feed shows of it, with `id` and `workspace` (`fairy_jobs::event`).
//!
//! **Order.** The changes of a workspace go out in their order, and a call begins when all entries of the one before it are
//! taken. That is all a sender can do: EventBridge delivers in no order and sometimes twice. `seq` says the order and
//! `id`, which is made of workspace and `seq`, tells a repeat.
//!
//! **What the bus never takes** is set aside, said in the log and counted, so that it does not hold up what comes after it:
//! details that are too large even with their texts cut, and entries that EventBridge calls malformed. The feed has
//! them. Everything else waits and is tried again: what is throttled, and whatever is wrong with the bus or with us.
//!
//! **A bus that is not there** is asked for by name, since `PutEvents` does not say so reliably and would let events go nowhere.

mod bus;
mod entry;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use aws_sdk_eventbridge::Client;
use tokio::time::Instant;

use super::{Aws, AwsError};

/// A bus.
#[derive(Clone)]
pub struct EventBridge {
    client: Client,
    bus: String,
    shared: Arc<Shared>,
}

/// What the clones of a bus know together.
#[derive(Default)]
struct Shared {
    set_aside: AtomicU64,
    /// When the bus was last known to be there.
    seen: Mutex<Option<Instant>>,
    /// Whether it was said that nobody can say whether the bus is there.
    told: AtomicBool,
}

impl EventBridge {
    /// The bus of this name or ARN.
    ///
    /// # Errors
    /// Where no bus can be called so: AWS would call each event malformed that is meant for it.
    pub fn new(aws: &Aws, bus: impl Into<String>) -> Result<Self, AwsError> {
        let bus = bus.into();
        if !Self::may_be_called(&bus) {
            return Err(AwsError::Unfit(format!("`{bus}` must be the name or the ARN of an event bus")));
        }
        let client = Client::new(aws.config());
        Ok(Self { client, bus, shared: Arc::default() })
    }

    /// Whether a bus can have this name or ARN.
    pub fn may_be_called(bus: &str) -> bool {
        let fits = |c: char| c.is_ascii_alphanumeric() || "/.-_:".contains(c);
        (1..=1_600).contains(&bus.len()) && bus.chars().all(fits)
    }

    /// How many changes this process has set aside, because the bus never takes them.
    pub fn set_aside(&self) -> u64 {
        self.shared.set_aside.load(Ordering::Relaxed)
    }
}
