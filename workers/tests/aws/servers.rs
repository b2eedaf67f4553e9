//! Stand-ins for AWS as processes of our own, one of each for the whole run, on free ports of this machine.
//!
//! The tests of the whole system use this file, too. A test process has no end at which it could stop what it started, and
//! may be killed. So each stand-in has a keeper, a shell that waits for the other end of its standard input to close, and
//! then kills it by its pid.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

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

struct Server {
    url: String,
    /// Its end is the end of the server.
    _keeper: Child,
}

/// Where the stand-in is that has all services; `None` where there is none and whoever runs the tests said so.
pub async fn ministack() -> Option<&'static str> {
    let port = free_port();
    let command = |program: String| (vec![program], vec![("GATEWAY_PORT", port.to_string())]);
    let server = MINISTACK.get_or_init(|| start("MINISTACK", port, "/_ministack/health", command)).await;
    Some(server.as_ref()?.url.as_str())
}

/// Where the one is that looks closer at events.
pub async fn moto() -> Option<&'static str> {
    let port = free_port();
    let command = |program| {
        let arguments = ["-H", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned);
        ([program].into_iter().chain(arguments).collect(), Vec::new())
    };
    let server = MOTO.get_or_init(|| start("MOTO", port, "/moto-api/data.json", command)).await;
    Some(server.as_ref()?.url.as_str())
}

/// What an account's calls carry instead of a signature, which no stand-in looks at.
pub fn authorization(account: &str, service: &str) -> String {
    let credential = format!("{account}/20260101/eu-west-1/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0")
}

/// Calls an operation that Fairy itself has no use for, such as `AWSEvents.PutRule`.
pub async fn call(url: &str, account: &str, operation: &str, body: &Value) -> Value {
    let service = if operation.starts_with("AmazonSQS") { "sqs" } else { "events" };
    let answer = reqwest::Client::new()
        .post(url)
        .header("X-Amz-Target", operation)
        .header("Content-Type", "application/x-amz-json-1.1")
        .header("Authorization", authorization(account, service))
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{operation}: {status} {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

/// Takes out of a queue the events that are in it.
pub async fn take_events(url: &str, account: &str, queue: &str) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let receive = serde_json::json!({
            "QueueUrl": format!("{url}/{account}/{queue}"),
            "MaxNumberOfMessages": 10,
            "VisibilityTimeout": 600,
        });
        let answer = call(url, account, "AmazonSQS.ReceiveMessage", &receive).await;
        let Some(messages) = answer["Messages"].as_array().filter(|messages| !messages.is_empty()) else {
            return events;
        };
        let body =
            |message: &Value| serde_json::from_str::<Value>(message["Body"].as_str().unwrap()).unwrap();
        events.extend(messages.iter().map(body));
    }
}

/// Lets an account send mail from all addresses of a domain.
pub async fn verify(url: &str, account: &str, domain: &str) {
    let verify = reqwest::Client::new()
        .post(format!("{url}/v2/email/identities"))
        .header("Authorization", authorization(account, "ses"))
        .body(serde_json::json!({ "EmailIdentity": domain }).to_string());
    drop(verify.send().await.unwrap());
}

/// What a stand-in shows of an account.
pub async fn get(url: &str, account: &str, path: &str) -> Value {
    let answer = reqwest::get(format!("{url}{path}?account={account}")).await.unwrap();
    answer.json().await.unwrap()
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
