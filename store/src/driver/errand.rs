//! Statements on their way to SQLite's thread, as one text with the arguments of all.

use super::Value;

/// Statements that go together.
#[derive(Default)]
pub(super) struct Errand {
    /// Begins the transaction or a unit of work in it: it comes first, and is not sent alone.
    lead: Option<&'static str>,
    pub text: String,
    pub args: Vec<Value>,
    pub statements: usize,
    /// Whose answer is asked for: the place of the statement, and the number of the answer.
    pub asked: Vec<(usize, usize)>,
}

impl Errand {
    /// Most arguments of one text. Each text is a prepared statement that the connection keeps, so only what is short may
    /// come in many combinations; a long statement is worth an errand of its own.
    const MOST: usize = 128;

    /// An errand that begins with these statements, which have no arguments.
    pub fn led_by(lead: Option<&'static str>) -> Self {
        let mut led = Self { lead, ..Self::default() };
        if let Some(lead) = lead {
            led.add(lead, vec![], None);
        }
        led
    }

    /// Whether nothing waits but what leads.
    pub fn is_empty(&self) -> bool {
        self.text.len() == self.lead.map_or(0, str::len)
    }

    /// Whether a statement with so many arguments may join.
    pub fn has_room(&self, args: usize) -> bool {
        self.is_empty() || self.args.len() + args <= Self::MOST
    }

    /// Adds a text of one or more statements; the answer asked for is that of the last.
    pub fn add(&mut self, text: &str, args: Vec<Value>, asked: Option<usize>) {
        debug_assert!(!text.contains("?1"), "a numbered placeholder would be another statement's: {text}");
        let text = text.trim_end().trim_end_matches(';');
        if !self.text.is_empty() {
            self.text.push_str(";\n");
        }
        self.text.push_str(text);
        self.args.extend(args);
        // No text has a semicolon but between its statements.
        self.statements += text.split(';').count();
        self.asked.extend(asked.map(|number| (self.statements - 1, number)));
    }

    /// Drops what waits, but not what leads.
    pub fn forget(&mut self) {
        *self = Self::led_by(self.lead);
    }
}
