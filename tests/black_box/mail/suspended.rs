//! A sender suspended past its lease: the second of the two cases in which a mail may repeat.
//!
//! A lid is closed, a virtual machine is moved: the process stands still while the mail server and the clocks go on. When
//! it wakes, its deliveries are not its own any more, and the way it has to find out what became of them is the
//! connection on which it was sending. What a mail server may have done meanwhile happens here side by side: it answered,
//! it kept the mail and hung up, it hung up without keeping it, it has not answered yet.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::Connection as _;

use super::{
    sink::{Fate, Sink},
    smtp::launch,
};
use crate::{
    harness::{About, Server, embedded_only, eventually, now, wait_until, without},
    mailbox::Letter,
    team::{Person, Team},
};

const LONGEST_LEASE: Duration = Duration::from_secs(150);

/// Until when what is being sent is its sender's own, epoch ms; as the sender stands still, nobody changes it.
async fn end_of_lease(server: &Server) -> i64 {
    let url = format!("sqlite://{}", server.data().join("fairy.db").display());
    let mut rows = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let end = sqlx::query_scalar("SELECT MAX(due_at) FROM deliveries WHERE state = 'sending'");
    end.fetch_one(&mut rows).await.unwrap()
}

fn to<'l>(letters: &'l [Letter], person: &Person) -> Vec<&'l Letter> {
    letters.iter().filter(|letter| letter.to == person.email && letter.notice.is_some()).collect()
}

/// The delivery of this person's notice about `WEB-1`, with the notice.
async fn receipt(team: &Team, person: &Person) -> (String, Value) {
    let receipts = team.owner.api.all(&team.at("/tasks/WEB-1/receipts")).await;
    let theirs: Vec<_> = receipts.iter().filter(|r| r["person"]["id"] == person.id.as_str()).collect();
    let [receipt] = theirs[..] else { panic!("told of one operation more than once: {theirs:#?}") };
    assert_eq!(receipt["deliveries"].as_array().map(Vec::len), Some(1), "{receipt:#}");
    (receipt["notice"].as_str().expect("a notice").to_owned(), receipt["deliveries"][0].clone())
}

#[tokio::test]
async fn a_sender_suspended_past_its_lease_tells_everybody_and_repeats_only_what_it_cannot_know() {
    if without("smtp") || embedded_only(About::OneProcess) {
        return;
    }
    let sink = Sink::start().await;
    let mut team = Team::new().await;
    let answered = team.member("Ana", "member").await;
    let kept = team.member("Kim", "member").await;
    let lost = team.member("Lou", "member").await;
    let silent = team.member("Sil", "member").await;
    let everybody = [&answered, &kept, &lost, &silent];
    assert_eq!(team.server.stop().await, Some(0));
    let home = team.server.launch().home().clone();
    team.server = launch(&home, &sink.url()).start().await;
    team.owner.api = team.owner.api.at(&team.server.url());
    sink.hold();
    let ids: Vec<&str> = everybody.iter().map(|person| person.id.as_str()).collect();
    team.task_with(json!({"title": "Theirs", "assignees": ids})).await;
    wait_until("all four are being sent", || async {
        let held = sink.held();
        everybody.iter().all(|person| to(&held, person).len() == 1).then_some(())
    })
    .await;

    team.server.suspend().await;
    let end = end_of_lease(&team.server).await;
    for (person, fate) in [(&answered, Fate::Answered), (&kept, Fate::Kept), (&lost, Fate::Lost)] {
        sink.decide(&person.email, fate);
    }
    wait_until("the mail server has done with three of them", || async {
        let (letters, held) = (sink.letters(), sink.held());
        let done = [to(&letters, &answered).len(), to(&letters, &kept).len(), to(&held, &lost).len()];
        (done == [1, 1, 0]).then_some(())
    })
    .await;
    // The suspension itself, for as long as the lease is.
    let past = eventually(LONGEST_LEASE, || async { (now().as_millisecond() > end).then_some(()) });
    past.await.expect("a lease is shorter than that");
    assert_eq!(to(&sink.held(), &silent).len(), 1, "who stands still hangs up on nobody");
    team.server.resume();

    wait_until("it has given up waiting for the answer", || async {
        (to(&sink.letters(), &silent).len() == 1).then_some(())
    })
    .await;
    sink.let_go();
    team.task_with(json!({"title": "It goes on", "assignees": [kept.id]})).await;
    team.told().await;
    assert_eq!(receipt(&team, &lost).await.1["attempts"], 2);
    let mut repeats = 0;
    for person in everybody {
        let (notice, delivery) = receipt(&team, person).await;
        assert_eq!(delivery["state"], "sent", "{}: {delivery:#}", person.name);
        let letters = sink.letters();
        let mut letters = to(&letters, person);
        letters.retain(|letter| letter.subject.contains("Theirs"));
        assert!(!letters.is_empty(), "{} was not told: {delivery:#}", person.name);
        assert!(
            letters.len() as u64 <= delivery["attempts"].as_u64().unwrap(),
            "{}: {delivery:#}",
            person.name
        );
        for letter in &letters {
            assert_eq!(letter.notice.as_ref(), Some(&notice), "{}", person.name);
            assert_eq!(letter.message_id, letters[0].message_id, "a repeat is another mail");
            assert_eq!(letter.text, letters[0].text, "a repeat says something else");
        }
        eprintln!("{}: {} mails in {} attempts", person.name, letters.len(), delivery["attempts"]);
        repeats += letters.len() - 1;
    }
    eprintln!("{repeats} repeats under the same notice id");
    // An answer that came in time may be read or not; a mail server that kept the mail and said nothing is asked again.
    assert!((2..=3).contains(&repeats));
    assert_eq!(team.server.stop().await, Some(0));
    let count = sink.letters().iter().filter(|letter| letter.notice.is_some()).count();
    assert_eq!(count, everybody.len() + repeats + 1, "something was sent once more at the end");
}
