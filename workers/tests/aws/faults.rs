//! DynamoDB when it has no room, no permission or no answer.

use fairy_jobs::{
    id::{UserId, WorkspaceId},
    page::PageRequest,
    ports::{About, ActivityLog as _, ActivityQuery, PortError},
    testing::activity::feed,
};
use serde_json::{Value, json};

use crate::{
    dynamodb::log,
    stand_in::{Answer, Asked, StandIn},
};

const HERE: WorkspaceId = WorkspaceId::from_bytes([1; 16]);
const FULL: Answer = Answer::Error(
    400,
    "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    "The level of configured provisioned throughput for the table was exceeded.",
);

fn requests(body: &Value) -> Vec<Value> {
    body["RequestItems"]["fairy-activity"].as_array().unwrap().clone()
}

fn seqs(body: &Value) -> Vec<u64> {
    let seq = |request: &Value| request["PutRequest"]["Item"]["seq"]["N"].as_str().unwrap().parse().unwrap();
    requests(body).iter().map(seq).collect()
}

fn unprocessed(left: &[Value]) -> Answer {
    Answer::Done(match left {
        [] => json!({ "UnprocessedItems": {} }),
        left => json!({ "UnprocessedItems": { "fairy-activity": left } }),
    })
}

#[tokio::test]
async fn what_was_not_processed_is_given_again_and_nothing_else() {
    let stand_in = StandIn::new(|asked, _| {
        let requests = requests(&asked.body);
        unprocessed(if requests.len() > 3 { &requests[3..] } else { &[] })
    })
    .await;
    log(&stand_in.account, None, 0).append(&feed(HERE, 32)).await.unwrap();
    let calls: Vec<Vec<u64>> = stand_in.asked("BatchWriteItem").iter().map(seqs).collect();
    let mut expected: Vec<Vec<u64>> = (0..9).map(|n| (1 + 3 * n..=25).collect()).collect();
    expected.extend((0..3).map(|n| (26 + 3 * n..=32).collect()));
    assert_eq!(calls, expected);
}

#[tokio::test]
async fn a_throttled_table_is_waited_for() {
    let stand_in = StandIn::new(|_, before| if before < 4 { FULL } else { unprocessed(&[]) }).await;
    log(&stand_in.account, None, 0).append(&feed(HERE, 2)).await.unwrap();
    assert_eq!(stand_in.asked("BatchWriteItem").len(), 5);
}

#[tokio::test]
async fn a_table_that_takes_nothing_is_left_for_later() {
    let stand_in = StandIn::new(|asked, _| unprocessed(&requests(&asked.body))).await;
    let result = log(&stand_in.account, None, 0).append(&feed(HERE, 2)).await;
    let Err(PortError::Unavailable(error)) = result else { panic!("{result:?}") };
    assert!(error.contains("table fairy-activity is throttled"), "{error}");
}

#[tokio::test]
async fn no_permission_is_said_and_waits() {
    let denied = |_: &Asked, _| {
        Answer::Error(400, "AccessDeniedException", "User: arn:aws:iam::1:user/x is not authorized")
    };
    let stand_in = StandIn::new(denied).await;
    let log = log(&stand_in.account, None, 0);
    let result = log.append(&feed(HERE, 1)).await;
    let Err(PortError::Unavailable(error)) = result else { panic!("{result:?}") };
    assert!(error.contains("table fairy-activity: AccessDeniedException: User"), "{error}");
    assert_eq!(stand_in.asked("BatchWriteItem").len(), 1);
}

#[tokio::test]
async fn a_table_that_may_not_be_made_says_so() {
    let stand_in = StandIn::new(|asked, _| match asked.operation.rsplit('.').next() {
        Some("DescribeTable") => {
            Answer::Error(400, "ResourceNotFoundException", "Requested resource not found")
        }
        _ => Answer::Error(400, "AccessDeniedException", "not authorized to perform: dynamodb:CreateTable"),
    })
    .await;
    let error = log(&stand_in.account, None, 0).create_table().await.unwrap_err().to_string();
    for words in ["it cannot be made", "dynamodb:CreateTable", "make the table by other means"] {
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_refused_item_is_a_defect_and_not_an_outage() {
    let refused =
        |_: &Asked, _| Answer::Error(400, "ValidationException", "Item size has exceeded the maximum");
    let stand_in = StandIn::new(refused).await;
    let result = log(&stand_in.account, None, 0).append(&feed(HERE, 1)).await;
    assert!(matches!(result, Err(PortError::Broken(_))), "{result:?}");
}

#[tokio::test]
async fn keys_that_were_not_read_are_asked_again() {
    let changes = feed(HERE, 8);
    let entries = changes.clone();
    let stand_in = StandIn::new(move |asked, _| {
        if asked.operation.ends_with(".Query") {
            let shard = asked.body["ExpressionAttributeValues"][":key"]["S"].as_str().unwrap();
            let shard: u64 = shard.rsplit('#').next().unwrap().parse().unwrap();
            let seqs = (1..=8).rev().filter(|seq| seq % 4 == shard);
            let items: Vec<Value> = seqs.map(|seq: u64| json!({ "seq": { "N": seq.to_string() } })).collect();
            return Answer::Done(json!({ "Items": items }));
        }
        let keys = asked.body["RequestItems"]["fairy-activity"]["Keys"].as_array().unwrap();
        // One is read, the others are not, and one is in the index and no longer in the table.
        let seq: usize = keys[0]["seq"]["N"].as_str().unwrap().parse().unwrap();
        let entry = serde_json::to_string(&entries[seq - 1]).unwrap();
        let item = json!({ "seq": { "N": seq.to_string() }, "entry": { "S": entry } });
        let items = if seq == 5 { json!([]) } else { json!([item]) };
        let left = match &keys[1..] {
            [] => json!({}),
            left => json!({ "fairy-activity": { "Keys": left, "ConsistentRead": true } }),
        };
        Answer::Done(json!({ "Responses": { "fairy-activity": items }, "UnprocessedKeys": left }))
    })
    .await;
    let about = About::Person(UserId::from_bytes([1; 16]));
    let query = ActivityQuery { workspace: HERE, about, since: None };
    let page = log(&stand_in.account, None, 0).entries(&query, PageRequest::default()).await.unwrap();
    let seqs: Vec<u64> = page.items.iter().map(|change| change.seq).collect();
    assert_eq!((seqs, page.next), (vec![8, 7, 6, 4, 3, 2, 1], None));
    assert!(
        stand_in
            .asked("BatchGetItem")
            .iter()
            .all(|body| { body["RequestItems"]["fairy-activity"]["ConsistentRead"] == true })
    );
}
