//! What is wrong with a configuration.

use std::{fmt, path::Path};

use super::Origin;

/// One value that cannot be used, with the place where it was given; or a file that cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    what: String,
    problem: String,
}

impl Fault {
    /// The setting `key`, given at `origin`, has this problem.
    pub fn new(key: impl fmt::Display, origin: &Origin, problem: impl Into<String>) -> Self {
        Self { what: format!("{key} ({origin})"), problem: problem.into() }
    }

    /// The whole file has this problem.
    pub fn of_file(path: &Path, problem: impl Into<String>) -> Self {
        Self { what: path.display().to_string(), problem: problem.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The system's and the parser's words may have several lines; a complaint has one.
        let problem = self.problem.split_whitespace().collect::<Vec<_>>().join(" ");
        write!(out, "{} {problem}", self.what)
    }
}

/// A configuration that cannot be used, with everything that is wrong with it; one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration cannot be used: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Faults(pub Vec<Fault>);
