//! The SMTP transport against a real mail server, and what it makes of a server that misbehaves.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use fairy_jobs::{
    clock::Clock,
    email::EmailAddress,
    id::{DeliveryId, NoticeId},
    ports::{Mail, Mailer as _, SendError, Sent},
};
use fairy_workers::mail::{Smtp, smtp};
use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;

struct Midnight;

impl Clock for Midnight {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

/// A mail server of its own process, and what it says it did.
struct Server {
    process: Child,
    said: mpsc::Receiver<Value>,
    port: u16,
}

impl Server {
    fn start(options: &[&str]) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the test harness names the Python that has aiosmtpd")]
        let python = std::env::var("FAIRY_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/smtp_faults.py");
        let mut process = Command::new(python)
            .arg(script)
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (say, said) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if say.send(serde_json::from_str::<Value>(&line).unwrap()).is_err() {
                    break;
                }
            }
        });
        let first = said.recv_timeout(Duration::from_secs(20));
        let port =
            first.expect("the mail server starts; its Python needs aiosmtpd")["port"].as_u64().unwrap();
        Self { process, said, port: u16::try_from(port).unwrap() }
    }

    /// The next message it took over.
    fn mail(&self) -> Value {
        loop {
            let said = self.said.recv_timeout(Duration::from_secs(20)).unwrap();
            if said["event"] == "mail" {
                return said;
            }
        }
    }

    /// What it did and nobody asked about, by the kind of event.
    fn rest(&self) -> Vec<String> {
        self.said.try_iter().map(|said| said["event"].as_str().unwrap().to_owned()).collect()
    }

    fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Certificates that only these tests trust.
struct Certificates {
    directory: tempfile::TempDir,
    ca: String,
}

impl Certificates {
    fn new() -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_certificate = ca.self_signed(&ca_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("certificate.pem"), leaf.pem()).unwrap();
        std::fs::write(directory.path().join("key.pem"), key.serialize_pem()).unwrap();
        Self { directory, ca: ca_certificate.pem() }
    }

    fn server(&self, tls: &str) -> Server {
        let path = |name| self.directory.path().join(name).to_str().unwrap().to_owned();
        let (certificate, key) = (path("certificate.pem"), path("key.pem"));
        Server::start(&[
            "--tls",
            tls,
            "--certificate",
            &certificate,
            "--key",
            &key,
            "--password",
            "geheim&süß",
        ])
    }
}

const PASSWORD: &str = "geheim%26s%C3%BC%C3%9F";

fn transport(url: &str, ca: Option<&str>) -> Smtp {
    let from = "Fairy <fairy@example.com>".parse().unwrap();
    smtp(&url.parse().unwrap(), ca.map(str::as_bytes), from, Arc::new(Midnight)).unwrap()
}

fn to(name: &str) -> Mail {
    Mail {
        delivery: DeliveryId::from_bytes([1; 16]),
        message_id: "ntc_1@example.com".to_owned(),
        thread: None,
        list: None,
        to: EmailAddress::parse(&format!("{name}@example.com")).unwrap(),
        to_name: None,
        subject: "WEB-12 로그인".to_owned(),
        text: "Zeile\n.\n..zwei\n".to_owned(),
        html: "<p>Zeile</p>".to_owned(),
        workspace: None,
        notice: Some(NoticeId::from_bytes([2; 16])),
        reason: Some("assigned"),
    }
}

fn temporary(result: &Result<Sent, SendError>, words: &str) {
    let fits = matches!(result, Err(SendError::Temporary { error, .. }) if error.contains(words));
    assert!(fits, "temporary with {words:?}, not {result:?}");
}

fn permanent(result: &Result<Sent, SendError>, words: &str) {
    let fits = matches!(result, Err(SendError::Permanent { error }) if error.contains(words));
    assert!(fits, "permanent with {words:?}, not {result:?}");
}

fn away(result: &Result<Sent, SendError>, words: &str) {
    let fits = matches!(result, Err(SendError::Away { error }) if error.contains(words));
    assert!(fits, "away with {words:?}, not {result:?}");
}

fn held(result: &Result<Sent, SendError>, words: &str) {
    let fits = matches!(result, Err(SendError::Held { error }) if error.contains(words));
    assert!(fits, "held with {words:?}, not {result:?}");
}

