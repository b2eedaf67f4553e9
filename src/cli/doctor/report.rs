//! The lines that `fairy doctor` prints.

use std::fmt;

use crate::config::Effective;

/// What a check found.
pub enum Finding {
    Well(String),
    Note(String),
    Wrong(String),
}

use Finding::{Note, Well, Wrong};

/// The lines so far, and whether one of them says that something is wrong.
#[derive(Default)]
pub struct Report {
    pub text: String,
    pub wrong: bool,
}

impl Report {
    /// A setting as it holds.
    pub fn setting(&mut self, setting: &Effective) {
        self.line("      ", setting.key, format_args!("{} ({})", setting.shown, setting.origin));
    }

    /// What a check of this part found.
    pub fn add(&mut self, what: &str, finding: Finding) {
        match finding {
            Well(words) => self.line("ok    ", what, words),
            Note(words) => self.line("note  ", what, words),
            Wrong(words) => {
                self.wrong = true;
                self.line("WRONG ", what, words);
            }
        }
    }

    fn line(&mut self, mark: &str, what: &str, words: impl fmt::Display) {
        use fmt::Write as _;
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{mark}{what:<20} {words}");
    }
}
