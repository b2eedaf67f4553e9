//! The activity log in a table that is kept.

use std::time::Duration;

use fairy_jobs::{
    change::Change,
    id::WorkspaceId,
    page::PageRequest,
    ports::{About, ActivityLog, ActivityQuery, PortError},
    testing::activity::{exercise, feed},
};
use fairy_workers::aws::{DynamoDb, Table};
use serde_json::{Value, json};

use crate::world::{Account, clock};

const HERE: WorkspaceId = WorkspaceId::from_bytes([1; 16]);

pub fn log(account: &Account, keep: Option<Duration>, second: i64) -> DynamoDb {
    DynamoDb::new(&account.aws, Table { name: "fairy-activity".to_owned(), keep }, clock(second))
}

pub async fn all(log: &dyn ActivityLog, workspace: WorkspaceId) -> Vec<Change> {
    let query = ActivityQuery { workspace, about: About::Everything, since: None };
    let mut request = PageRequest::default();
    let mut all = Vec::new();
    loop {
        let page = log.entries(&query, request.clone()).await.unwrap();
        all.extend(page.items);
        request.cursor = page.next;
        if request.cursor.is_none() {
            all.reverse();
            return all;
        }
    }
}

#[tokio::test]
async fn the_table_is_an_activity_log() {
    let Some(account) = Account::on_ministack().await else { return };
    let log = log(&account, None, 0);
    log.create_table().await.unwrap();
    exercise(&log).await;
}

#[tokio::test]
async fn a_table_is_made_once_and_described() {
    let Some(account) = Account::on_ministack().await else { return };
    let forever = log(&account, None, 0);
    let missing = forever.describe().await.unwrap_err().to_string();
    assert!(missing.contains("there is no table fairy-activity; `fairy migrate` makes it"), "{missing}");
    let made = forever.create_table().await.unwrap();
    assert!(made.is_active() && !made.removes_ended, "{made:?}");
    assert_eq!(forever.create_table().await.unwrap(), made);
    let both = log(&account, Some(Duration::from_secs(60)), 0);
    let (one, other) = tokio::join!(both.create_table(), both.create_table());
    assert!(one.unwrap().removes_ended);
    other.unwrap();
    let report = forever.describe().await.unwrap();
    assert!(report.removes_ended);
    assert_eq!(report.to_string(), "table fairy-activity is ACTIVE, about 0 entries");
}

#[tokio::test]
async fn another_table_of_that_name_is_refused() {
    let Some(account) = Account::on_ministack().await else { return };
    let other = json!({
        "TableName": "fairy-activity",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    account.call("DynamoDB_20120810.CreateTable", other).await;
    let refused = log(&account, None, 0).create_table().await.unwrap_err().to_string();
    assert!(refused.contains("cannot be used as an activity log: its keys are not"), "{refused}");
}

#[tokio::test]
async fn without_a_table_everything_waits_and_says_why() {
    let Some(account) = Account::on_ministack().await else { return };
    let log = log(&account, None, 0);
    let query = ActivityQuery { workspace: HERE, about: About::Everything, since: None };
    let results =
        [log.append(&feed(HERE, 1)).await, log.entries(&query, PageRequest::default()).await.map(drop)];
    for result in results {
        let Err(PortError::Unavailable(error)) = result else { panic!("{result:?}") };
        assert!(error.contains("`fairy migrate` makes"), "{error}");
    }
}

#[tokio::test]
async fn what_has_ended_is_neither_shown_nor_written() {
    let Some(account) = Account::on_ministack().await else { return };
    let changes = feed(HERE, 120);
    let kept = |second: i64| changes.iter().filter(move |c| c.at.as_second() >= 1_750_000_000 + second - 20);
    let keep = Some(Duration::from_secs(20));
    let early = log(&account, keep, 10);
    early.create_table().await.unwrap();
    early.append(&changes[..60]).await.unwrap();
    let late = log(&account, keep, 35);
    assert_eq!(all(&late, HERE).await, kept(35).take_while(|c| c.seq <= 60).cloned().collect::<Vec<_>>());
    late.append(&changes).await.unwrap();
    assert_eq!(all(&late, HERE).await, kept(35).cloned().collect::<Vec<_>>());
    // What was written before stays for those who still may see it; DynamoDB removes it in its own time.
    let items = account.call("DynamoDB_20120810.Scan", json!({ "TableName": "fairy-activity" })).await;
    let expires = |item: &Value| {
        let number = item["expires"]["N"].as_str().unwrap().parse::<u64>().unwrap();
        let entry: Change = serde_json::from_str(item["entry"]["S"].as_str().unwrap()).unwrap();
        (number, entry)
    };
    for (expires, entry) in items["Items"].as_array().unwrap().iter().map(expires) {
        assert_eq!(expires, entry.at.as_second().unsigned_abs() + 20);
    }
}

#[tokio::test]
async fn an_entry_that_is_too_large_is_kept_with_its_texts_cut() {
    let Some(account) = Account::on_ministack().await else { return };
    let log = log(&account, None, 0);
    log.create_table().await.unwrap();
    let mut changes = feed(HERE, 3);
    changes[1].fields[0].from = Value::from("🦊".repeat(60_000));
    changes[1].fields[0].to = Value::from("\n".repeat(180_000));
    log.append(&changes).await.unwrap();
    let kept = all(&log, HERE).await;
    assert_eq!((&kept[0], &kept[2]), (&changes[0], &changes[2]));
    let field = &kept[1].fields[0];
    let (from, to) = (field.from.as_str().unwrap(), field.to.as_str().unwrap());
    assert!(
        from.starts_with(&"🦊".repeat(8_000)) && from.ends_with("[cut: the change feed has the whole text]")
    );
    assert!(to.starts_with('\n') && to.len() < 10_000);
    let mut rest = kept[1].clone();
    rest.fields = changes[1].fields.clone();
    assert_eq!(rest, changes[1]);
}

#[tokio::test]
async fn an_item_that_is_not_ours_is_told() {
    let Some(account) = Account::on_ministack().await else { return };
    let log = log(&account, None, 0);
    log.create_table().await.unwrap();
    log.append(&feed(HERE, 1)).await.unwrap();
    let mangled = json!({
        "TableName": "fairy-activity",
        "Item": { "feed": { "S": format!("{HERE}#1") }, "seq": { "N": "1" }, "entry": { "S": "{}" } },
    });
    account.call("DynamoDB_20120810.PutItem", mangled).await;
    let query = ActivityQuery { workspace: HERE, about: About::Everything, since: None };
    let broken = log.entries(&query, PageRequest::default()).await;
    assert!(matches!(broken, Err(PortError::Broken(_))), "{broken:?}");
}
