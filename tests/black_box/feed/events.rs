//! Reads a live stream as a browser's `EventSource` does.

use std::time::Duration;

use reqwest::Response;
use tokio::time::timeout;

/// How long a stream may go on after what ends it.
const END: Duration = Duration::from_secs(30);

use crate::client::{Api, Call};

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its `id:`.
    pub id: String,
    /// Its `event:`.
    pub name: String,
    /// Its `data:`.
    pub data: serde_json::Value,
}

/// An open stream.
pub struct Events {
    response: Response,
    text: String,
}

/// The call that opens a stream.
pub fn call(api: &Api, path: &str) -> Call {
    api.get(path).without_time_out().header("Accept", "text/event-stream")
}

impl Events {
    /// Opens the stream.
    pub async fn open(call: Call) -> Self {
        let response = call.open().await;
        assert_eq!(response.status(), 200);
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        Self { response, text: String::new() }
    }

    /// The next event; `None` once the server has ended the stream.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let event = parse(block);
                self.text = rest.to_owned();
                if event.is_some() {
                    return event;
                }
            }
            let chunk = timeout(Duration::from_secs(60), self.response.chunk()).await;
            let chunk = chunk.unwrap_or_else(|_| panic!("nothing came for a minute, not even a heartbeat"));
            match chunk {
                Ok(Some(bytes)) => self.text += &String::from_utf8_lossy(&bytes).replace("\r\n", "\n"),
                Ok(None) => return None,
                Err(error) => panic!("the stream broke: {error:?}"),
            }
        }
    }

    /// The next `count` events.
    pub async fn take(&mut self, count: usize) -> Vec<Event> {
        let mut events = Vec::new();
        while events.len() < count {
            let next = self.next().await;
            events.push(next.unwrap_or_else(|| panic!("the stream ended after {events:?}")));
        }
        events
    }

    /// Waits until the server ends the stream, letting go of what still comes.
    pub async fn ended(mut self) {
        let end = timeout(END, async { while self.next().await.is_some() {} }).await;
        end.unwrap_or_else(|_| panic!("the stream still goes on after {END:?}"));
    }

    /// Waits for a comment, which is what a heartbeat is, and says how long it was in coming.
    pub async fn heartbeat(mut self) -> Duration {
        let start = tokio::time::Instant::now();
        while !self.text.lines().any(|line| line.starts_with(':')) {
            let chunk = timeout(END, self.response.chunk()).await.expect("a heartbeat");
            self.text += &String::from_utf8_lossy(&chunk.expect("a whole stream").expect("goes on"));
        }
        start.elapsed()
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let mut lines = block.lines().filter_map(|l| l.strip_prefix(name)?.strip_prefix(':'));
        lines.next().map(|value| value.strip_prefix(' ').unwrap_or(value).to_owned())
    };
    Some(Event {
        id: field("id")?,
        name: field("event")?,
        data: serde_json::from_str(&field("data")?).expect("JSON"),
    })
}
