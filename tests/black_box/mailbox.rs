//! The mails that a server wrote as files, read as a mail program would.

use std::{collections::BTreeMap, path::Path};

use mail_parser::{HeaderValue, MessageParser};

use crate::harness::wait_until;

/// One mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The file's name; empty for mails that came another way.
    pub file: String,
    /// Where it goes.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// `Message-ID`.
    pub message_id: String,
    /// `X-Fairy-Notice`.
    pub notice: Option<String>,
    /// `X-Fairy-Reason`.
    pub reason: Option<String>,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
    /// The header names, with how often each occurs.
    pub headers: BTreeMap<String, usize>,
}

impl Letter {
    /// Reads a mail from its bytes.
    pub fn parse(file: &str, bytes: &[u8]) -> Self {
        let message = MessageParser::default().parse(bytes).unwrap_or_else(|| panic!("{file} is no mail"));
        let header = |name: &str| match message.header(name) {
            Some(HeaderValue::Text(text)) => Some(text.trim().to_owned()),
            _ => None,
        };
        let mut headers = BTreeMap::new();
        for one in message.headers() {
            *headers.entry(one.name().to_ascii_lowercase()).or_default() += 1;
        }
        Self {
            file: file.to_owned(),
            to: message.to().and_then(|to| to.first()?.address().map(str::to_owned)).unwrap_or_default(),
            subject: message.subject().unwrap_or_default().to_owned(),
            message_id: message.message_id().unwrap_or_default().to_owned(),
            notice: header("X-Fairy-Notice"),
            reason: header("X-Fairy-Reason"),
            text: message.body_text(0).unwrap_or_default().into_owned(),
            html: message.body_html(0).unwrap_or_default().into_owned(),
            headers,
        }
    }

    /// The code at the end of the link `{…}/{kind}/{code}`.
    #[track_caller]
    pub fn code(&self, kind: &str) -> String {
        let mark = format!("/{kind}/");
        let start =
            self.text.find(&mark).unwrap_or_else(|| panic!("no {kind} link in {self:?}")) + mark.len();
        let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        self.text[start..].chars().take_while(|c| word(*c)).collect()
    }
}

/// All mails under a data directory, by file name. Files that are still being written have another ending.
pub fn letters(data: &Path) -> Vec<Letter> {
    let Ok(entries) = std::fs::read_dir(data.join("mail")) else {
        return Vec::new();
    };
    let mut letters = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".eml") {
            letters.push(Letter::parse(&name, &std::fs::read(entry.path()).expect("a mail can be read")));
        }
    }
    letters.sort_by(|a, b| a.file.cmp(&b.file));
    letters
}

/// Waits for a mail that `wanted` accepts.
pub async fn letter(data: &Path, what: &str, wanted: impl Fn(&Letter) -> bool) -> Letter {
    wait_until(what, || async { letters(data).into_iter().find(|letter| wanted(letter)) }).await
}
