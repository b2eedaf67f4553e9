//! What may come more than once, counted by what explains it: mails whose sender did not learn that they were sent, and events.

use std::{
    collections::BTreeMap,
    time::{Duration, UNIX_EPOCH},
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{cluster::Cluster, play::Past};
use crate::{
    conservation::{IN_HAND, judge::Report, world::World},
    harness::eventually,
    mailbox::Letter,
};

/// How long before and after a fault a mail may have been taken whose sender it hit.
const AROUND: SignedDuration = SignedDuration::from_secs(6);
/// How long events may take that waited for their bus.
const PATIENCE: Duration = Duration::from_secs(240);

/// Each mail that was repeated, explained by a fault around the time when it was taken; how many by each kind.
pub fn mails(repeated: &[Letter], past: &[Past]) -> BTreeMap<String, usize> {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut most: BTreeMap<String, usize> = BTreeMap::new();
    for one in past {
        *most.entry(one.fault.kind()).or_default() += one.fault.repeats(IN_HAND);
    }
    for letter in repeated {
        let at = taken(letter);
        let explains =
            |one: &&Past| one.fault.repeats(IN_HAND) > 0 && one.from - AROUND <= at && at <= one.to + AROUND;
        let Some(reason) = past.iter().find(explains) else {
            panic!("nothing explains that a mail taken at {at} was sent again: {letter:#?}\n{past:#?}");
        };
        *found.entry(reason.fault.kind()).or_default() += 1;
    }
    for (kind, count) in &found {
        assert!(
            count <= &most[kind],
            "{count} mails were sent again for {kind}, which explains {}",
            most[kind]
        );
    }
    found
}

fn taken(letter: &Letter) -> Timestamp {
    let written = std::fs::metadata(&letter.file).unwrap().modified().unwrap();
    let since = written.duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millisecond(i64::try_from(since.as_millis()).unwrap()).unwrap()
}

/// Every change of every workspace is an event, as the feed has it; how many came again, the same.
pub async fn events(cluster: &Cluster, world: &World, reports: &[Report]) -> usize {
    let mut again = 0;
    for (site, report) in world.sites.iter().zip(reports) {
        let found = eventually(PATIENCE, || async {
            cluster.cloud.take_events().await;
            let found = of_workspace(cluster, &site.id);
            (found.len() >= report.feed.len()).then_some(found)
        });
        let Some(found) = found.await else {
            let (found, all) = (of_workspace(cluster, &site.id), report.feed.len());
            let missing: Vec<u64> = (1..=all as u64).filter(|seq| !found.contains_key(seq)).collect();
            panic!("{} of {all} changes never became events: {missing:?}", missing.len());
        };
        assert_eq!(found.len(), report.feed.len(), "events tell of changes that are not in the feed");
        for (change, events) in report.feed.iter().zip(found.values()) {
            for event in events {
                let mut detail = event["detail"].clone();
                assert_eq!(detail["id"], format!("{}.{}", site.id, change["seq"]), "{event:#}");
                detail["id"] = json!(null);
                let told = json!({"id": null, "workspace": site.id});
                let mut expected = told.as_object().unwrap().clone();
                expected.extend(change.as_object().unwrap().clone());
                assert_eq!(detail, Value::Object(expected), "an event is not its change");
                assert_eq!(event["detail-type"], change["kind"]);
            }
            again += events.len() - 1;
        }
    }
    again
}

fn of_workspace(cluster: &Cluster, workspace: &str) -> BTreeMap<u64, Vec<Value>> {
    let mut found: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
    for event in cluster.cloud.events.lock().unwrap().iter() {
        if event["detail"]["workspace"] == workspace {
            found.entry(event["detail"]["seq"].as_u64().unwrap()).or_default().push(event.clone());
        }
    }
    found
}
