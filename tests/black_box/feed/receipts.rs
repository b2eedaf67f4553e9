//! Receipts: who was told, when and how, or why not.

use serde_json::{Value, json};

use crate::{harness::wait_until, team::Team};

async fn receipts(team: &Team, task: &str) -> Vec<Value> {
    team.owner.api.all(&team.at(&format!("/tasks/{task}/receipts"))).await
}

fn of<'a>(receipts: &'a [Value], person: &str) -> Vec<&'a Value> {
    receipts.iter().filter(|r| r["person"]["id"] == person).collect()
}

#[tokio::test]
async fn a_receipt_names_the_mail_and_the_reason() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    let task = team.task_with(json!({"title": "Hers", "assignees": [mina.id]})).await;
    team.told().await;
    let receipts = receipts(&team, "WEB-1").await;
    let hers = of(&receipts, &mina.id);
    assert_eq!(hers.len(), 1, "{receipts:#?}");
    let receipt = hers[0];
    assert_eq!(receipt["reason"], "assigned");
    let made = team.changes_of(task.header("Operation-Id").unwrap()).await;
    assert_eq!(receipt["changes"], json!([made[0]["seq"]]));
    let delivery = &receipt["deliveries"][0];
    assert_eq!(
        (&delivery["channel"], &delivery["state"], &delivery["attempts"]),
        (&json!("mail"), &json!("sent"), &json!(1))
    );
    let letter = team.letter("her mail", |l| l.notice.as_deref() == receipt["notice"].as_str()).await;
    assert_eq!(letter.to, mina.email);
    for own in of(&receipts, &team.owner.id) {
        assert!(own["deliveries"].as_array().is_none_or(Vec::is_empty), "the actor was told: {own}");
        assert!(own["not_told"].is_string(), "{own}");
    }
}

#[tokio::test]
async fn who_left_before_being_told_is_not_and_the_receipt_says_so() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    team.server.beside(&["lanes", "pause", "notify"]).await.succeeded();
    team.task_with(json!({"title": "Hers", "assignees": [mina.id]})).await;
    team.owner.api.delete(&team.at(&format!("/members/{}", mina.id))).await.is(204);
    team.server.beside(&["lanes", "resume", "notify"]).await.succeeded();
    let receipt = wait_until("there is a receipt", || async {
        let receipts = receipts(&team, "WEB-1").await;
        of(&receipts, &mina.id).first().map(|r| (*r).clone())
    });
    let receipt = receipt.await;
    assert!(receipt["not_told"].is_string(), "{receipt}");
    assert!(
        receipt["deliveries"].as_array().is_none_or(|d| d.iter().all(|d| d["state"] == "dropped")),
        "{receipt}"
    );
    assert!(!team.letters().iter().any(|l| l.to == mina.email && l.notice.is_some()));
}
