//! Following a feed live, as server-sent events (WHATWG HTML §9.2).
//!
//! A signal only wakes the stream; what it sends is read from the feed in pages, one at a time and only when the reader
//! took the page before. So nothing is skipped when signals are, and a slow reader lags without costing memory. A signal
//! that got lost delays a change by a few seconds, for the feed is looked at without one as well. Again and again the
//! session and the right are looked at, and the stream ends when either is gone.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use fairy_jobs::{
    change::Change,
    id::{UserId, WorkspaceId},
    ports::{Meter, Stretch},
    problem::{Problem, ProblemKind},
    rights::Action,
};
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use poem::{Body, Response};
use tokio::time::{Instant, Interval, interval_at, sleep_until};

use crate::{
    auth::{Caller, Secret},
    front::Front,
    view::change_json,
};

/// How often, at the most, a busy stream asks whether it may go on.
const LOOK: Duration = Duration::from_secs(1);
/// How often a quiet stream says that it lives, and how often the right to follow is looked at.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often the feed is looked at without a signal.
const LOOK_ANYWAY: Duration = Duration::from_secs(5);
/// How many changes are read at once.
const PAGE: usize = 100;
/// How many streams a person may have open.
const MOST_STREAMS: usize = 20;

/// How many streams each person has open.
#[derive(Clone)]
pub(crate) struct StreamSlots {
    open: Arc<Mutex<HashMap<UserId, usize>>>,
    meter: Arc<dyn Meter>,
}

/// One open stream, counted until it is dropped.
struct Slot {
    slots: StreamSlots,
    user: UserId,
}

impl StreamSlots {
    /// No streams, and who counts them.
    pub fn new(meter: Arc<dyn Meter>) -> Self {
        Self { open: Arc::default(), meter }
    }

    fn take(&self, user: UserId) -> Result<Slot, Problem> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(user).or_default();
        if *count >= MOST_STREAMS {
            let detail = format!("{MOST_STREAMS} streams are open already; close one first.");
            return Err(Problem::new(ProblemKind::TooManyRequests, detail).retry_after(15));
        }
        *count += 1;
        self.meter.stream_opened();
        Ok(Slot { slots: self.clone(), user })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.meter.stream_closed();
        let mut open = self.slots.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.user);
            }
        }
    }
}

/// Somebody who follows a workspace's feed.
pub(super) struct Follower {
    front: Arc<Front>,
    caller: Caller,
    secret: Option<Secret>,
    workspace: WorkspaceId,
    slot: Slot,
}

struct Live {
    follower: Follower,
    wakes: Wakes,
    after: u64,
    ready: VecDeque<Change>,
    looked: Instant,
}

/// What ends the rest of a quiet stream.
struct Wakes {
    signal: BoxStream<'static, u64>,
    beat: Interval,
    read: Instant,
}

#[derive(Debug, PartialEq, Eq)]
enum Wake {
    /// There may be something to read.
    Look,
    /// It is to be said that the stream lives.
    Beat,
}

impl Wakes {
    fn new(signal: BoxStream<'static, u64>) -> Self {
        let now = Instant::now();
        Self { signal, beat: interval_at(now + HEARTBEAT, HEARTBEAT), read: now }
    }

    /// What comes next; nothing when there will be no signals any more.
    async fn next(&mut self) -> Option<Wake> {
        tokio::select! {
            signal = self.signal.next() => signal.map(|_| Wake::Look),
            _ = self.beat.tick() => Some(Wake::Beat),
            () = sleep_until(self.read + LOOK_ANYWAY) => Some(Wake::Look),
        }
    }
}

impl Follower {
    /// A follower, if they have not too many streams open.
    pub fn new(
        front: &Arc<Front>,
        caller: Caller,
        secret: Option<Secret>,
        workspace: WorkspaceId,
    ) -> Result<Self, Problem> {
        let slot = front.streams.take(caller.user)?;
        Ok(Self { front: Arc::clone(front), caller, secret, workspace, slot })
    }

    /// The stream of what comes after a change.
    pub fn response(self, after: u64) -> Response {
        // Followed before the first read, so that nothing falls between the two.
        let wakes = Wakes::new(self.front.services.signal.follow(self.workspace));
        let live = Live { follower: self, wakes, after, ready: VecDeque::new(), looked: Instant::now() };
        // Something to read at once, so that the reader knows that it is connected.
        let hello = stream::once(async { Bytes::from_static(b"retry: 2000\n\n") });
        let events = stream::unfold(live, |mut live| async move { Some((live.next().await?, live)) });
        Response::builder()
            .content_type("text/event-stream")
            .header("x-accel-buffering", "no")
            .body(Body::from_bytes_stream(hello.chain(events).map(Ok::<_, std::io::Error>)))
    }

