//! Outcomes to the process that waits: each has a channel of its own, which operations name that somebody waits for.
//!
//! Who applied a batch hands its outcomes over and goes on; a task publishes what has gathered, in one go, the outcomes
//! for one process together. What it cannot publish soon it forgets, and what finds no room is not taken: the request
//! that waits for it looks at the rows.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use fairy_jobs::{
    id::OperationId,
    operation::{Outcome, ReplyTo},
    ports::{OutcomeChannel, Reply},
};
use fairy_queue::redis::Line;
use futures::future::BoxFuture;
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::embedded;

/// What the channels' names begin with.
pub(super) const CHANNEL: &str = "outcomes:";
/// Most outcomes that wait to be published, and most that are published in one go.
const WAITING: usize = 1_024;
const AT_ONCE: usize = 256;
/// Bytes of one message, unless a single outcome has more.
const MESSAGE: usize = 64 << 10;
/// How long publishing may take: no longer than those who wait take to look themselves.
const PATIENCE: Duration = Duration::from_millis(250);

/// The channel; clones share it.
#[derive(Clone)]
pub struct Outcomes {
    here: embedded::Outcomes,
    name: Option<ReplyTo>,
    out: mpsc::Sender<Reply>,
}

impl Outcomes {
    /// A channel for a process that hears under this name, if it hears, and the task's end of it.
    pub(super) fn new(here: embedded::Outcomes, name: Option<ReplyTo>) -> (Self, mpsc::Receiver<Reply>) {
        let (out, waiting) = mpsc::channel(WAITING);
        (Self { here, name, out }, waiting)
    }

    /// Those who wait in this process.
    pub const fn here(&self) -> &embedded::Outcomes {
        &self.here
    }
}

#[async_trait]
impl OutcomeChannel for Outcomes {
    fn listen(&self, id: OperationId) -> BoxFuture<'static, Outcome> {
        self.here.listen(id)
    }

    fn reply_to(&self) -> Option<ReplyTo> {
        self.name.clone()
    }

    async fn send(&self, replies: Vec<Reply>) {
        for reply in replies {
            self.here.tell(&reply.outcome);
            if reply.to.is_some() && reply.to != self.name && self.out.try_send(reply).is_err() {
                tracing::debug!("an outcome finds no room and is left to be found in the rows");
            }
        }
    }
}

/// Publishes what is handed over until told to stop, and then what is left.
pub(super) async fn publish(line: Line, mut waiting: mpsc::Receiver<Reply>, stop: CancellationToken) {
    let mut gathered = Vec::with_capacity(AT_ONCE);
    loop {
        tokio::select! {
            _ = waiting.recv_many(&mut gathered, AT_ONCE) => {}
            () = stop.cancelled() => waiting.close(),
        }
        if gathered.is_empty() && waiting.recv_many(&mut gathered, AT_ONCE).await == 0 {
            return;
        }
        let messages = messages(std::mem::take(&mut gathered));
        match timeout(PATIENCE, line.publish(&messages)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "outcomes are left to be found in the rows"),
            Err(_) => {
                tracing::debug!("outcomes are left to be found in the rows: the server does not answer");
            }
        }
    }
}

/// Outcomes as messages: a JSON list for each process, several where one would be long.
fn messages(replies: Vec<Reply>) -> Vec<(String, Vec<u8>)> {
    let mut lists: BTreeMap<ReplyTo, Vec<Vec<u8>>> = BTreeMap::new();
    for Reply { to, outcome } in replies {
        let (Some(to), Ok(text)) = (to, serde_json::to_vec(&outcome)) else { continue };
        let lists = lists.entry(to).or_default();
        match lists.last_mut().filter(|list| list.len() + text.len() < MESSAGE) {
            Some(list) => {
                list.push(b',');
                list.extend(text);
            }
            None => lists.push([b"[".as_slice(), &text].concat()),
        }
    }
    let named = |(to, lists): (ReplyTo, Vec<Vec<u8>>)| {
        lists.into_iter().map(move |mut list| {
            list.push(b']');
            (format!("{CHANNEL}{}", to.as_str()), list)
        })
    };
    lists.into_iter().flat_map(named).collect()
}

/// Tells those who wait here what a message says; of one that cannot be read they learn from the rows.
pub(super) fn hear(here: &embedded::Outcomes, message: &[u8]) {
    match serde_json::from_slice::<Vec<Outcome>>(message) {
        Ok(outcomes) => outcomes.iter().for_each(|outcome| here.tell(outcome)),
        Err(error) => tracing::debug!(%error, "a message with outcomes cannot be read"),
    }
}
