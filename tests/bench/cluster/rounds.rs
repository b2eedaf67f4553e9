//! Figures of several rounds. What is compared is compared within a round, for the machine differs from one to the next.

use std::collections::HashMap;

/// Figures by name, one a round.
#[derive(Default)]
pub struct Rounds(HashMap<String, Vec<f64>>);

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Rounds {
    /// Notes a figure of the round that runs.
    pub fn note(&mut self, name: &str, figure: f64) {
        self.0.entry(name.to_owned()).or_default().push(figure);
    }

    /// Notes p50 and p99.
    pub fn note_times(&mut self, name: &str, [p50, p99]: [f64; 2]) {
        self.note(name, p50);
        self.note(&format!("{name} p99"), p99);
    }

    /// Whether there is such a figure.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The median.
    pub fn median(&self, name: &str) -> f64 {
        median(self.0.get(name).cloned().unwrap_or_default())
    }

    /// The medians of p50 and p99.
    pub fn times(&self, name: &str) -> [f64; 2] {
        [self.median(name), self.median(&format!("{name} p99"))]
    }

    /// The median of one in proportion to the other.
    pub fn ratio(&self, of: &str, to: &str) -> f64 {
        let values = |name: &str| self.0.get(name).cloned().unwrap_or_default();
        median(values(of).iter().zip(values(to)).map(|(of, to)| of / to).collect())
    }
}
