//! Which feeds have grown, told to every process that may have followers.
//!
//! One channel carries all workspaces, so what has gathered while one message was on its way goes in the next, and of a
//! workspace that grows a thousand times meanwhile only the last number. A process hears of every workspace and wakes
//! only who follows it here; that is 24 bytes for each. What could not be said is said later.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fairy_jobs::id::WorkspaceId;
use fairy_queue::redis::Line;
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::embedded::Signals;

/// The channel's name.
pub(super) const CHANNEL: &str = "feed";
/// Most workspaces that are noted; followers of others look by themselves.
const NOTED: usize = 10_000;
/// Workspaces in one message.
const MESSAGE: usize = 500;
/// Bytes of a workspace in a message: its id and the number.
const ENTRY: usize = 24;
/// How long saying it may take, and how long it is left when it failed.
const PATIENCE: Duration = Duration::from_secs(1);
const REST: Duration = Duration::from_millis(250);

type Grown = BTreeMap<WorkspaceId, u64>;

/// Notes what has grown, and says it; clones share the notes.
#[derive(Clone, Default)]
pub(super) struct Crier {
    grown: Arc<Mutex<Grown>>,
    noted: Arc<Notify>,
}

impl Crier {
    /// Notes that a feed has grown up to `seq`.
    pub fn note(&self, workspace: WorkspaceId, seq: u64) {
        let mut grown = self.lock();
        if grown.len() < NOTED || grown.contains_key(&workspace) {
            let last = grown.entry(workspace).or_default();
            *last = seq.max(*last);
            self.noted.notify_one();
        }
    }

    /// Says what is noted until told to stop, and then once more.
    pub async fn cry(self, line: Line, stop: CancellationToken) {
        loop {
            let stopped = tokio::select! {
                () = self.noted.notified() => false,
                () = stop.cancelled() => true,
            };
            let grown = std::mem::take(&mut *self.lock());
            let said = grown.is_empty() || self.say(&line, &grown).await;
            if stopped {
                return;
            }
            if !said {
                grown.into_iter().for_each(|(workspace, seq)| self.note(workspace, seq));
                tokio::select! {
                    () = tokio::time::sleep(REST) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
    }

    async fn say(&self, line: &Line, grown: &Grown) -> bool {
        let entries: Vec<u8> = grown.iter().flat_map(|(workspace, seq)| entry(*workspace, *seq)).collect();
        let parts = entries.chunks(MESSAGE * ENTRY);
        let messages: Vec<_> = parts.map(|part| (CHANNEL.to_owned(), part.to_vec())).collect();
        match timeout(PATIENCE, line.publish(&messages)).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::debug!(%error, "which feeds have grown cannot be said");
                false
            }
            Err(_) => false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Grown> {
        self.grown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry(workspace: WorkspaceId, seq: u64) -> [u8; ENTRY] {
    let mut entry = [0; ENTRY];
    entry[..16].copy_from_slice(&workspace.to_bytes());
    entry[16..].copy_from_slice(&seq.to_be_bytes());
    entry
}

/// Wakes those who follow here what a message names.
pub(super) fn hear(signals: &Signals, message: &[u8]) {
    for entry in message.chunks_exact(ENTRY) {
        let (mut workspace, mut seq) = ([0; 16], [0; 8]);
        workspace.copy_from_slice(&entry[..16]);
        seq.copy_from_slice(&entry[16..]);
        signals.heard(WorkspaceId::from_bytes(workspace), u64::from_be_bytes(seq));
    }
}
