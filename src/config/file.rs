//! The layer that comes from a TOML file.
//!
//! It is read as a tree of values with their places, not into a struct, so that a complaint names the line and all
//! mistakes of a file are found at once.

use std::path::Path;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Fault, Given, Origin};

/// Largest file that is read: a configuration beyond it is something else by mistake.
const MAX_BYTES: u64 = 1024 * 1024;

/// Reads the file; what cannot be read or parsed is a fault too.
pub fn read(path: &Path) -> (Vec<(String, Given)>, Vec<Fault>) {
    match text_of(path) {
        Ok(text) => parse(path, &text),
        Err(problem) => (Vec::new(), vec![Fault::of_file(path, problem)]),
    }
}

fn text_of(path: &Path) -> Result<String, String> {
    let length = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.len();
    if length > MAX_BYTES {
        return Err(format!("has {length} bytes; a configuration has at most {MAX_BYTES}"));
    }
    std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))
}

fn parse(path: &Path, text: &str) -> (Vec<(String, Given)>, Vec<Fault>) {
    let mut reader = Reader { path, text, entries: Vec::new(), faults: Vec::new() };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        reader.fault("the file", at, format!("is not TOML: {}", error.message()));
    }
    if errors.is_empty() {
        reader.table("", table.get_ref());
    }
    (reader.entries, reader.faults)
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    entries: Vec<(String, Given)>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn table(&mut self, section: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = match section {
                "" => key.get_ref().to_string(),
                _ => format!("{section}.{}", key.get_ref()),
            };
            self.value(name, key.span().start, value);
        }
    }

    fn value(&mut self, name: String, at: usize, value: &Spanned<DeValue<'_>>) {
        let text = match value.get_ref() {
            DeValue::Table(table) if !name.contains('.') => return self.table(&name, table),
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(answer) => answer.to_string(),
            other => {
                let problem = format!("must be a text or a number, not a {}", other.type_str());
                return self.fault(&name, at, problem);
            }
        };
        let origin = self.origin(at);
        self.entries.push((name, Given { text, origin }));
    }

    fn fault(&mut self, name: &str, at: usize, problem: String) {
        let origin = self.origin(at);
        self.faults.push(Fault::new(name, &origin, problem));
    }

    fn origin(&self, at: usize) -> Origin {
        let before = self.text.as_bytes().iter().take(at);
        Origin::File { path: self.path.to_owned(), line: before.filter(|byte| **byte == b'\n').count() + 1 }
    }
}
