//! A collector of traces: OTLP over HTTP, in protobuf, as the real ones take it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message as _;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::harness::wait_until;

/// A span as the collector was told of it; ids are hexadecimal digits.
#[derive(Debug, Clone)]
pub struct Span {
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub name: String,
    /// `SpanKind` in OTLP: 1 internal, 2 server, 4 producer, 5 consumer.
    pub kind: i32,
    /// Whether it ended with an error.
    pub failed: bool,
    pub attributes: BTreeMap<String, String>,
    /// The spans that it links to.
    pub links: Vec<String>,
    /// What the process says of itself.
    pub process: BTreeMap<String, String>,
}

/// The collector; it takes traces for as long as the test runs.
pub struct Collector {
    /// Where it listens.
    pub url: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let spans: Arc<Mutex<Vec<Span>>> = Arc::default();
        let kept = spans.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, kept.clone()));
            }
        });
        Self { url, spans }
    }

    /// What it was told of a trace so far.
    pub fn trace(&self, id: &str) -> Vec<Span> {
        self.spans.lock().unwrap().iter().filter(|span| span.trace == id).cloned().collect()
    }

    /// Waits until a trace has a span of each of these names; those of that trace, in the order of these names.
    pub async fn spans(&self, trace: &str, names: &[&str]) -> Vec<Span> {
        wait_until(&format!("the trace has {names:?}"), || async {
            let spans = self.trace(trace);
            let find = |name: &&str| spans.iter().find(|span| span.name == **name).cloned();
            names.iter().map(find).collect::<Option<Vec<Span>>>()
        })
        .await
    }
}

async fn take(stream: TcpStream, spans: Arc<Mutex<Vec<Span>>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let begin = head.len();
            if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
            let line = head[begin..].trim_end().to_lowercase();
            if let Some(count) = line.strip_prefix("content-length:") {
                length = count.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        assert!(head.starts_with("POST /v1/traces HTTP/1.1"), "{head}");
        assert!(head.to_lowercase().contains("content-type: application/x-protobuf"), "{head}");
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let told = ExportTraceServiceRequest::decode(body.as_slice()).expect("it is OTLP");
        spans.lock().unwrap().extend(read(told));
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

fn read(told: ExportTraceServiceRequest) -> Vec<Span> {
    let mut read = Vec::new();
    for process in told.resource_spans {
        let said = texts(&process.resource.unwrap_or_default().attributes);
        for span in process.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            read.push(Span {
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                name: span.name,
                kind: span.kind,
                failed: span.status.is_some_and(|status| status.code == 2),
                attributes: texts(&span.attributes),
                links: span.links.iter().map(|link| hex(&link.span_id)).collect(),
                process: said.clone(),
            });
        }
    }
    read
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.clone().and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
