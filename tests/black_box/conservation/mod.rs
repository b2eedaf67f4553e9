//! Conservation under `kill -9` and SIGSTOP: nothing that was accepted is lost, nothing is done twice, each is told once.
//!
//! Clients of several workspaces write without pause, some waiting for the outcome and some not. The server is killed
//! at random moments and started again; a client that lost its answer repeats the request under the same key, or
//! gives up and never learns what became of it. At the end everything is judged from outside: from the answers that the
//! clients got, the feed, the lists, the activity log, the receipts and the mails. `FAIRY_TEST_SEED` makes the same
//! choices again, though never the same interleaving.

pub mod account;
mod audience;
pub mod judge;
pub mod load;
mod replay;
pub mod storm;
pub mod told;
pub mod world;

use crate::{
    harness::{About, Home, Launch, embedded_only, is_cluster, seed, without},
    mail::sink::Sink,
    mailbox,
};

const KILLS: usize = 30;
const SUSPENSIONS: usize = 3;
/// Deliveries that a process has in hand at a time: those whose reply a kill may lose (`DELIVERIES_AT_ONCE` in each of the
/// four hand-outs that `register` asks for).
pub const IN_HAND: usize = 4 * 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_under_kill_nine() {
    let seed = seed();
    let home = Home::new();
    let mut world = world::World::make(Launch::at(&home, "var").start().await).await;
    // Starting several processes takes longer, and servers are copied by their own tools.
    let (kills, backup) = match is_cluster() {
        true => (KILLS / 3, None),
        false => (KILLS, Some(home.path().join("backup"))),
    };
    let storm = storm::Storm { seed, kills, suspensions: 0, backup: backup.clone() };
    let mut storm = storm.rage(&mut world).await;
    let reports = judge::judge(&world, &mut storm.sent, judge::Claim::Everything).await;
    world.server.accounted().await;
    let letters = || mailbox::letters(world.server.data());
    let told = told::judge(&world, &reports, letters).await;
    assert!(told.repeated.is_empty(), "a file was written twice under different names");
    eprintln!("{} kills; {}; {} mails, each once", storm.kills, storm.sent.summary(), told.mails);

    // Another start and stop brings nothing new to light.
    assert_eq!(world.server.stop().await, Some(0));
    world.server.start().await;
    let again = judge::judge(&world, &mut storm.sent, judge::Claim::Everything).await;
    assert_eq!(told::judge(&world, &again, || mailbox::letters(world.server.data())).await.mails, told.mails);
    assert_eq!(world.server.stop().await, Some(0));

    if backup.is_none() {
        return;
    }
    // What the copy holds is a state that the system was in, with all that was acknowledged before the copy began.
    let mut copy = world.on(Launch::at(&home, "backup").start().await);
    let reports = judge::judge(&copy, &mut storm.sent_before_backup, judge::Claim::AtLeast).await;
    told::receipts(&copy, &reports).await;
    copy.server.accounted().await;
    eprintln!("backup: {}", storm.sent_before_backup.summary());
    assert_eq!(copy.server.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_over_smtp_is_sent_and_only_a_lost_reply_is_repeated() {
    if embedded_only(About::OneProcess) {
        return;
    }
    if without("smtp") {
        return;
    }
    let seed = seed();
    let sink = Sink::start().await;
    let home = Home::new();
    let mut world = world::World::make(Launch::at(&home, "var").start().await).await;
    assert_eq!(world.server.stop().await, Some(0));
    let smtp = Launch::at(&home, "var").set("MAIL__TRANSPORT", "smtp").set("MAIL__SMTP_URL", sink.url());
    let server = smtp.set("MAIL__FROM", "fairy@example.com").start().await;
    let mut world = world.on(server);
    let mut storm = storm::Storm { seed, kills: KILLS / 4, suspensions: SUSPENSIONS, backup: None }
        .rage(&mut world)
        .await;
    let reports = judge::judge(&world, &mut storm.sent, judge::Claim::Everything).await;
    let told = told::judge(&world, &reports, || sink.letters()).await;
    eprintln!(
        "{} kills, {SUSPENSIONS} suspensions; {}; {} mails, {} of them repeats under the same notice id",
        storm.kills,
        storm.sent.summary(),
        told.mails,
        told.repeated.len()
    );
    assert!(
        told.repeated.len() <= storm.kills * IN_HAND,
        "only what was in hand at a kill may be sent again"
    );
    assert_eq!(world.server.stop().await, Some(0));
}
