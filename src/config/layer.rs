//! The layers a setting may come from, and which of them wins.
//!
//! Defaults lie at the bottom, then the file, then the environment. Each value keeps its origin, so that a complaint
//! can say where to look. Nothing is judged here but names: a name nobody knows is a fault, never ignored.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use super::{Fault, setting};

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: the program's own.
    Default,
    /// On this line of the file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// In this environment variable.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File { path, line } => write!(out, "{}:{line}", path.display()),
            Self::Variable(name) => out.write_str(name),
        }
    }
}

/// A value somebody gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The text as written.
    pub text: String,
    /// Where.
    pub origin: Origin,
}

/// All values that were given, the winning one for each setting.
#[derive(Debug, Default)]
pub struct Layers {
    given: BTreeMap<&'static str, Given>,
}

impl Layers {
    /// Lays one layer over what is there. `entries` are names as `section.key` with their values; a secret's name may
    /// end in `_file`, and then its value is the path of a file that holds the secret.
    pub fn lay(&mut self, entries: Vec<(String, Given)>) -> Vec<Fault> {
        let mut layer = BTreeMap::new();
        let mut faults = Vec::new();
        for (name, given) in entries {
            match resolve(&name, given) {
                Ok((key, given)) => {
                    let origin = given.origin.clone();
                    if layer.insert(key, given).is_some() {
                        let problem = "is given both as a value and as a file: keep one";
                        faults.push(Fault::new(key, &origin, problem));
                    }
                }
                Err(fault) => faults.push(fault),
            }
        }
        self.given.append(&mut layer);
        faults
    }

    /// What was given for this setting, or its default.
    pub fn value(&self, key: &'static str) -> Option<Given> {
        self.given.get(key).cloned().or_else(|| {
            let default = setting::find(key)?.default?;
            Some(Given { text: default.to_owned(), origin: Origin::Default })
        })
    }
}

fn resolve(name: &str, given: Given) -> Result<(&'static str, Given), Fault> {
    if let Some(setting) = setting::find(name) {
        return Ok((setting.key, given));
    }
    let secret = name.strip_suffix("_file").and_then(setting::find).filter(|setting| setting.secret);
    let Some(setting) = secret else {
        let hint = setting::nearest(name).map_or_else(
            || "unknown setting: `fairy config` lists those there are".to_owned(),
            |near| format!("unknown setting: did you mean {near}?"),
        );
        return Err(Fault::new(name, &given.origin, hint));
    };
    match std::fs::read_to_string(&given.text) {
        Ok(text) => Ok((
            setting.key,
            Given { text: text.trim_end_matches(['\r', '\n']).to_owned(), origin: given.origin },
        )),
        Err(error) => Err(Fault::new(name, &given.origin, format!("cannot read {}: {error}", given.text))),
    }
}
