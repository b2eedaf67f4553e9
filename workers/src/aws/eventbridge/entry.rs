//! A change as an entry of `PutEvents`, and calls that are not too large.

use aws_sdk_eventbridge::{primitives::DateTime, types::PutEventsRequestEntry};
use fairy_jobs::{
    change::Change,
    event::{event_id, event_json},
    trace::Trace,
};

const SOURCE: &str = "fairy";
/// The most bytes of a call and of each of its entries, as AWS counts them ("Calculating Amazon EventBridge PutEvents
/// event entry size"); accounts that are allowed more get along with it.
const MOST_BYTES: usize = 256 * 1024 - 1;
/// The most entries of a call.
const MOST_ENTRIES: usize = 10;
/// What the time of an entry is counted as.
const TIME: usize = 14;
/// What a detail may have of an entry: the rest is for its source, its type and its time.
const DETAIL: usize = MOST_BYTES - 1_024;

/// An entry and the id of its event.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub id: String,
    pub event: PutEventsRequestEntry,
}

/// The entry of a change; what is wrong with it if there can be none.
pub(super) fn entry(change: &Change, bus: &str) -> Result<Entry, String> {
    // What an event has beyond its change (id, workspace) is shorter than the audience that it leaves out, or short.
    let fitting = change.fitting(DETAIL - 256);
    let detail = event_json(&fitting).map_err(|error| format!("it cannot be written as JSON: {error}"))?;
    let event = PutEventsRequestEntry::builder()
        .event_bus_name(bus)
        .source(SOURCE)
        .detail_type(change.kind.as_str())
        .time(DateTime::from_millis(change.at.as_millisecond()))
        .detail(detail)
        .set_trace_header(change.trace.as_ref().map(trace_header))
        .build();
    let bytes = size(&event);
    if bytes > MOST_BYTES {
        return Err(format!("it has {bytes} bytes, and an event may have {MOST_BYTES}"));
    }
    Ok(Entry { id: event_id(change), event })
}

/// A trace as X-Ray writes it (`X-Amzn-Trace-Id`, "AWS X-Ray concepts", tracing header). Its trace ids are those of W3C in
/// three parts; that the first was once a time no longer matters there.
fn trace_header(trace: &Trace) -> String {
    let id = trace.trace_id();
    let (first, rest) = id.split_at(8);
    let sampled = u8::from(trace.is_sampled());
    format!("Root=1-{first}-{rest};Parent={};Sampled={sampled}", trace.span_id())
}

/// The bytes of an entry as AWS counts them.
pub(super) fn size(entry: &PutEventsRequestEntry) -> usize {
    let texts = [entry.source(), entry.detail_type(), entry.detail()];
    let resources: usize = entry.resources().iter().map(String::len).sum();
    let time = if entry.time().is_some() { TIME } else { 0 };
    texts.into_iter().flatten().map(str::len).sum::<usize>() + resources + time
}

/// The entries in calls, in order.
pub(super) fn calls(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut calls: Vec<Vec<Entry>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let size = size(&entry.event);
        match calls.last_mut() {
            Some(call) if call.len() < MOST_ENTRIES && bytes + size <= MOST_BYTES => {
                bytes += size;
                call.push(entry);
            }
            _ => {
                bytes = size;
                calls.push(vec![entry]);
            }
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use fairy_jobs::{id::WorkspaceId, testing::activity::feed, text::Body};
    use serde_json::Value;

    use super::*;

    fn change(title: &str) -> Change {
        let mut change = feed(WorkspaceId::from_bytes([1; 16]), 1).remove(0);
        change.fields[0].to = Value::String(title.to_owned());
        change
    }

    fn bytes(change: &Change) -> usize {
        size(&entry(change, "bus").unwrap().event)
    }

    #[test]
    fn counts_as_aws_does() {
        let event = PutEventsRequestEntry::builder()
            .source("fairy")
            .detail_type("task.created")
            .detail("{\"é\":1}")
            .resources("arn")
            .event_bus_name("is not counted")
            .trace_header("neither")
            .time(DateTime::from_secs(0))
            .build();
        assert_eq!(size(&event), 5 + 12 + 8 + 3 + 14);
    }

    #[test]
    fn calls_are_of_ten_and_within_the_bytes() {
        let small = feed(WorkspaceId::from_bytes([1; 16]), 25);
        let large = (0..5).map(|_| change(&"🦊".repeat(Body::LIMIT)));
        let changes: Vec<Change> = small.into_iter().chain(large).collect();
        let entries = changes.iter().map(|change| entry(change, "bus").unwrap()).collect();
        let calls = calls(entries);
        let lengths: Vec<usize> = calls.iter().map(Vec::len).collect();
        assert_eq!(lengths, [10, 10, 8, 2]);
        for call in &calls {
            assert!(call.iter().map(|entry| size(&entry.event)).sum::<usize>() <= MOST_BYTES);
        }
    }

    #[test]
    fn the_largest_that_people_can_write_goes_whole() {
        let longest = "🦊".repeat(Body::LIMIT);
        let mut change = change(&longest);
        change.fields[0].from = Value::String(longest);
        assert!(!entry(&change, "bus").unwrap().event.detail().unwrap().contains("[cut"));
        assert!(bytes(&change) > 160_000);
    }

    #[test]
    fn what_is_too_large_is_cut_and_what_cannot_be_cut_is_refused() {
        let mut change = change(&"\n".repeat(400_000));
        assert!(bytes(&change) < 40_000);
        assert!(entry(&change, "bus").unwrap().event.detail().unwrap().contains("[cut"));
        change.fields[1].to = Value::Array(vec![Value::from("label"); 50_000]);
        assert!(entry(&change, "bus").unwrap_err().contains("bytes"));
    }
}
