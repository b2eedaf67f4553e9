//! Every mail as a person reads it, and as it goes over the wire.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fairy_jobs::{
    account::{Locale, TimeZone, User},
    change::Change,
    id::{DeliveryId, InvitationId, LinkId, NoticeId, UserId},
    link::LinkKey,
    notice::{Delivery, Notice, Reason, Subject},
    ports::{DeliveryContent, Mail, Mailer as _},
    team::{Invitation, Role},
    text::{Body, Name, Title},
};
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;

use super::{
    deliver::Bench,
    world::{COMMENT, JAE, MINA, SORA, StoppedClock, TASK, World, email, names, start, user, workspace},
};
use crate::mail::{self, Rendered, Site, render};

const NOTICE: NoticeId = NoticeId::from_bytes([4; 16]);

fn site() -> Site {
    Site::new(&Bench::new().services(&Default::default()))
}

fn delivery(subject: Subject, to: UserId) -> Delivery {
    let id = DeliveryId::from_bytes([1, 0x9a, 0xba, 0x53, 0x6f, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    let name = Some(user(to).name);
    Delivery {
        id,
        subject,
        address: email(to),
        person: Some(to),
        name,
        attempt: 1,
        failures: 0,
        created_at: start(),
        trace: None,
    }
}

fn mail(delivery: &Delivery, content: &DeliveryContent) -> Mail {
    match render(&site(), delivery, content).unwrap() {
        Rendered::Mail(mail) => *mail,
        Rendered::Gone(reason) => panic!("{reason}"),
    }
}

fn notice(to: UserId, reason: Reason, changes: Vec<Change>) -> Mail {
    let notice = Notice {
        id: NOTICE,
        workspace: workspace().id,
        person: to,
        task: TASK,
        operation: changes[0].operation,
        reason,
        changes: changes.iter().map(|c| c.seq).collect(),
        created_at: start(),
    };
    let content = DeliveryContent::Notice {
        notice,
        changes,
        person: Box::new(user(to)),
        workspace: workspace(),
        names: names(),
    };
    mail(&delivery(Subject::Notice(NOTICE), to), &content)
}

fn shown(mail: &Mail) -> String {
    format!("Subject: {}\n\n{}", mail.subject, mail.text)
}

#[test]
fn a_new_task() {
    let changes = World::new().does(
        MINA,
        &json!({"create_task": {
            "task": TASK, "project": "WEB", "title": "Fix <login> & \"logout\"", "body": "It fails.\n\n- on Safari\n- at night",
            "assignees": [JAE, SORA], "due": "2026-12-01T18:00:00+09:00", "priority": "urgent", "labels": ["bug", "web"],
        }}),
    );
    let mail = notice(JAE, Reason::Assigned, changes);
    insta::assert_snapshot!("new_task_text", shown(&mail));
    insta::assert_snapshot!("new_task_html", mail.html);
}

#[test]
fn changes_from_what_to_what() {
    let mut world = World::new();
    world.creates(MINA);
    world.patches(
        MINA,
        json!({"assignees": [JAE], "due": "2026-12-01", "labels": ["bug"], "body": "one\ntwo\nthree\nfour"}),
    );
    let changes = world.patches(
        SORA,
        json!({
            "title": "Fix the login", "body": "one\ntwo\nTHREE <b>\nfour", "status": "in_progress", "progress": 40,
            "priority": "low", "due": null, "assignees": [MINA], "labels": ["web"], "project": "OPS",
        }),
    );
    let mail = notice(JAE, Reason::Unassigned, changes);
    insta::assert_snapshot!("changes_text", shown(&mail));
    insta::assert_snapshot!("changes_html", mail.html);
}

#[test]
fn headlines_of_everything_that_can_happen() {
    let mut world = World::new();
    let mut all = vec![world.creates(MINA)];
    for patch in [
        json!({"status": "in_progress"}),
        json!({"progress": 50}),
        json!({"progress": 100}),
        json!({"status": "waiting"}),
        json!({"status": "in_progress"}),
        json!({"status": "waiting", "due": "2026-12-01"}),
        json!({"assignees": [MINA]}),
        json!({"assignees": [JAE, SORA]}),
        json!({"assignees": [SORA], "labels": ["bug"], "title": "Fix login"}),
        json!({"project": "OPS"}),
    ] {
        all.push(world.patches(MINA, patch));
    }
    all.push(world.comments(MINA, "Which @jae?\n> quoted"));
    let task = json!(TASK);
    let comment = json!(COMMENT);
    for command in [
        json!({"edit_comment": {"task": task, "comment": comment, "body": "Which one?"}}),
        json!({"delete_comment": {"task": task, "comment": comment}}),
        json!({"unassign": {"task": task, "user": SORA}}),
        json!({"assign": {"task": task, "user": MINA}}),
        json!({"unassign": {"task": task, "user": MINA}}),
        json!({"delete_task": {"task": task}}),
        json!({"restore_task": {"task": task}}),
    ] {
        all.push(world.does(MINA, &command));
    }
    let mails = all.into_iter().map(|changes| {
        let mail = notice(JAE, Reason::Watching, changes);
        // What is between the headline's circumstances and the link.
        let text =
            mail.text.split("\nOpen ").next().unwrap().replace("\n22 Nov 2026, 17:23 KST, on the web", "");
        text.trim_end().to_owned()
    });
    insta::assert_snapshot!("headlines", mails.collect::<Vec<_>>().join("\n\n"));
}

#[test]
fn reasons_and_places_in_the_readers_zone() {
    let mut world = World::new();
    let change = world.creates(MINA).remove(0);
    let mut seen = Vec::new();
    for (reason, source) in [
        (Reason::Assigned, "web"),
        (Reason::Mentioned, "api"),
        (Reason::Unassigned, "slack #dev"),
        (Reason::Watching, "web"),
        (Reason::Creator, "web"),
    ] {
        let source = serde_json::from_value(json!(source)).unwrap();
        let mail = notice(JAE, reason, vec![Change { source, ..change.clone() }]);
        let mut lines = mail.text.lines();
        seen.push(format!("{}\n{}", lines.nth(3).unwrap(), lines.last().unwrap()));
    }
    insta::assert_snapshot!("reasons", seen.join("\n"));
}

#[test]
fn long_texts_are_shortened() {
    let mut world = World::new();
    world.creates(MINA);
    let long: String = (1..=60).map(|line| format!("line {line}\n")).collect();
    let mail = notice(JAE, Reason::Watching, world.comments(MINA, &long));
    assert!(mail.text.contains("> … 30 more lines"), "{}", mail.text);
    assert!(!mail.text.contains("line 31"));
}

fn invitation(inviter: &str) -> Mail {
    let id = InvitationId::from_bytes([3; 16]);
    let invitation = Invitation {
        id,
        workspace: workspace().id,
        email: email(JAE),
        role: Role::Member,
        invited_by: MINA,
        created_at: start(),
        expires_at: start() + SignedDuration::from_hours(7 * 24),
    };
    let inviter = Name::parse(inviter).unwrap();
    let content = DeliveryContent::Invitation { invitation, workspace: workspace(), inviter };
    let stranger = Delivery { person: None, name: None, ..delivery(Subject::Invitation(id), JAE) };
    mail(&stranger, &content)
}

#[test]
fn an_invitation() {
    let mail = invitation("Mina <script>alert(1)</script>");
    insta::assert_snapshot!("invitation_text", shown(&mail));
    insta::assert_snapshot!("invitation_html", mail.html);
    let code = LinkKey::new([7; 32]).code(fairy_jobs::link::Purpose::Invitation, [3; 16]);
    let link = format!("https://fairy.example.com/invitations/{code}");
    assert!(mail.text.lines().any(|line| line == link), "the link stands alone on a line");
    assert_eq!(mail.notice, None);
}

#[test]
fn links_in_the_readers_zone_and_language() {
    let id = LinkId::from_bytes([8; 16]);
    let person = User {
        time_zone: TimeZone::parse("America/New_York").unwrap(),
        locale: Locale::Korean,
        ..user(MINA)
    };
    let content = DeliveryContent::Link { person: Box::new(person), expires_at: start() };
    for (name, subject) in
        [("verify_email_text", Subject::VerifyEmail(id)), ("reset_password_text", Subject::ResetPassword(id))]
    {
        insta::assert_snapshot!(name, shown(&mail(&delivery(subject, MINA), &content)));
    }
    let without_purpose = delivery(Subject::Notice(NOTICE), MINA);
    assert!(matches!(render(&site(), &without_purpose, &content), Ok(Rendered::Gone(_))));
}

#[test]
fn a_password_that_was_set() {
    let content = DeliveryContent::Account { person: Box::new(user(MINA)) };
    let changed = mail(&delivery(Subject::PasswordChanged(MINA), MINA), &content);
    insta::assert_snapshot!("password_changed_text", shown(&changed));
    insta::assert_snapshot!("password_changed_html", changed.html);
    let recovered = mail(&delivery(Subject::AccountRecovered(MINA), MINA), &content);
    insta::assert_snapshot!("account_recovered_text", shown(&recovered));
    assert_eq!(
        changed.message_id, "dlv_01KAX56VX00000000000000001@example.com",
        "each change has a mail of its own"
    );
    let without_cause = delivery(Subject::Notice(NOTICE), MINA);
    assert!(matches!(render(&site(), &without_cause, &content), Ok(Rendered::Gone(_))));
}

async fn wire(mail: &Mail) -> String {
    let directory = tempfile::tempdir().unwrap();
    let clock = std::sync::Arc::new(StoppedClock::new());
    let from = "Fairy <fairy@example.com>".parse().unwrap();
    let files = mail::files(directory.path(), from, clock, "one").unwrap();
    let first = files.send(mail).await.unwrap();
    let again = files.send(mail).await.unwrap();
    assert_eq!(first, again, "a repeat overwrites itself");
    let listed: Vec<_> =
        std::fs::read_dir(directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(listed, [first.provider_id.as_str()], "nothing else is left");
    assert_eq!(first.provider_id, "20251125-092341-dlv_01KAX56VX00000000000000001.eml");
    std::fs::read_to_string(directory.path().join(first.provider_id)).unwrap().replace("\r\n", "\n")
}

#[tokio::test]
async fn a_link_stands_whole_in_the_source() {
    let id = LinkId::from_bytes([8; 16]);
    let content = DeliveryContent::Link { person: Box::new(user(MINA)), expires_at: start() };
    let mail = mail(&delivery(Subject::VerifyEmail(id), MINA), &content);
    let link = mail.text.lines().find(|line| line.starts_with("https://")).unwrap();
    assert!(link.len() > 76, "{link}");
    assert!(wire(&mail).await.lines().any(|line| line == link));
}

#[tokio::test]
async fn a_notice_on_the_wire() {
    let mut world = World::new();
    world.creates(MINA);
    insta::assert_snapshot!(
        "notice_eml",
        wire(&notice(SORA, Reason::Mentioned, world.comments(MINA, "안녕 @정소라"))).await
    );
}

proptest! {
    #[test]
    fn any_words_become_a_message_that_mail_servers_take(
        title in ".{1,300}", body in "(.{0,1200}\n?){0,3}", name in ".{1,100}",
    ) {
        let (Ok(_), Ok(_), Ok(name)) = (Title::parse(&title), Body::parse(&body), Name::parse(&name)) else {
            return Ok(());
        };
        let create = json!({"create_task": {"task": TASK, "project": "WEB", "title": title, "body": body}});
        let mut mail = notice(JAE, Reason::Watching, World::new().does(MINA, &create));
        mail.to_name = Some(name);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let raw = runtime.block_on(wire(&mail));
        let longest = raw.lines().map(str::len).max();
        prop_assert!(raw.is_ascii() && longest <= Some(998), "RFC 5322 §2.1.1: {longest:?}");
        let (head, _) = raw.split_once("\n\n").unwrap();
        let names = head.lines().filter(|line| !line.starts_with([' ', '\t']));
        let names: Vec<&str> = names.map(|line| line.split(':').next().unwrap()).collect();
        prop_assert_eq!(names, HEADERS);
    }
}

const HEADERS: [&str; 14] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "In-Reply-To",
    "References",
    "List-Id",
    "X-Fairy-Notice",
    "X-Fairy-Reason",
    "MIME-Version",
    "Content-Type",
];

#[tokio::test]
async fn nothing_typed_gets_into_a_header() {
    let mut evil = notice(JAE, Reason::Creator, World::new().creates(MINA));
    evil.subject = "WEB-1 a\r\nBcc: x@example.com\r\n\r\nbody\u{0}".to_owned();
    evil.thread = Some("a>\r\nX-Evil: 1".to_owned());
    evil.list = Some("b\nX-Evil: 2".to_owned());
    evil.message_id = "c\rX-Evil: 3".to_owned();
    evil.text = format!("fairy-0-{0}\n--fairy-0-{0}--\n", evil.delivery);
    let raw = wire(&evil).await;
    let (head, body) = raw.split_once("\n\n").unwrap();
    for line in head.lines() {
        let name = line.split(':').next().unwrap();
        assert!(!["Bcc", "X-Evil"].contains(&name), "{head}");
    }
    assert!(
        !head.contains("=?"),
        "an encoded line break would still break the line where it is read: {head}"
    );
    assert!(head.contains("boundary=\"fairy-1-dlv_"), "the line between the parts is in neither: {head}");
    assert_eq!(body.matches("--fairy-1-").count(), 3);
}

#[tokio::test]
async fn what_looks_encoded_is_shown_as_it_was_typed() {
    let mut mail = notice(JAE, Reason::Creator, World::new().creates(MINA));
    mail.subject = format!("WEB-1 =?utf-8?q?Bcc=3A?= {}", "x".repeat(80));
    mail.to_name = Name::parse("=?utf-8?q?Somebody_else?=").ok();
    let raw = wire(&mail).await;
    let head = raw.split_once("\n\n").unwrap().0;
    assert!(head.contains("\nTo: jae@example.com\n") && !head.contains("?q?"), "{head}");
    let words = head.split("=?utf-8?B?").skip(1).map(|word| word.split("?=").next().unwrap());
    let decoded = words.map(|word| String::from_utf8(STANDARD.decode(word).unwrap()).unwrap());
    assert_eq!(decoded.collect::<String>(), mail.subject);
}
