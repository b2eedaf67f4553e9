//! Judges who was told: everybody concerned, of everything that concerned them, once.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use serde_json::Value;

use super::{audience, judge::Report, world::World};
use crate::{harness::eventually, mailbox::Letter, team::numbers};

/// A mail whose sender was killed waits until its lease of a good minute is over, and the next may be killed too; one that
/// its mail server refused twice meanwhile waits for minutes.
const LEASES: Duration = Duration::from_secs(480);

/// What was found.
pub struct Told {
    /// Mails about notices, repeats included.
    pub mails: usize,
    /// Mails whose notice was mailed again.
    pub repeated: Vec<Letter>,
}

/// What a receipt says of a notice.
pub struct Notice {
    email: String,
    attempts: u64,
    /// Whether it was not tried again because the person ceased to watch: then it may have been mailed or not.
    ceased: bool,
}

/// What the receipts say of each notice.
type Notices = BTreeMap<String, Notice>;

/// The mails are those that the receipts tell of, and the receipts are what the feed makes due.
pub async fn judge(world: &World, reports: &[Report], letters: impl Fn() -> Vec<Letter>) -> Told {
    let notices = receipts(world, reports).await;
    // Only now has everything been sent.
    let letters = letters();
    let mut mailed: BTreeMap<&str, Vec<&Letter>> = BTreeMap::new();
    for letter in &letters {
        if let Some(notice) = &letter.notice {
            mailed.entry(notice).or_default().push(letter);
        }
    }
    let is_lost = |(id, notice): &(&String, &Notice)| !notice.ceased && !mailed.contains_key(id.as_str());
    let lost: Vec<_> = notices.iter().filter(is_lost).map(|(id, _)| id).collect();
    let unknown: Vec<_> = mailed.keys().filter(|id| !notices.contains_key(**id)).collect();
    assert!(
        lost.is_empty() && unknown.is_empty(),
        "never mailed: {lost:?}; mailed without receipt: {unknown:?}"
    );
    for (notice, letters) in &mailed {
        let Notice { email: to, attempts, .. } = &notices[*notice];
        assert!(
            letters.len() as u64 <= *attempts,
            "{notice}: {} mails in {attempts} attempts",
            letters.len()
        );
        for letter in letters {
            assert_eq!(letter.to, *to, "{notice} went to somebody else");
            assert_eq!(letter.message_id, letters[0].message_id, "a repeat of {notice} is another mail");
            assert_eq!(letter.text, letters[0].text, "a repeat of {notice} says something else");
        }
    }
    let mails = mailed.values().map(Vec::len).sum();
    let repeated = mailed.values().flat_map(|letters| &letters[..letters.len() - 1]);
    Told { mails, repeated: repeated.map(|letter| (*letter).clone()).collect() }
}

/// The receipts say of each person and operation what the feed makes due, once, and that it was sent.
pub async fn receipts(world: &World, reports: &[Report]) -> Notices {
    let mut notices = Notices::new();
    for (site, report) in world.sites.iter().zip(reports) {
        let api = &site.people[0].api;
        let mut due = audience::due(&report.feed, site);
        for task in report.replay.tasks.keys() {
            let expected = due.remove(task).unwrap_or_default();
            let path = site.at(&format!("/tasks/{task}/receipts"));
            let last = Mutex::default();
            let receipts = eventually(LEASES, || async {
                let mut receipts = api.all(&path).await;
                receipts.retain(|r| r["notice"].is_string());
                let is_over = |r: &Value| {
                    r["deliveries"].as_array().is_some_and(|d| d.iter().all(|d| d["state"] == "sent"))
                        || has_ceased(r, task, &report.feed)
                };
                if receipts.len() >= expected.len() && receipts.iter().all(is_over) {
                    return Some(receipts);
                }
                receipts.retain(|receipt| !is_over(receipt));
                *last.lock().unwrap() = receipts;
                None
            });
            let mut found = audience::Due::new();
            let told = receipts.await;
            let told = told.unwrap_or_else(|| {
                panic!("{task}: {} were to be told; not sent: {:#?}", expected.len(), last.lock().unwrap())
            });
            for receipt in told {
                let person = receipt["person"]["id"].as_str().expect("a person").to_owned();
                let email = &site.people.iter().find(|p| p.id == person).expect("one of ours").email;
                let key = (person, numbers(&receipt["changes"]));
                let Some((key, reason)) = expected.get_key_value(&key) else {
                    panic!("{task}: nobody was to be told this: {receipt:#}");
                };
                assert_eq!(receipt["reason"], *reason, "{task}: {receipt:#}");
                assert_eq!(receipt["deliveries"].as_array().map(Vec::len), Some(1), "{task}: {receipt:#}");
                let twice = found.insert(key.clone(), reason);
                assert!(twice.is_none(), "{task}: told twice: {receipt:#}");
                let notice = receipt["notice"].as_str().expect("a notice").to_owned();
                let attempts = receipt["deliveries"][0]["attempts"].as_u64().expect("a number");
                let ceased = receipt["deliveries"][0]["state"] != "sent";
                assert!(
                    notices.insert(notice, Notice { email: (*email).clone(), attempts, ceased }).is_none(),
                    "{task}: one notice for two: {receipt:#}"
                );
            }
            assert_eq!(found, expected, "{task}");
        }
        assert!(due.is_empty(), "{due:?}");
    }
    notices
}

/// Whether a watcher was spared a mail because they ceased to watch before it could be sent, as the feed says they did.
fn has_ceased(receipt: &Value, task: &str, feed: &[Value]) -> bool {
    let (person, told) = (&receipt["person"]["id"], receipt["changes"][0].as_u64());
    let holds = |people: &Value| people.as_array().is_some_and(|people| people.contains(person));
    let ceases = |change: &Value| {
        let fields = change["fields"].as_array().into_iter().flatten();
        let mut watchers = fields.filter(|field| field["name"] == "watchers");
        change["task"]["id"] == task
            && change["seq"].as_u64() > told
            && watchers.any(|field| holds(&field["from"]) && !holds(&field["to"]))
    };
    let delivery = &receipt["deliveries"][0];
    delivery["state"] == "dropped"
        && delivery["error"] == "no longer watches the task"
        && receipt["reason"] == "watching"
        && feed.iter().any(ceases)
}
