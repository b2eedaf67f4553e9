//! What the clients sent and what they were answered: the account against which the system is judged.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a request asked for, as far as it can be recognised afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// A task with this title.
    Create(String),
    /// That a task has this title.
    Retitle(String),
    /// A comment with this text.
    Comment(String),
    /// Something without a mark of its own.
    Other,
}

/// What a client knows of what it sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It was answered that the operation ended so; with the task or comment that was answered.
    Ended(u16, Value),
    /// It was answered that it was accepted.
    Accepted,
    /// The connection broke and the client gave up.
    Nothing,
}

/// One operation that was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The workspace, by number.
    pub site: usize,
    /// Who, by number.
    pub actor: usize,
    /// What.
    pub intent: Intent,
    /// What the client knows.
    pub known: Known,
}

/// Everything that was sent, by operation id.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// The operations.
    pub operations: BTreeMap<String, Sent>,
    /// How often a connection broke.
    pub broken: usize,
    /// How often an answer was asked for again and was the same.
    pub replayed: usize,
}

impl Account {
    /// Keeps an operation; the same id cannot be two operations.
    pub fn keep(&mut self, id: String, sent: Sent) {
        let twice = self.operations.insert(id, sent);
        assert!(twice.is_none(), "two requests were given the same operation: {twice:?}");
    }

    /// What was acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.operations.values().filter(|sent| sent.known != Known::Nothing).count()
    }

    /// In a few words.
    pub fn summary(&self) -> String {
        let given_up = self.operations.len() - self.acknowledged();
        let count =
            |wanted: fn(&Known) -> bool| self.operations.values().filter(|s| wanted(&s.known)).count();
        format!(
            "{} operations acknowledged ({} waited for, {} not), {given_up} given up; {} broken connections, {} replays",
            self.acknowledged(),
            count(|known| matches!(known, Known::Ended(..))),
            count(|known| matches!(known, Known::Accepted)),
            self.broken,
            self.replayed,
        )
    }
}
