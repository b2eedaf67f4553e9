//! Which operations did what they are for.

use std::collections::BTreeMap;

use serde_json::Value;

/// What no run gets a 2xx from, and why not.
const NEVER: [(&str, &str); 0] = [];

/// Every operation of the description, as `METHOD /path`.
pub fn operations(document: &Value) -> Vec<String> {
    let paths = document["paths"].as_object().expect("paths");
    let of_path = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().expect("methods").keys();
        methods.map(|method| format!("{} {path}", method.to_uppercase())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

/// How often each operation was answered with each status.
#[derive(Debug, Default)]
pub struct Reached(BTreeMap<String, BTreeMap<u64, usize>>);

impl Reached {
    /// From the record of a run.
    pub fn read(record: &str) -> Self {
        let mut reached = Self::default();
        for line in record.lines() {
            let event: Value = serde_json::from_str(line).expect("a line is JSON");
            let scenario = &event["ScenarioFinished"]["recorder"];
            let Some(label) = scenario["label"].as_str() else { continue };
            let statuses = reached.0.entry(label.to_owned()).or_default();
            for interaction in scenario["interactions"].as_object().into_iter().flat_map(|i| i.values()) {
                // Also with methods that the path does not know, which says nothing of the operation.
                let method = interaction["request"]["method"].as_str();
                if let Some(status) = interaction["response"]["status_code"].as_u64()
                    && method == label.split(' ').next()
                {
                    *statuses.entry(status).or_default() += 1;
                }
            }
        }
        reached
    }

    /// Takes in another run.
    pub fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Each operation of these did what it is for, or stands in the list of those that cannot.
    pub fn judge(&self, all: &[String]) {
        for (operation, statuses) in &self.0 {
            eprintln!("{operation}: {statuses:?}");
        }
        let does = |operation: &str| {
            self.0
                .get(operation)
                .is_some_and(|statuses| statuses.keys().any(|status| (200..300).contains(status)))
        };
        let never: Vec<&str> = all.iter().map(String::as_str).filter(|operation| !does(operation)).collect();
        let expected: Vec<&str> = NEVER.iter().map(|(operation, _)| *operation).collect();
        assert_eq!(never, expected, "{self:#?}");
    }
}
