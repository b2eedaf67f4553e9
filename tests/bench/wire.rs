//! A client that costs little: one HTTP/1.1 connection, kept open, no more of the protocol than the server uses.
//!
//! Client and server share the machine's processors, so a comfortable client would be measured along with the server.

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A connection of one caller.
pub struct Wire {
    stream: TcpStream,
    headers: String,
    read: Vec<u8>,
}

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its header lines.
    pub head: String,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON, which it must be, with this status.
    #[track_caller]
    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}\n{}", self.head, String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

impl Wire {
    /// Connects; `headers` are sent with every request, each ended by `\r\n`.
    pub async fn open(address: &str, headers: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).unwrap();
        Self { stream, headers: format!("Host: {address}\r\n{headers}"), read: Vec::with_capacity(16 * 1024) }
    }

    /// Sends a request and reads the answer.
    pub async fn call(&mut self, method: &str, path: &str, extra: &str, body: &str) -> Answer {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{}{extra}{kind}Content-Length: {}\r\n\r\n{body}",
            self.headers,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.expect("the connection holds");
        let end = self.until(|bytes| bytes.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4)).await;
        let head = String::from_utf8(self.read.drain(..end).collect()).expect("ASCII");
        let status = head[9..12].parse().expect("a status");
        let field = |name: &str| {
            head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix(name).map(str::to_owned))
        };
        let body = match field("content-length:") {
            Some(length) => {
                let length = length.trim().parse().expect("a length");
                self.until(|bytes| (bytes.len() >= length).then_some(length)).await;
                self.read.drain(..length).collect()
            }
            None if field("transfer-encoding:").is_some() => self.chunks().await,
            None => Vec::new(),
        };
        Answer { status, head, body }
    }

    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = self.until(|bytes| bytes.windows(2).position(|w| w == b"\r\n")).await;
            let size = String::from_utf8(self.read.drain(..line + 2).collect()).expect("ASCII");
            let size = usize::from_str_radix(size.trim(), 16).expect("a size");
            self.until(|bytes| (bytes.len() >= size + 2).then_some(0)).await;
            body.extend(self.read.drain(..size + 2).take(size));
            if size == 0 {
                return body;
            }
        }
    }

    async fn until(&mut self, enough: impl Fn(&[u8]) -> Option<usize>) -> usize {
        loop {
            if let Some(end) = enough(&self.read) {
                return end;
            }
            let count = self.stream.read_buf(&mut self.read).await.expect("the connection holds");
            assert!(count > 0, "the server closed the connection");
        }
    }
}
