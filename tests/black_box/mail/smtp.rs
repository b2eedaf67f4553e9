//! Mail over SMTP: sent once, and tried again while the server is away.

use serde_json::json;

use super::sink::Sink;
use crate::{
    harness::{Launch, wait_until, without},
    mailbox::Letter,
    team::{Person, Team},
};

fn launch(url: &str) -> Launch {
    Launch::new()
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
    let team = Team::launch(launch(&sink.url())).await;
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
async fn a_mail_server_that_is_away_is_tried_again() {
    if without("smtp") {
        return;
    }
    let gone = crate::harness::Port::claim();
    let team = Team::launch(launch(&format!("smtp://127.0.0.1:{}", gone.number()))).await;
    team.owner
        .api
        .post(&team.at("/invitations"), &json!({"email": "mina@example.com", "role": "member"}))
        .await
        .is(201);
    wait_until("an attempt failed", || async {
        let log = team.server.log();
        (log.contains("refused") || log.contains("connect")).then_some(())
    })
    .await;
    // The server goes on, and what waits for the mail server does not hold other work up.
    team.task("Meanwhile").await;
}
