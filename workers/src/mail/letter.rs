//! Mails about an account or the way to one: invitations, proof of an address, a new password.

use askama::Template;
use fairy_jobs::{team::Role, text::Name};

/// Why a mail with a link that holds for a while is sent.
pub(super) enum Occasion<'a> {
    Invitation { workspace: &'a Name, inviter: &'a Name, role: Role },
    VerifyEmail,
    ResetPassword,
}

/// How a password was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PasswordSet {
    /// By who knew the one before.
    ByPassword,
    /// By who followed a link.
    ByLink,
}

/// Its words.
pub(super) struct Letter {
    pub language: &'static str,
    pub subject: String,
    pub heading: String,
    /// What it is about, above the link.
    pub before: Vec<String>,
    /// What the link does, on its button.
    pub button: &'static str,
    pub link: String,
    /// How long the link holds and what to do if it was not asked for, below the link.
    pub after: Vec<String>,
}

#[derive(Template)]
#[template(path = "letter.txt", escape = "none")]
struct Text<'a> {
    letter: &'a Letter,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct Html<'a> {
    letter: &'a Letter,
}

impl Letter {
    /// As plain text and as HTML.
    pub(super) fn render(&self) -> Result<(String, String), askama::Error> {
        Ok((Text { letter: self }.render()?, Html { letter: self }.render()?))
    }
}