    async fn may_follow(&self) -> bool {
        let Some(secret) = &self.secret else {
            return false;
        };
        let name = self.workspace.to_string();
        self.caller.holds(&self.front, secret).await
            && self.front.place(&self.caller, &name, Action::Read).await.is_ok()
    }
}

impl Live {
    /// What is to be sent next; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        let drain = self.follower.front.settings.drain.clone();
        loop {
            if drain.is_cancelled() {
                return None;
            }
            if !self.ready.is_empty() && !self.may_go_on().await {
                return None;
            }
            if let Some(change) = self.ready.pop_front() {
                return Some(event(change));
            }
            if self.read().await {
                continue;
            }
            tokio::select! {
                wake = self.wakes.next() => match wake? {
                    Wake::Look => {}
                    Wake::Beat => {
                        return self.follower.may_follow().await.then(|| Bytes::from_static(b": alive\n\n"));
                    }
                },
                () = drain.cancelled() => return None,
            }
        }
    }

    /// Whether the session and the right still hold, asked anew every second, however slowly the reader takes what is
    /// ready for it.
    async fn may_go_on(&mut self) -> bool {
        if self.looked.elapsed() < LOOK {
            return true;
        }
        self.looked = Instant::now();
        self.follower.may_follow().await
    }

    /// Reads the next page; whether there was anything. While the database is away there is not, and the next look
    /// may find it back.
    async fn read(&mut self) -> bool {
        self.wakes.read = Instant::now();
        let feed = &self.follower.front.services.feed;
        match feed.changes(self.follower.workspace, self.after, PAGE).await {
            Ok(Stretch { changes, .. }) => {
                self.after = changes.last().map_or(self.after, |change| change.seq);
                self.ready.extend(changes);
                !self.ready.is_empty()
            }
            Err(error) => {
                tracing::debug!(%error, user = %self.follower.slot.user, "a live feed could not be read");
                false
            }
        }
    }
}

fn event(change: Change) -> Bytes {
    // JSON holds no raw line break, so one `data` line carries all of it.
    let (seq, kind) = (change.seq, change.kind.as_str());
    Bytes::from(format!("id: {seq}\nevent: {kind}\ndata: {}\n\n", change_json(change)))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Streams that are open.
    #[derive(Default)]
    struct Streams(AtomicUsize);

    impl Meter for Streams {
        fn accepted(&self, _: usize, _: Duration) {}

        fn stream_opened(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn stream_closed(&self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_signal_delays_a_stream_and_never_stops_it() {
        let start = Instant::now();
        let mut wakes = Wakes::new(stream::pending().boxed());
        let mut woken = Vec::new();
        for _ in 0..5 {
            let wake = wakes.next().await.unwrap();
            woken.push((wake, start.elapsed().as_secs()));
            // As it is after every wake.
            wakes.read = Instant::now() + Duration::from_millis(1);
        }
        let wanted =
            [(Wake::Look, 5), (Wake::Look, 10), (Wake::Beat, 15), (Wake::Look, 20), (Wake::Look, 25)];
        assert_eq!(woken, wanted);
        let mut wakes = Wakes::new(stream::iter([1]).boxed());
        assert_eq!(wakes.next().await, Some(Wake::Look));
        assert_eq!(wakes.next().await, None, "no more will come");
    }

    #[test]
    fn a_closed_stream_makes_room() {
        let (streams, user) = (Arc::new(Streams::default()), UserId::from_bytes([1; 16]));
        let slots = StreamSlots::new(streams.clone());
        let open: Vec<Slot> = (0..MOST_STREAMS).map(|_| slots.take(user).unwrap()).collect();
        assert!(slots.take(user).is_err());
        assert_eq!(streams.0.load(Ordering::Relaxed), MOST_STREAMS);
        assert!(slots.take(UserId::from_bytes([2; 16])).is_ok());
        drop(open);
        assert!(slots.open.lock().unwrap().is_empty());
        assert_eq!(streams.0.load(Ordering::Relaxed), 0);
        assert!(slots.take(user).is_ok());
    }
}
