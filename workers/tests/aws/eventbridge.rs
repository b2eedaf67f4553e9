//! Events on a bus: one that keeps them, one that looks closely, and one that has bad days.

use fairy_jobs::{
    event::event_json,
    id::WorkspaceId,
    ports::{EventBus as _, PortError},
    testing::activity::feed,
    trace::Trace,
};
use fairy_workers::aws::EventBridge;
use serde_json::{Value, json};

use crate::{
    servers::take_events,
    stand_in::{Answer, Asked, StandIn},
    world::Account,
};

const HERE: WorkspaceId = WorkspaceId::from_bytes([1; 16]);

fn bus(account: &Account) -> EventBridge {
    EventBridge::new(&account.aws, "fairy-changes").unwrap()
}

#[tokio::test]
async fn a_rule_brings_events_to_a_queue() {
    let Some(account) = Account::on_ministack().await else { return };
    account.call("AWSEvents.CreateEventBus", json!({ "Name": "fairy-changes" })).await;
    account.call("AmazonSQS.CreateQueue", json!({ "QueueName": "created" })).await;
    let rule = json!({
        "Name": "created",
        "EventBusName": "fairy-changes",
        "EventPattern": json!({ "source": ["fairy"], "detail-type": ["task.created"] }).to_string(),
    });
    account.call("AWSEvents.PutRule", rule).await;
    let target = json!({
        "Rule": "created",
        "EventBusName": "fairy-changes",
        "Targets": [{ "Id": "queue", "Arn": format!("arn:aws:sqs:eu-west-1:{}:created", account.id) }],
    });
    account.call("AWSEvents.PutTargets", target).await;
    let changes = feed(HERE, 40);
    let bus = bus(&account);
    bus.publish(&changes).await.unwrap();
    let mut events = take_events(&account.url, &account.id, "created").await;
    events.sort_by_key(|event| event["detail"]["seq"].as_u64());
    let created: Vec<_> = changes.iter().filter(|change| change.kind.as_str() == "task.created").collect();
    assert_eq!(events.len(), created.len());
    assert!(created.len() > 1);
    for (event, change) in events.iter().zip(created) {
        assert_eq!((&event["source"], &event["detail-type"]), (&json!("fairy"), &json!("task.created")));
        assert_eq!(event["detail"], serde_json::from_str::<Value>(&event_json(change).unwrap()).unwrap());
        assert_eq!(event["detail"]["id"], format!("{HERE}.{}", change.seq));
        assert_eq!(
            event["detail"]["fields"][1],
            json!({ "name": "labels", "from": ["a"], "to": ["a", "b"] })
        );
    }
    assert_eq!(bus.set_aside(), 0);
}

#[tokio::test]
async fn events_wait_for_a_bus_that_is_not_there() {
    let Some(account) = Account::on_ministack().await else { return };
    let bus = bus(&account);
    let result = bus.publish(&feed(HERE, 1)).await;
    let Err(PortError::Unavailable(error)) = result else { panic!("{result:?}") };
    assert!(error.contains("there is no event bus fairy-changes, and changes wait for it"), "{error}");
    assert!(bus.check().await.is_err());
    account.call("AWSEvents.CreateEventBus", json!({ "Name": "fairy-changes" })).await;
    bus.publish(&feed(HERE, 1)).await.unwrap();
    bus.check().await.unwrap();
}

#[tokio::test]
async fn a_second_opinion_takes_what_we_send_and_names_what_is_malformed() {
    let Some(account) = Account::on_moto().await else { return };
    account.call("AWSEvents.CreateEventBus", json!({ "Name": "fairy-changes" })).await;
    bus(&account).publish(&feed(HERE, 25)).await.unwrap();
    let entry = |detail| json!({ "Source": "fairy", "DetailType": "x", "Detail": detail });
    let mixed = json!({ "Entries": [entry("{}"), entry("{")] });
    let answer = account.call("AWSEvents.PutEvents", mixed).await;
    assert_eq!(answer["FailedEntryCount"], 1, "{answer}");
    // What it answers to that is what makes us set an event aside.
    let replayed = answer.clone();
    let stand_in = StandIn::new(move |asked, _| match asked.operation.as_str() {
        "AWSEvents.PutEvents" => Answer::Done(replayed.clone()),
        _ => Answer::Done(json!({ "Name": "fairy-changes" })),
    })
    .await;
    let bus = bus_at(&stand_in);
    bus.publish(&feed(HERE, 2)).await.unwrap();
    assert_eq!((bus.set_aside(), stand_in.asked("PutEvents").len()), (1, 1));
}

fn bus_at(stand_in: &StandIn) -> EventBridge {
    bus(&stand_in.account)
}

fn seqs(body: &Value) -> Vec<u64> {
    let detail = |entry: &Value| serde_json::from_str::<Value>(entry["Detail"].as_str().unwrap()).unwrap();
    body["Entries"].as_array().unwrap().iter().map(|entry| detail(entry)["seq"].as_u64().unwrap()).collect()
}

