//! Who waits for which lane to change, in this process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

/// A value for each lane that somebody watches.
#[derive(Default)]
pub(crate) struct Wakes {
    lanes: Mutex<HashMap<&'static str, watch::Sender<u64>>>,
    /// Told when a lane is watched that was not before.
    pub added: Notify,
}

impl Wakes {
    /// A value that changes when the lane does.
    pub fn watch(&self, lane: &'static str) -> watch::Receiver<u64> {
        let mut lanes = self.lock();
        if !lanes.contains_key(lane) {
            self.added.notify_one();
        }
        lanes.entry(lane).or_default().subscribe()
    }

    /// Changes the value of those lanes that `wanted` picks.
    pub fn wake(&self, wanted: impl Fn(&str) -> bool) {
        for (_, lane) in self.lock().iter().filter(|(name, _)| wanted(name)) {
            lane.send_modify(|count| *count += 1);
        }
    }

    /// The lanes that are watched.
    pub fn lanes(&self) -> Vec<&'static str> {
        self.lock().keys().copied().collect()
    }

    /// No code panics while it holds this lock, except a caller's choice of names, which leaves it sound.
    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, watch::Sender<u64>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
