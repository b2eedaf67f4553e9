//! An AWS that answers as a test tells it.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::world::Account;

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The operation, or the path where the API has paths.
    pub operation: String,
    pub body: Value,
}

/// What is answered.
pub enum Answer {
    /// It was done, with this.
    Done(Value),
    /// An error of this status, code and message.
    Error(u16, &'static str, &'static str),
    /// The connection is cut, and nobody knows whether it was done.
    Cut,
}

type Decide = dyn Fn(&Asked, usize) -> Answer + Send + Sync;

/// The stand-in; it answers for as long as the test runs.
pub struct StandIn {
    pub account: Account,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    /// One that answers by what is asked and how often it was asked for anything before.
    pub async fn new(decide: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let account = Account::at(&format!("http://{}", listener.local_addr().unwrap())).await;
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (list, decide): (_, Arc<Decide>) = (asked.clone(), Arc::new(decide));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, list.clone(), decide.clone()));
            }
        });
        Self { account, asked }
    }

    /// The bodies of all calls of an operation.
    pub fn asked(&self, operation: &str) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|asked| asked.operation.ends_with(operation))
            .map(|asked| asked.body.clone())
            .collect()
    }
}

async fn serve(mut stream: TcpStream, list: Arc<Mutex<Vec<Asked>>>, decide: Arc<Decide>) {
    let mut buffer = Vec::new();
    while let Some(asked) = next(&mut stream, &mut buffer).await {
        let answer = {
            let mut list = list.lock().unwrap();
            list.push(asked.clone());
            decide(&asked, list.len() - 1)
        };
        let (status, kind, body) = match answer {
            Answer::Cut => return,
            Answer::Done(body) => (200, "", body.to_string()),
            Answer::Error(status, code, message) => {
                let body = serde_json::json!({ "__type": code, "message": message });
                (status, code, body.to_string())
            }
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.0\r\nx-amzn-errortype: {kind}\r\n\
             content-length: {}\r\n\r\n",
            body.len(),
        );
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn next(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Asked> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        more(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let length: usize = header("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    while buffer.len() < end + length {
        more(stream, buffer).await?;
    }
    let body = serde_json::from_slice(&buffer[end..end + length]).unwrap_or_default();
    buffer.drain(..end + length);
    let path = head.split_whitespace().nth(1).unwrap_or_default().to_owned();
    Some(Asked { operation: header("x-amz-target").unwrap_or(path), body })
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let count = stream.read_buf(buffer).await.ok()?;
    (count > 0).then_some(())
}
