//! Mail over SMTP: sent once, and tried again while the server is away.

use serde_json::json;

use super::sink::Sink;
use crate::{
    harness::{About, Home, Launch, Port, embedded_only, wait_until, without},
    mailbox::Letter,
    team::{Person, Team},
};

/// A server that sends to this mail server.
pub fn launch(home: &Home, url: &str) -> Launch {
    Launch::at(home, "var")
        .set("MAIL__TRANSPORT", "smtp")
        .set("MAIL__FROM", "Fairy <fairy@example.com>")
        .set("MAIL__SMTP_URL", url)
}

async fn received(sink: &Sink, wanted: impl Fn(&Letter) -> bool) -> Letter {
    wait_until("the mail server has the mail", || async { sink.letters().into_iter().find(|l| wanted(l)) })
        .await
}

#[tokio::test]
async fn mails_go_out_over_smtp_and_into_no_file() {
    if without("smtp") {
        return;
    }
    let sink = Sink::start().await;
    let team = Team::launch(launch(&Home::new(), &sink.url())).await;
    let mina = Person::sign_up(&team.server.url(), "Mina").await;
    let body = json!({"email": mina.email, "role": "member"});
    team.owner.api.post(&team.at("/invitations"), &body).await.is(201);
    let code =
        received(&sink, |l| l.to == mina.email && l.text.contains("/invitations/")).await.code("invitations");
    mina.api.post(&format!("/invitations/{code}/accept"), &json!({})).await;
    team.task_with(json!({"title": "Over the wire: é 지민", "assignees": [mina.id]})).await;
    team.told().await;
    let letter = received(&sink, |l| l.to == mina.email && l.notice.is_some()).await;
    assert!(letter.subject.contains("Over the wire: é 지민"), "{letter:?}");
    assert_eq!(sink.letters().iter().filter(|l| l.notice.is_some()).count(), 1);
    assert!(team.letters().is_empty());
}

#[tokio::test]
async fn a_mail_server_that_is_away_is_tried_again_until_it_is_back() {
    if without("smtp") {
        return;
    }
    let mut team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    assert_eq!(team.server.stop().await, Some(0));
    let port = Port::claim();
    let home = team.server.launch().home().clone();
    team.server = launch(&home, &format!("smtp://127.0.0.1:{}", port.number())).start().await;
    team.owner.api = team.owner.api.at(&team.server.url());
    team.task_with(json!({"title": "Hers", "assignees": [mina.id]})).await;
    let delivery = async || {
        let receipts = team.owner.api.all(&team.at("/tasks/WEB-1/receipts")).await;
        let hers = receipts.into_iter().find(|r| r["person"]["id"] == mina.id.as_str());
        hers.map(|receipt| receipt["deliveries"][0].clone())
    };
    let failed = wait_until("an attempt has failed", || async {
        delivery().await.filter(|d| d["attempts"].as_u64() >= Some(1) && d["state"] == "pending")
    });
    let failed = failed.await;
    assert!(failed["error"].is_string() && failed["due_at"].is_string(), "{failed}");
    // What waits for the mail server holds no other work up; and what comes meanwhile waits without an attempt of its own.
    team.task_with(json!({"title": "Hers too", "assignees": [mina.id]})).await;
    let waits = wait_until("the other waits", || async {
        let receipts = team.owner.api.all(&team.at("/tasks/WEB-2/receipts")).await;
        let hers = receipts.into_iter().find(|r| r["person"]["id"] == mina.id.as_str())?;
        Some(hers["deliveries"][0].clone()).filter(|d| d["error"].is_string())
    });
    let waits = waits.await;
    assert_eq!(waits["state"], "pending", "{waits}");
    assert!(
        waits["error"].as_str().unwrap().starts_with("the mail server cannot be used (connecting: "),
        "{waits}"
    );
    let sink = Sink::start_at(port).await;
    wait_until("the mail was sent", || async { delivery().await.filter(|d| d["state"] == "sent") }).await;
    wait_until("both are there", || async { (sink.letters().len() == 2).then_some(()) }).await;
    let log = team.server.log();
    // Once for each process that sends; who has found out may not be who sends next.
    let workers = team.server.workers();
    let (away, again) = (log.matches("no mail goes out").count(), log.matches("mail goes out again").count());
    assert!((1..=workers).contains(&away) && again <= away && (again == 1 || workers > 1), "{log}");
}

#[tokio::test]
async fn what_a_killed_process_was_sending_goes_out_at_the_next_start() {
    if embedded_only(About::OneProcess) {
        return;
    }
    if without("smtp") {
        return;
    }
    let mut team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    assert_eq!(team.server.stop().await, Some(0));
    // It takes connections and says nothing.
    let port = Port::claim();
    let mute = std::net::TcpListener::bind(("127.0.0.1", port.number())).unwrap();
    let home = team.server.launch().home().clone();
    team.server = launch(&home, &format!("smtp://127.0.0.1:{}", port.number())).start().await;
    team.owner.api = team.owner.api.at(&team.server.url());
    team.task_with(json!({"title": "Hers", "assignees": [mina.id]})).await;
    wait_until("it is being sent", || async {
        let receipts = team.owner.api.all(&team.at("/tasks/WEB-1/receipts")).await;
        receipts.iter().any(|r| r["deliveries"][0]["state"] == "sending").then_some(())
    })
    .await;
    team.server.kill().await;
    drop(mute);
    let sink = Sink::start_at(port).await;
    team.server.start().await;
    // A lease would hold it for 75 s, which is more than this waits.
    let letter = received(&sink, |l| l.to == mina.email && l.notice.is_some()).await;
    assert!(letter.subject.contains("Hers"), "{letter:?}");
}
