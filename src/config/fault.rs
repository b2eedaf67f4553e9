//! What is wrong with a configuration.

use std::fmt;

use super::Origin;

/// One value that cannot be used, with the place where it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    key: String,
    origin: Origin,
    problem: String,
}

impl Fault {
    /// The setting `key`, given at `origin`, has this problem.
    pub fn new(key: impl Into<String>, origin: Origin, problem: impl Into<String>) -> Self {
        Self { key: key.into(), origin, problem: problem.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The system's and the parser's words may have several lines; a complaint has one.
        let problem = self.problem.split_whitespace().collect::<Vec<_>>().join(" ");
        write!(out, "{} ({}) {problem}", self.key, self.origin)
    }
}

/// A configuration that cannot be used, with everything that is wrong with it; one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration cannot be used: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Faults(pub Vec<Fault>);
