//! A body on its way: bounded in bytes, in time, and in the room that all bodies share.
//!
//! A limit for each body bounds nothing when thousands are sent together, and each may take half a minute to arrive. So a
//! body takes room for what has come of it so far and keeps that until its request is answered. Who need not prove
//! anything takes from a room of its own, so that strangers cannot keep members from writing.

use std::{io, pin::pin, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use fairy_jobs::problem::{Problem, ProblemKind};
use futures::{Stream, StreamExt as _};
use poem::RequestBody;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::unavailable;

/// The largest body of a request that anybody may send, in bytes.
pub(crate) const OPEN_BYTES: usize = 16 << 10;
/// The most bytes that are read only to be dropped.
pub(super) const MOST_DISCARDED: usize = 64 << 20;
/// How long a body may take to arrive.
pub(crate) const MOST_TIME: Duration = Duration::from_secs(30);
/// Bytes of bodies that may be in memory at once, sent to where a caller is asked for.
const CALLERS: usize = 64 << 20;
/// The same for what anybody may send.
const STRANGERS: usize = 16 << 20;

/// Room for bodies.
pub(crate) struct Rooms {
    callers: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
}

impl Default for Rooms {
    fn default() -> Self {
        Self { callers: Arc::new(Semaphore::new(CALLERS)), strangers: Arc::new(Semaphore::new(STRANGERS)) }
    }
}

impl Rooms {
    /// A place for a body of at most this many bytes, which takes no room yet.
    pub fn place(&self, limit: usize) -> Held {
        let room = if limit <= OPEN_BYTES { &self.strangers } else { &self.callers };
        Held { room: Arc::clone(room), taken: None }
    }
}

/// The room that a body takes; given back when it is dropped.
pub(crate) struct Held {
    room: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
}

impl Held {
    /// Takes room for this many bytes more, if there is any.
    fn grow(&mut self, bytes: usize) -> bool {
        let more = u32::try_from(bytes).ok().and_then(|n| self.room.clone().try_acquire_many_owned(n).ok());
        match (&mut self.taken, more) {
            (_, None) => return false,
            (Some(taken), Some(more)) => taken.merge(more),
            (taken, more) => *taken = more,
        }
        true
    }
}

/// What became of a body.
enum Fate {
    Whole(Bytes),
    TooLarge,
    NoRoom,
}

/// The bytes of a body, with the room they take.
pub(crate) async fn receive(
    body: &mut RequestBody,
    limit: usize,
    mut held: Held,
) -> Result<(Bytes, Held), Problem> {
    let malformed = |detail: &str| Problem::new(ProblemKind::Malformed, detail);
    let body = body.take().map_err(|_| malformed("There is no body."))?;
    match tokio::time::timeout(MOST_TIME, collect(body.into_bytes_stream(), limit, &mut held)).await {
        Ok(Ok(Fate::Whole(bytes))) => Ok((bytes, held)),
        Ok(Ok(Fate::TooLarge)) => Err(too_large(limit)),
        Ok(Ok(Fate::NoRoom)) => Err(unavailable()),
        Ok(Err(_)) => Err(malformed("The body broke off.")),
        Err(_) => Err(malformed("The body did not arrive within 30 seconds.")),
    }
}

/// The refusal of a body that is larger than this many bytes.
pub(super) fn too_large(limit: usize) -> Problem {
    let detail = format!("The body may have at most {limit} bytes.");
    Problem::new(ProblemKind::BodyTooLarge, detail)
}

/// The bytes of a body, if they are no more than `limit` and there is room. What is not kept is read and dropped, up to a
/// bound, because a client that is cut off while it writes never reads why.
async fn collect(
    body: impl Stream<Item = Result<Bytes, io::Error>>,
    limit: usize,
    held: &mut Held,
) -> Result<Fate, io::Error> {
    let (mut body, mut kept, mut seen, mut room) = (pin!(body), BytesMut::new(), 0, true);
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        seen += chunk.len();
        if seen > MOST_DISCARDED {
            break;
        }
        room = room && (seen > limit || held.grow(chunk.len()));
        if room && seen <= limit {
            kept.extend_from_slice(&chunk);
        } else {
            kept = BytesMut::new();
            held.taken = None;
        }
    }
    Ok(match (seen <= limit, room) {
        (false, _) => Fate::TooLarge,
        (true, false) => Fate::NoRoom,
        (true, true) => Fate::Whole(kept.freeze()),
    })
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use poem::Body;

    use super::*;

    async fn received(chunks: &[usize], limit: usize, rooms: &Rooms) -> Result<(Bytes, Held), ProblemKind> {
        let chunks: Vec<_> = chunks.iter().map(|n| Ok::<_, io::Error>(Bytes::from(vec![b' '; *n]))).collect();
        let mut body = RequestBody::new(Body::from_bytes_stream(stream::iter(chunks)));
        receive(&mut body, limit, rooms.place(limit)).await.map_err(|problem| problem.kind)
    }

    #[tokio::test]
    async fn a_body_is_whole_or_nothing() {
        let rooms = Rooms::default();
        let length =
            async |chunks: &[usize]| received(chunks, 10, &rooms).await.map(|(bytes, _)| bytes.len());
        assert_eq!(length(&[]).await, Ok(0));
        assert_eq!(length(&[4, 6]).await, Ok(10));
        assert_eq!(length(&[4, 6, 1]).await, Err(ProblemKind::BodyTooLarge));
        assert_eq!(length(&[11]).await, Err(ProblemKind::BodyTooLarge));
        assert_eq!(length(&[MOST_DISCARDED, 1]).await, Err(ProblemKind::BodyTooLarge));
        assert_eq!(rooms.strangers.available_permits(), STRANGERS, "what is answered gives its room back");
    }

    #[tokio::test]
    async fn all_bodies_together_take_no_more_than_the_room() {
        let rooms = Rooms::default();
        let mut held = Vec::new();
        for _ in 0..STRANGERS / OPEN_BYTES {
            held.push(received(&[OPEN_BYTES / 2; 2], OPEN_BYTES, &rooms).await.unwrap());
        }
        let one_more = async |limit| received(&[1], limit, &rooms).await.map(drop);
        assert_eq!(one_more(OPEN_BYTES).await, Err(ProblemKind::Unavailable));
        assert_eq!(one_more(1 << 20).await, Ok(()), "strangers take nothing from members");
        held.pop();
        assert_eq!(one_more(OPEN_BYTES).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_arrive_is_not_awaited() {
        let rooms = Rooms::default();
        let never = stream::pending::<Result<Bytes, io::Error>>();
        let mut body = RequestBody::new(Body::from_bytes_stream(never));
        let end = receive(&mut body, OPEN_BYTES, rooms.place(OPEN_BYTES)).await;
        assert_eq!(end.err().map(|problem| problem.kind), Some(ProblemKind::Malformed));
    }
}
