//! The page that shows mail files, only where mail goes into files.

use serde_json::json;

use crate::{
    harness::{Launch, Port},
    team::Team,
};

#[tokio::test]
async fn the_page_lists_mails_and_shows_them_without_running_anything() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    let title = "<script>alert(1)</script>";
    team.task_with(json!({"title": title, "assignees": [mina.id]})).await;
    let letter = team.letter("her mail", |l| l.to == mina.email && l.notice.is_some()).await;
    let page = team.owner.api.stranger().page("/dev/mail").await.is(200);
    assert!(page.header("content-type").is_some_and(|t| t.starts_with("text/html")));
    assert!(
        page.header("content-security-policy")
            .is_some_and(|p| !p.contains("unsafe-inline") || p.contains("style-src")),
        "{page:?}"
    );
    assert!(page.text.contains("WEB-1") && !page.text.contains(title), "{page:?}");
    let mark = page.text.find(&letter.file.replace(".eml", "")).expect("the list links to the mail");
    let start = page.text[..mark].rfind("href=\"").expect("a link") + 6;
    let end = start + page.text[start..].find('"').unwrap();
    let mail = team.owner.api.page(&page.text[start..end]).await.is(200);
    assert!(!mail.text.contains(title), "{mail:?}");
    for outside in [
        "/dev/mail/../secret.key",
        "/dev/mail/..%2Fsecret.key",
        "/dev/mail/..%2f..%2fetc%2fpasswd",
        "/dev/mail/nothing.eml",
    ] {
        let reply = team.owner.api.page(outside).await;
        assert!(matches!(reply.status, 400 | 404), "{outside}: {reply:?}");
    }
}

#[tokio::test]
async fn a_page_whose_name_was_bent_to_this_machine_reads_no_mail() {
    let team = Team::new().await;
    team.invite("jae@example.com", "member").await;
    let file = team.letters().remove(0).file;
    let port = team.server.url().rsplit_once(':').unwrap().1.to_owned();
    for path in ["/dev/mail".to_owned(), format!("/dev/mail/{file}"), format!("/dev/mail/{file}/html")] {
        for own in ["localhost", "127.0.0.1", "[::1]"] {
            team.owner.api.page(&path).header("Host", &format!("{own}:{port}")).await.is(200);
        }
        for other in ["evil.example", "localhost.evil.example", "10.0.0.1"] {
            let bent = team.owner.api.page(&path).header("Host", &format!("{other}:{port}")).await;
            let bent = bent.problem(421, "misdirected");
            assert!(!bent.text.contains("jae@example.com"), "{bent:?}");
        }
    }
    // What needs a caller, or tells nothing of anybody, is the same under every name.
    team.owner.api.stranger().page("/").header("Host", "evil.example").await.is(200);
}

#[tokio::test]
async fn there_is_no_such_page_where_mail_is_sent() {
    let smtp = Port::claim();
    let launch = Launch::new()
        .set("MAIL__TRANSPORT", "smtp")
        .set("MAIL__FROM", "fairy@example.com")
        .set("MAIL__SMTP_URL", format!("smtp://127.0.0.1:{}", smtp.number()));
    let server = launch.start().await;
    crate::client::Api::new(&server.url()).page("/dev/mail").await.is(404);
}
