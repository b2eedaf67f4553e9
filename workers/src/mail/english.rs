//! The words in English.

use fairy_jobs::{
    account::TimeZone,
    notice::Reason,
    operation::Source,
    task::{Priority, Status},
    team::Role,
};
use jiff::Timestamp;

use super::{
    language::{Deed, Language, People},
    letter::{Letter, Occasion, PasswordSet},
};

/// English.
pub(super) struct English;

impl Language for English {
    fn tag(&self) -> &'static str {
        "en"
    }

    fn headline(&self, who: &str, deeds: &[Deed]) -> String {
        let deeds: Vec<String> = deeds.iter().map(deed).collect();
        format!("{who} {}.", list(&deeds))
    }

    fn circumstances(&self, at: Timestamp, zone: &TimeZone, source: &Source) -> String {
        let from = match source.as_str() {
            "web" => "on the web".to_owned(),
            "api" => "through the API".to_owned(),
            other => format!("from {other}"),
        };
        format!("{}, {from}", self.instant(at, zone))
    }

    fn field(&self, name: &str) -> String {
        match name {
            "title" => "Title",
            "body" => "Description",
            "status" => "Status",
            "progress" => "Progress",
            "priority" => "Priority",
            "due" => "Due",
            "assignees" => "Assignees",
            "labels" => "Labels",
            "key" => "Key",
            "comment" => "Comment",
            other => other,
        }
        .to_owned()
    }

    fn status(&self, status: Status) -> &'static str {
        match status {
            Status::Waiting => "Waiting",
            Status::InProgress => "In progress",
            Status::Done => "Done",
        }
    }

    fn priority(&self, priority: Priority) -> &'static str {
        match priority {
            Priority::Low => "Low",
            Priority::Normal => "Normal",
            Priority::High => "High",
            Priority::Urgent => "Urgent",
        }
    }

    fn percent(&self, number: &str) -> String {
        format!("{number} %")
    }

    fn none(&self) -> &'static str {
        "none"
    }

    fn somebody(&self) -> &'static str {
        "somebody"
    }

    fn instant(&self, at: Timestamp, zone: &TimeZone) -> String {
        at.to_zoned(zone.rules()).strftime("%-d %b %Y, %H:%M %Z").to_string()
    }

    fn open(&self, key: &str) -> String {
        format!("Open {key}")
    }

    fn left_out(&self, lines: usize) -> String {
        match lines {
            1 => "… 1 more line".to_owned(),
            lines => format!("… {lines} more lines"),
        }
    }

    fn reason(&self, reason: Reason, workspace: &str) -> String {
        let because = match reason {
            Reason::Assigned => "this task is assigned to you",
            Reason::Mentioned => "you are mentioned in this task",
            Reason::Unassigned => "this task was assigned to you",
            Reason::Watching => "you watch this task",
            Reason::Creator => "you created this task",
        };
        format!("You get this mail because {because} in {workspace}.")
    }

    fn letter(&self, occasion: &Occasion<'_>, link: String, until: &str) -> Letter {
        let (subject, before, button, ignore) = match occasion {
            Occasion::Invitation { workspace, inviter, role } => {
                let role = match role {
                    Role::Viewer => "a viewer",
                    Role::Member => "a member",
                    Role::Admin => "an admin",
                    Role::Owner => "the owner",
                };
                let subject = format!("{inviter} invites you to {workspace}");
                let offer = format!("{inviter} invites you to join the team {workspace} on Fairy as {role}.");
                let ignore = "If you do not know what this is about, you can ignore this mail.";
                (subject, vec![offer], "Accept the invitation", ignore)
            }
            Occasion::VerifyEmail => (
                "Confirm your e-mail address".to_owned(),
                vec!["Please confirm that this e-mail address is yours.".to_owned()],
                "Confirm the address",
                "If you have no account on Fairy, somebody mistyped an address; you can ignore this mail.",
            ),
            Occasion::ResetPassword => (
                "Set a new password".to_owned(),
                vec!["Somebody, most likely you, asked to set a new password for your account.".to_owned()],
                "Set a new password",
                "If that was not you, you can ignore this mail; your password stays as it is.",
            ),
        };
        Letter {
            language: self.tag(),
            heading: subject.clone(),
            subject,
            before,
            button,
            link,
            after: vec![format!("The link holds until {until}."), ignore.to_owned()],
        }
    }

    fn password_set(&self, how: PasswordSet, link: String, at: &str) -> Letter {
        let subject = "Your password was changed".to_owned();
        let (by, ended) = match how {
            PasswordSet::ByPassword => {
                ("by somebody who knew it", "All other sessions were ended; API tokens stay as they are.")
            }
            PasswordSet::ByLink => {
                ("through a link that was sent by mail", "All sessions and API tokens were ended.")
            }
        };
        let happened = format!("The password of your account on Fairy was changed on {at}, {by}. {ended}");
        let advice = "If that was you, there is nothing to do. If it was not you, somebody else is in your account or reads \
                      your mail: make sure of your mail first, then set a new password, which ends all sessions and API tokens.";
        Letter {
            language: self.tag(),
            heading: subject.clone(),
            subject,
            before: vec![happened, advice.to_owned()],
            button: "Ask for a link to set a new password",
            link,
            after: Vec::new(),
        }
    }
}

fn deed(deed: &Deed) -> String {
    match deed {
        Deed::Created => "created this task".to_owned(),
        Deed::Deleted => "deleted this task".to_owned(),
        Deed::Restored => "restored this task".to_owned(),
        Deed::Commented => "commented".to_owned(),
        Deed::EditedComment => "edited a comment".to_owned(),
        Deed::RemovedComment => "removed a comment".to_owned(),
        Deed::Finished => "marked it as done".to_owned(),
        Deed::Reopened => "reopened it".to_owned(),
        Deed::Began => "started on it".to_owned(),
        Deed::PutBack => "put it back to waiting".to_owned(),
        Deed::TookOn => "took it on".to_owned(),
        Deed::GaveUp => "gave it up".to_owned(),
        Deed::Assigned(to) => format!("assigned it to {}", people(to)),
        Deed::Unassigned(from) => format!("took it off {}", people(from)),
        Deed::Moved(key) => format!("moved it to {key}"),
        Deed::Changed(fields) => {
            let field = |name: &String| match name.as_str() {
                "due" => "due date".to_owned(),
                name => English.field(name).to_lowercase(),
            };
            format!("changed the {}", list(&fields.iter().map(field).collect::<Vec<_>>()))
        }
    }
}

fn people(people: &People) -> String {
    let you = people.you.then(|| "you".to_owned());
    list(&you.into_iter().chain(people.others.iter().cloned()).collect::<Vec<_>>())
}

/// `a`, `a and b`, `a, b and c`.
fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