#[tokio::test]
async fn a_message_arrives_as_it_was_written() {
    let server = Server::start(&[]);
    let smtp = transport(&format!("smtp://127.0.0.1:{}", server.port), None);
    let sent = smtp.send(&to("mina")).await.unwrap();
    assert_eq!(sent.provider_id, "2.0.0 taken as 42");
    let mail = server.mail();
    assert_eq!(mail["to"][0], "mina@example.com");
    assert_eq!(mail["message_id"], "<ntc_1@example.com>");
    assert_eq!(mail["notice"], NoticeId::from_bytes([2; 16]).to_string());
    assert_eq!(mail["subject"], "WEB-12 로그인");
    assert_eq!(mail["parts"].to_string(), r#"["multipart/alternative","text/plain","text/html"]"#);
    assert_eq!(mail["text"].as_str().unwrap().replace("\r\n", "\n"), "Zeile\n.\n..zwei\n");
    assert_eq!(mail["tls"], false);
}

#[tokio::test]
async fn starttls_with_a_password() {
    let certificates = Certificates::new();
    let server = certificates.server("starttls");
    let url = format!("smtp://mina:{PASSWORD}@localhost:{}", server.port);
    let smtp = transport(&url, Some(&certificates.ca));
    smtp.check().await.unwrap();
    smtp.send(&to("mina")).await.unwrap();
    let mail = server.mail();
    assert_eq!((&mail["tls"], &mail["user"]), (&Value::Bool(true), &Value::from("mina")));

    away(&transport(&url, None).send(&to("mina")).await, "STARTTLS");
    let wrong = transport(&url.replace(PASSWORD, "wrong-one"), Some(&certificates.ca));
    let refused = wrong.send(&to("mina")).await;
    away(&refused, "signing in");
    assert!(!format!("{refused:?}").contains("wrong-one"));
    assert!(wrong.check().await.is_err());
    assert!(!server.rest().contains(&"mail".to_owned()));
}

#[tokio::test]
async fn smtps_with_a_password() {
    let certificates = Certificates::new();
    let server = certificates.server("smtps");
    let url = format!("smtps://mina:{PASSWORD}@127.0.0.1:{}", server.port);
    transport(&url, Some(&certificates.ca)).send(&to("mina")).await.unwrap();
    let mail = server.mail();
    assert_eq!((&mail["tls"], &mail["user"]), (&Value::Bool(true), &Value::from("mina")));
    away(&transport(&url, None).send(&to("mina")).await, "connecting");
    assert!(!server.rest().contains(&"mail".to_owned()));
}

#[tokio::test]
async fn a_password_is_not_sent_in_the_clear() {
    let server = Server::start(&["--password", "p"]);
    let smtp = transport(&format!("smtp://mina:p@127.0.0.1:{}?tls=required", server.port), None);
    away(&smtp.send(&to("mina")).await, "no STARTTLS");
    // To this machine itself it may be.
    let smtp = transport(&format!("smtp://mina:p@127.0.0.1:{}", server.port), None);
    smtp.send(&to("mina")).await.unwrap();
    assert_eq!(server.mail()["user"], "mina");
}

#[tokio::test]
async fn each_misbehaviour_is_read_as_what_it_is() {
    let server = Server::start(&[]);
    let smtp = transport(&format!("smtp://127.0.0.1:{}", server.port), None);
    temporary(&smtp.send(&to("later")).await, "RCPT TO: transient error (451): 4.3.0 come again");
    temporary(&smtp.send(&to("busy")).await, "sending the message: transient error (452)");
    temporary(&smtp.send(&to("drop")).await, "may have been taken over");
    for (name, words) in [("never", "550"), ("spam", "554"), ("gone", "says the relay")] {
        permanent(&smtp.send(&to(name)).await, words);
    }
    // A server that asks us for a password, or does not know us, or leaves, would have taken it from others.
    for (name, words) in [("signin", "530"), ("relay", "Relay access denied"), ("closing", "421")] {
        held(&smtp.send(&to(name)).await, words);
    }
    // A server that refuses our own address refuses every mail, which is not the recipient's fault.
    let from = "unwanted@example.com".parse().unwrap();
    let url = format!("smtp://127.0.0.1:{}", server.port).parse().unwrap();
    let unwanted = fairy_workers::mail::smtp(&url, None, from, Arc::new(Midnight)).unwrap();
    away(&unwanted.send(&to("mina")).await, "MAIL FROM: permanent error (550)");
    assert!(!server.rest().contains(&"mail".to_owned()));
}

#[tokio::test]
async fn what_keeps_all_mail_in_can_be_mended_under_a_running_transport() {
    let mut server = Server::start(&["--password", "another"]);
    let port = server.port.to_string();
    let smtp = transport(&format!("smtp://mina:p@127.0.0.1:{port}"), None);
    away(&smtp.send(&to("mina")).await, "signing in: permanent error (535)");
    server.stop();
    away(&smtp.send(&to("mina")).await, "connecting");

    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    let greet = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"554 5.3.2 no service\r\n").await.unwrap();
    });
    away(&smtp.send(&to("mina")).await, "connecting: permanent error (554)");
    greet.await.unwrap();

    let mut server = Server::start(&["--password", "p", "--port", &port]);
    smtp.send(&to("mina")).await.unwrap();
    assert_eq!(server.mail()["user"], "mina");
    // The connection that was kept is closed, and the server is away again.
    server.stop();
    away(&smtp.send(&to("mina")).await, "connecting");
}

