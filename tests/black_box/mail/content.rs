//! What a mail says, and that nobody writes headers into it.

use serde_json::json;

use crate::team::Team;

#[tokio::test]
async fn a_mail_says_what_changed_by_whom_and_where_to_look() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    team.task_with(json!({"title": "Fix <login> & \"logout\" é 지민", "assignees": [mina.id]})).await;
    let patch = json!({"status": "in_progress", "due": "2031-03-12"});
    team.owner.api.patch(&team.at("/tasks/WEB-1"), &patch).await.is(200);
    let letter =
        team.letter("the second mail", |l| l.to == mina.email && l.text.contains("2031-03-12")).await;
    assert!(letter.subject.starts_with("WEB-1"), "{}", letter.subject);
    assert!(letter.subject.contains("Fix <login> & \"logout\" é 지민"), "{}", letter.subject);
    assert!(letter.text.contains("Olga Owner"), "{}", letter.text);
    assert!(letter.text.contains(&team.server.url()), "no link: {}", letter.text);
    assert!(letter.html.contains("login") && !letter.html.contains("<login>"), "{}", letter.html);
    assert!(letter.html.contains("<a "), "{}", letter.html);
    let notice = letter.notice.clone().expect("a notice");
    assert!(letter.message_id.starts_with(&notice), "{letter:?}");
    for name in ["date", "from", "to", "subject", "message-id", "auto-submitted"] {
        assert_eq!(letter.headers.get(name), Some(&1), "{name}: {:?}", letter.headers);
    }
    let mails: Vec<_> =
        team.letters().into_iter().filter(|l| l.to == mina.email && l.notice.is_some()).collect();
    assert_eq!(mails.len(), 2);
    assert_ne!(mails[0].message_id, mails[1].message_id);
    assert_eq!(mails[0].subject.split(' ').next(), mails[1].subject.split(' ').next());
}

#[tokio::test]
async fn the_link_in_a_mail_shows_the_task_to_who_may_see_it() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    let fields = json!({
        "title": "Fix <login>", "body": "<script>alert(1)</script>\nSecond line", "assignees": [mina.id],
        "labels": ["urgent-bug"], "due": "2031-03-12",
    });
    team.task_with(fields).await;
    let letter = team.letter("her mail", |l| l.to == mina.email && l.notice.is_some()).await;
    let base = format!("{}/workspaces/", team.server.url());
    let start = letter.text.find(&base).expect("a link to the task");
    let link: String = letter.text[start..].chars().take_while(|c| !c.is_whitespace()).collect();
    let path = link.strip_prefix(&team.server.url()).unwrap();
    let page = mina.api.page(path).await.is(200);
    for shown in ["WEB-1", "waiting", "0 %", "Mina", "2031-03-12", "urgent-bug", "Second line"] {
        assert!(page.text.contains(shown), "{shown}: {page:?}");
    }
    assert!(!page.text.contains("<script>") && !page.text.contains("<login>"), "{page:?}");
    assert!(page.text.contains("script") && page.text.contains("login"), "{page:?}");
    let stranger = crate::team::Person::sign_up(&team.server.url(), "Stranger").await;
    for (closed, status) in
        [(mina.api.stranger().page(path).await, 401), (stranger.api.page(path).await, 404)]
    {
        let closed = closed.is(status);
        assert!(closed.text.contains("/v1/auth/sign-in") && !closed.text.contains("login&"), "{closed:?}");
        let policy = closed.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(closed.header("content-type").unwrap().starts_with("text/html"));
    }
    stranger.api.page(&path.replace("WEB-1", "WEB-2")).await.is(404);
    mina.api.page(&path.replace("WEB-1", "WEB-2")).await.is(404);
}

#[tokio::test]
async fn nobody_writes_a_header_through_a_name() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    for name in ["Eve\r\nBcc: x@example.com", "Eve\nSubject: x", "Eve\u{0}"] {
        team.owner.api.patch("/me", &json!({"name": name})).await.invalid("name");
        let task = json!({"project": "WEB", "title": name});
        team.owner.api.post(&team.at("/tasks"), &task).await.invalid("title");
    }
    let name = "=?utf-8?q?Eve?= \"quoted\", <x@example.com>; \\";
    team.owner.api.patch("/me", &json!({"name": name})).await.is(200);
    mina.api.patch("/me", &json!({"name": name})).await.is(200);
    team.task_with(json!({"title": "=?utf-8?q?title?=: Bcc: x@example.com", "assignees": [mina.id]})).await;
    let letter = team.letter("her mail", |l| l.to == mina.email && l.notice.is_some()).await;
    assert!(letter.subject.contains("=?utf-8?q?title?=: Bcc: x@example.com"), "{}", letter.subject);
    assert!(!letter.headers.contains_key("bcc") && letter.headers["to"] == 1, "{letter:?}");
}
