//! Stand-ins for AWS as processes of our own, one of each for the whole run, on free ports of this machine.
//!
//! A test process has no end at which it could stop what it started, and may be killed. So each has a keeper, a shell that
//! waits for the other end of its standard input to close, and then kills it by its pid.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::Credentials;
use fairy_jobs::clock::Clock;
use fairy_workers::aws::Aws;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::OnceCell;

const KEEPER: &str = r#"
"$@" >"$LOG" 2>&1 &
server=$!
trap 'kill -9 "$server"; rm -f "$LOG"' EXIT
cat >/dev/null
"#;

static MINISTACK: OnceCell<Option<Server>> = OnceCell::const_new();
static MOTO: OnceCell<Option<Server>> = OnceCell::const_new();
static ACCOUNTS: AtomicU32 = AtomicU32::new(1);

struct Server {
    url: String,
    /// Its end is the end of the server.
    _keeper: Child,
}

/// An AWS account of its own on a stand-in.
pub struct Account {
    pub url: String,
    pub id: String,
    pub aws: Aws,
}

impl Account {
    /// On the stand-in that has all services; `None` where there is none and whoever runs the tests said so.
    pub async fn on_ministack() -> Option<Self> {
        let port = free_port();
        let command = |program: String| (vec![program], vec![("GATEWAY_PORT", port.to_string())]);
        let server = MINISTACK.get_or_init(|| start("MINISTACK", port, "/_ministack/health", command)).await;
        Some(Self::at(&server.as_ref()?.url).await)
    }

    /// On the stand-in that looks closer at events.
    pub async fn on_moto() -> Option<Self> {
        let port = free_port();
        let command = |program| {
            let arguments = ["-H", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned);
            ([program].into_iter().chain(arguments).collect(), Vec::new())
        };
        let server = MOTO.get_or_init(|| start("MOTO", port, "/moto-api/data.json", command)).await;
        Some(Self::at(&server.as_ref()?.url).await)
    }

    pub async fn at(url: &str) -> Self {
        let id = format!("{:012}", 700_000_000_000_u64 + u64::from(ACCOUNTS.fetch_add(1, Ordering::Relaxed)));
        let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new(&id, "secret", None, None, "test"))
            .endpoint_url(url);
        Self { url: url.to_owned(), aws: Aws::load(loader).await.unwrap(), id }
    }

    /// Calls an operation that Fairy itself has no use for, such as `AWSEvents.PutRule`.
    pub async fn call(&self, operation: &str, body: Value) -> Value {
        let service = if operation.starts_with("AmazonSQS") { "sqs" } else { "events" };
        let credential = format!("{}/20260101/eu-west-1/{service}/aws4_request", self.id);
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
        let answer = reqwest::Client::new()
            .post(&self.url)
            .header("X-Amz-Target", operation)
            .header("Content-Type", "application/x-amz-json-1.1")
            .header("Authorization", authorization)
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{operation}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = reqwest::get(format!("{}{path}?account={}", self.url, self.id)).await.unwrap();
        answer.json().await.unwrap()
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

type Line = (Vec<String>, Vec<(&'static str, String)>);

#[expect(
    clippy::disallowed_methods,
    reason = "the test harness names the parts and those that are missing on purpose"
)]
async fn start(part: &str, port: u16, ready: &str, command: impl FnOnce(String) -> Line) -> Option<Server> {
    let told = std::env::var("FAIRY_TEST_WITHOUT").unwrap_or_default();
    if told.split(',').any(|name| name.trim().eq_ignore_ascii_case(part)) {
        // Past the harness, which shows only what failing tests print.
        let line = format!(
            "\nNOT TESTED: FAIRY_TEST_WITHOUT names {part}, and the adapters to AWS did not meet it.\n"
        );
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return None;
    }
    let Ok(program) = std::env::var(format!("FAIRY_TEST_{part}")) else {
        let without = part.to_lowercase();
        panic!(
            "FAIRY_TEST_{part} must name the program; `make test` installs it, or set FAIRY_TEST_WITHOUT={without}"
        );
    };
    let (line, variables) = command(program);
    let log = std::env::temp_dir().join(format!("fairy-{}-{port}.log", part.to_lowercase()));
    let mut keeper = Command::new("bash")
        .args(["-c", KEEPER, "keeper"])
        .args(line)
        .env("LOG", &log)
        .envs([("BIND_HOST", "127.0.0.1"), ("IOT_MTLS_ENABLED", "0"), ("LOG_LEVEL", "WARNING")])
        .envs([("MINISTACK_REGION", "eu-west-1")])
        .envs(variables)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let url = format!("http://127.0.0.1:{port}");
    while reqwest::get(format!("{url}{ready}")).await.is_err() {
        if let Some(status) = keeper.try_wait().unwrap() {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            panic!("{part} does not start: {status}\n{said}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Some(Server { url, _keeper: keeper })
}

/// A clock that stands.
pub struct At(pub Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A clock that stands at this second of the feed that the suites make.
pub fn clock(second: i64) -> Arc<dyn Clock> {
    Arc::new(At(Timestamp::from_second(1_750_000_000 + second).unwrap()))
}
