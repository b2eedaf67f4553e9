//! The layer that comes from environment variables `FAIRY__SECTION__KEY`.

use std::ffi::OsString;

use super::{Fault, Given, Origin};

const PREFIX: &str = "FAIRY__";

/// The settings among these variables; a value that is not text is a fault.
pub fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> (Vec<(String, Given)>, Vec<Fault>) {
    let mut entries = Vec::new();
    let mut faults = Vec::new();
    for (name, value) in variables {
        let Some(name) = name.to_str() else { continue };
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let key = rest.replace("__", ".").to_lowercase();
        let origin = Origin::Variable(name.to_owned());
        match value.into_string() {
            Ok(text) => entries.push((key, Given { text, origin })),
            Err(_) => faults.push(Fault::new(key, &origin, "is not valid UTF-8")),
        }
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    (entries, faults)
}