/// A bus that answers for each entry by its number: `None` takes it.
fn by_seq(
    code: impl Fn(u64, usize) -> Option<&'static str> + Send + Sync + 'static,
) -> impl Fn(&Asked, usize) -> Answer + Send + Sync {
    move |asked, before| {
        if !asked.operation.ends_with("PutEvents") {
            return Answer::Done(json!({ "Name": "fairy-changes" }));
        }
        let result = |seq| match code(seq, before) {
            Some(code) => json!({ "ErrorCode": code, "ErrorMessage": "because" }),
            None => json!({ "EventId": format!("event-{seq}") }),
        };
        let results: Vec<Value> = seqs(&asked.body).into_iter().map(result).collect();
        let failed = results.iter().filter(|result| result["ErrorCode"].is_string()).count();
        Answer::Done(json!({ "FailedEntryCount": failed, "Entries": results }))
    }
}

fn calls(stand_in: &StandIn) -> Vec<Vec<u64>> {
    stand_in.asked("PutEvents").iter().map(seqs).collect()
}

#[tokio::test]
async fn failed_entries_alone_are_put_again_before_what_follows() {
    // The first two calls meet a bus that has no room for every third.
    let stand_in = StandIn::new(by_seq(|seq, before| {
        (before <= 2 && seq % 3 == 0).then_some(if seq == 3 {
            "InternalFailure"
        } else {
            "ThrottlingException"
        })
    }))
    .await;
    let bus = bus_at(&stand_in);
    bus.publish(&feed(HERE, 12)).await.unwrap();
    assert_eq!(calls(&stand_in), [(1..=10).collect(), vec![3, 6, 9], vec![3, 6, 9], vec![11, 12]]);
    assert_eq!(bus.set_aside(), 0);
    let entry = &stand_in.asked("PutEvents")[0]["Entries"][0];
    assert_eq!((&entry["EventBusName"], &entry["Source"]), (&json!("fairy-changes"), &json!("fairy")));
    assert!(entry.get("TraceHeader").is_none());
}

#[tokio::test]
async fn what_the_bus_never_takes_is_set_aside_and_the_rest_goes() {
    let stand_in = StandIn::new(by_seq(|seq, _| (seq == 2).then_some("MalformedDetail"))).await;
    let bus = bus_at(&stand_in);
    let mut changes = feed(HERE, 12);
    changes[4].fields[1].to = Value::Array(vec![Value::from("label"); 60_000]);
    bus.publish(&changes).await.unwrap();
    assert_eq!(calls(&stand_in), [vec![1, 2, 3, 4, 6, 7, 8, 9, 10, 11], vec![12]]);
    assert_eq!(bus.set_aside(), 2);
}

#[tokio::test]
async fn a_call_that_is_refused_is_taken_apart() {
    let stand_in = StandIn::new(|asked, before| {
        if asked.operation.ends_with("PutEvents") && seqs(&asked.body).contains(&3) {
            return Answer::Error(400, "ValidationException", "Total size of the entries is over the limit");
        }
        by_seq(|_, _| None)(asked, before)
    })
    .await;
    let bus = bus_at(&stand_in);
    bus.publish(&feed(HERE, 4)).await.unwrap();
    assert_eq!(calls(&stand_in), [vec![1, 2, 3, 4], vec![1], vec![2], vec![3], vec![4]]);
    assert_eq!(bus.set_aside(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_us_makes_everything_wait() {
    for code in ["AccessDeniedException", "NotAuthorizedForSourceException"] {
        let stand_in = StandIn::new(by_seq(move |seq, _| (seq == 2).then_some(code))).await;
        let bus = bus_at(&stand_in);
        let result = bus.publish(&feed(HERE, 12)).await;
        let Err(PortError::Unavailable(error)) = result else { panic!("{result:?}") };
        assert!(error.contains(&format!("event bus fairy-changes: {code}: because")), "{error}");
        assert_eq!((bus.set_aside(), calls(&stand_in).len()), (0, 1));
    }
    let denied = |_: &Asked, _| Answer::Error(400, "AccessDeniedException", "not authorized");
    let result = bus_at(&StandIn::new(denied).await).publish(&feed(HERE, 1)).await;
    assert!(matches!(result, Err(PortError::Unavailable(_))), "{result:?}");
}

#[tokio::test]
async fn a_bus_that_takes_nothing_is_left_for_later() {
    let stand_in = StandIn::new(by_seq(|_, _| Some("ThrottlingException"))).await;
    let bus = bus_at(&stand_in);
    let result = bus.publish(&feed(HERE, 2)).await;
    assert!(matches!(result, Err(PortError::Unavailable(_))), "{result:?}");
    assert_eq!(bus.set_aside(), 0);
}

#[tokio::test]
async fn events_carry_the_trace_they_belong_to() {
    let stand_in = StandIn::new(by_seq(|_, _| None)).await;
    let mut changes = feed(HERE, 3);
    let parent = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
    changes[0].trace = Trace::parse(&format!("00-{parent}-01"));
    changes[1].trace = Trace::parse(&format!("00-{parent}-00"));
    bus_at(&stand_in).publish(&changes).await.unwrap();
    let header = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled";
    let entries = &stand_in.asked("PutEvents")[0]["Entries"];
    assert_eq!(entries[0]["TraceHeader"], format!("{header}=1"));
    assert_eq!(entries[1]["TraceHeader"], format!("{header}=0"));
    assert!(entries[2].get("TraceHeader").is_none());
}

#[tokio::test]
async fn what_no_bus_is_called_is_refused() {
    let stand_in = StandIn::new(by_seq(|_, _| None)).await;
    for name in ["", "a bus", "bus\n"] {
        assert!(EventBridge::new(&stand_in.account.aws, name).is_err(), "{name:?}");
    }
}
