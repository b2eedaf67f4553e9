//! Text that deceives or breaks: empty, control characters, bidi and zero-width characters; and impossible dates.

use serde_json::json;

use crate::team::Team;

#[tokio::test]
async fn titles_that_deceive_are_refused_with_the_character_named() {
    let team = Team::new().await;
    for title in [
        "",
        "   ",
        "\u{200d}",
        "a\nb",
        "a\u{0}b",
        "a\u{7}b",
        "a\u{1b}[31mb",
        "a\u{7f}b",
        "a\u{85}b",
        "a\u{202e}b",
        "a\u{2066}b",
        "a\u{200b}b",
        "a\u{feff}b",
        "a\u{2028}b",
        "a\u{ad}b",
        &"x".repeat(301),
    ] {
        let body = json!({"project": "WEB", "title": title});
        let reply = team.owner.api.post(&team.at("/tasks"), &body).await.invalid("title");
        if let Some(bad) = title.strip_prefix('a').and_then(|t| t.chars().next()) {
            assert!(reply.text.contains(&format!("U+{:04X}", u32::from(bad))), "{reply:?}");
        }
    }
    assert!(team.owner.api.all(&team.at("/tasks")).await.is_empty());
}

#[tokio::test]
async fn text_that_people_write_is_kept_as_it_is() {
    let team = Team::new().await;
    for title in ["é 지민 👩‍💻", "שלום", "می‌خواهم", "' OR 1=1; --", "<b>%s {} $1 \\", "null", "a\u{301}"]
    {
        let task = team.task(title).await;
        let composed = if title == "a\u{301}" { "á" } else { title };
        assert_eq!(task["title"], composed);
        assert_eq!(
            team.owner.api.get(&team.at(&format!("/tasks/{}", task.str("id")))).await["title"],
            composed
        );
    }
    let task = team.task_with(json!({"title": "x".repeat(300), "body": "é\n".repeat(10_000)})).await;
    assert_eq!(task["body"].as_str().unwrap().chars().count(), 20_000);
    let body = json!({"project": "WEB", "title": "x", "body": "x".repeat(20_001)});
    team.owner.api.post(&team.at("/tasks"), &body).await.invalid("body");
    let found = team.owner.api.get(&team.at("/tasks?q=%25s")).await.is(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "% is a character like any other: {found:?}");
}

#[tokio::test]
async fn dates_that_do_not_exist_are_refused() {
    let team = Team::new().await;
    for due in [
        "2026-02-30",
        "2025-02-29",
        "2026-13-01",
        "2026-00-10",
        "0000-00-00",
        "2026-1-1",
        "tomorrow",
        "",
        "2026-03-12T09:00:00",
        "2026-03-12T25:00:00Z",
        "2026-03-12T09:00:00+99:00",
        "2026-03-12T09:00:00+24:00",
        "2026-03-12T09:00:00-25:59",
        "9999-12-31",
        "99999-01-01",
        "2026-03-12T09:00:00+09:00[Asia/Seoul]",
        "١٢٣٤-٠١-٠١",
    ] {
        let body = json!({"project": "WEB", "title": "x", "due": due});
        let reply = team.owner.api.post(&team.at("/tasks"), &body).await.any_problem();
        assert!(matches!(reply.status, 400 | 422) && reply.text.contains("due"), "{due}: {reply:?}");
    }
    for (due, shown) in [("2028-02-29", "2028-02-29"), ("2026-03-12T00:00:00Z", "2026-03-12T00:00:00Z")] {
        assert_eq!(team.task_with(json!({"title": "x", "due": due})).await["due"], shown);
    }
    for bound in ["2026-02-30", "2026-02-30T00:00:00Z", "2026-03-12T09:00:00%2B24:00"] {
        for query in [format!("/tasks?due_before={bound}"), format!("/activity?since={bound}")] {
            let reply = team.owner.api.get(&team.at(&query)).await.any_problem();
            assert!(matches!(reply.status, 400 | 422), "{query}: {reply:?}");
        }
    }
}

#[tokio::test]
async fn what_shows_as_nothing_is_refused_wherever_people_write() {
    let team = Team::new().await;
    team.task("One").await;
    for bad in
        ["\u{200e}", "\u{61c}", "\u{206a}", "\u{34f}", "\u{3164}", "\u{2800}", "\u{e0041}", "\u{e0100}"]
    {
        let text = format!("Mina{bad}");
        let api = &team.owner.api;
        for text in [&text, bad] {
            api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": text})).await.invalid("title");
            let body = json!({"project": "WEB", "title": "x", "labels": [text]});
            let reply = api.post(&team.at("/tasks"), &body).await.problem(422, "invalid");
            assert!(reply.text.contains("labels"), "{reply:?}");
        }
        api.post(&team.at("/tasks/WEB-1/comments"), &json!({"body": text})).await.invalid("body");
        api.patch(&team.at("/tasks/WEB-1"), &json!({"body": text})).await.invalid("body");
        api.patch("/me", &json!({"name": text})).await.invalid("name");
        api.post(&team.at("/projects"), &json!({"key": "OPS", "name": text})).await.invalid("name");
        api.post("/workspaces", &json!({"name": text})).await.invalid("name");
        api.post("/me/tokens", &json!({"name": text, "scopes": ["read"]})).await.invalid("name");
    }
}