#[tokio::test]
async fn a_server_that_tires_of_a_connection_is_not_away() {
    let server = Server::start(&["--mails", "1"]);
    let smtp = transport(&format!("smtp://127.0.0.1:{}", server.port), None);
    for _ in 0..3 {
        smtp.send(&to("mina")).await.unwrap();
        server.mail();
    }
}

#[tokio::test]
async fn connections_that_fell_silent_are_given_up_together() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let mails = 8;
    let looked = Arc::new(AtomicUsize::new(0));
    let noted = looked.clone();
    // Each connection takes one mail and says nothing more; of those after the first ones none says anything at all.
    tokio::spawn(async move {
        let mut streams = tokio::task::JoinSet::new();
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            streams.spawn(take_one(stream, number < mails, noted.clone()));
        }
    });
    let smtp = transport(&url, None).patient(Duration::from_millis(200));
    let mail = to("mina");
    let sent = futures::future::join_all((0..mails).map(|_| smtp.send(&mail))).await;
    assert!(sent.iter().all(Result::is_ok), "{sent:?}");
    for _ in 0..3 {
        away(&smtp.send(&mail).await, "silent");
    }
    assert_eq!(looked.load(Ordering::Relaxed), 1, "waiting for each of them in turn would take minutes");
}

/// A mail server that takes one mail, if any, and then is silent.
async fn take_one(stream: tokio::net::TcpStream, speaks: bool, looked: Arc<AtomicUsize>) {
    use tokio::io::AsyncBufReadExt as _;

    let mut stream = tokio::io::BufReader::new(stream);
    let mut data = false;
    let mut say = Some("220 hello\r\n");
    loop {
        if let Some(words) = say.filter(|_| speaks) {
            tokio::io::AsyncWriteExt::write_all(&mut stream, words.as_bytes()).await.unwrap();
        }
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        say = match line.trim_end() {
            "." => {
                data = false;
                Some("250 taken\r\n")
            }
            _ if data => None,
            "DATA" => {
                data = true;
                Some("354 go on\r\n")
            }
            "NOOP" => {
                looked.fetch_add(1, Ordering::Relaxed);
                None
            }
            _ => Some("250 ok\r\n"),
        };
    }
}

#[tokio::test]
async fn a_lost_reply_repeats_under_the_same_ids() {
    let server = Server::start(&[]);
    let smtp = transport(&format!("smtp://127.0.0.1:{}", server.port), None);
    temporary(&smtp.send(&to("lost")).await, "may have been taken over");
    temporary(&smtp.send(&to("lost")).await, "may have been taken over");
    let (first, second) = (server.mail(), server.mail());
    assert_eq!(first["message_id"], second["message_id"]);
    assert_eq!(first["notice"], second["notice"]);
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for_for_ever() {
    let server = Server::start(&[]);
    let url = format!("smtp://127.0.0.1:{}", server.port);
    let smtp = transport(&url, None).patient(Duration::from_millis(500));
    let begun = Instant::now();
    temporary(&smtp.send(&to("slow")).await, "may have been taken over");
    assert!(begun.elapsed() < Duration::from_secs(10));

    // This one takes connections and says nothing at all.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://{}", mute.local_addr().unwrap());
    away(&transport(&url, None).patient(Duration::from_millis(100)).send(&to("mina")).await, "silent");
}

#[tokio::test]
async fn connections_are_kept_and_replaced() {
    let mut server = Server::start(&[]);
    let smtp = transport(&format!("smtp://127.0.0.1:{}", server.port), None);
    for name in ["mina", "never", "later", "jae", "spam", "sora"] {
        drop(smtp.send(&to(name)).await);
    }
    let greetings = |said: Vec<String>| said.iter().filter(|event| *event == "hello").count();
    assert_eq!(greetings(server.rest()), 1, "refusals do not cost a connection");
    temporary(&smtp.send(&to("drop")).await, "may have been taken over");
    smtp.send(&to("mina")).await.unwrap();
    assert_eq!(greetings(server.rest()), 1, "what broke off is replaced at once");

    server.stop();
    away(&smtp.send(&to("mina")).await, "connecting");
}

#[tokio::test]
async fn servers_that_greet_badly_are_not_the_recipients_fault() {
    for greeting in ["554 5.7.1 not you\r\n", "421 too many\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", ""] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let greet = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, greeting.as_bytes()).await.unwrap();
        });
        away(&transport(&url, None).send(&to("mina")).await, "connecting");
        greet.await.unwrap();
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    away(&transport(&format!("smtp://{free}"), None).send(&to("mina")).await, "connecting");
    away(&transport("smtp://no-such-host.invalid", None).send(&to("mina")).await, "connecting");
}
