//! Workspaces, their members and projects.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{
    email::EmailAddress,
    id::{InvitationId, ProjectId, UserId, WorkspaceId},
    text::{Name, Slug, TextError},
};

/// A team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name in URLs, unique.
    pub slug: Slug,
    /// Its name.
    pub name: Name,
    /// The number of the last change in its feed; 0 before the first.
    pub seq: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a member may do; each role may do all that a lesser one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Writes tasks and comments.
    Member,
    /// Manages projects and members.
    Admin,
    /// Has the last word; every workspace has exactly one.
    Owner,
}

impl Role {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role of that name.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        match text {
            "viewer" => Ok(Self::Viewer),
            "member" => Ok(Self::Member),
            "admin" => Ok(Self::Admin),
            "owner" => Ok(Self::Owner),
            _ => Err(TextError::Shape("must be one of owner, admin, member, viewer")),
        }
    }
}

/// A person in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub user: UserId,
    /// Their name.
    pub name: Name,
    /// Their address.
    pub email: EmailAddress,
    /// What they may do; `None` once they have left, so that their assignments can still be shown.
    pub role: Option<Role>,
    /// When they joined.
    pub joined_at: Timestamp,
}

/// An invitation into a workspace, sent by mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Where to.
    pub workspace: WorkspaceId,
    /// Who is invited; only an account with this address may accept.
    pub email: EmailAddress,
    /// The role they will have: never owner.
    pub role: Role,
    /// Who invited.
    pub invited_by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
}

/// A project: a short key under which tasks are numbered without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Where it belongs.
    pub workspace: WorkspaceId,
    /// Its key, unique in the workspace.
    pub key: ProjectKey,
    /// Its name.
    pub name: Name,
    /// The number of its newest task; 0 before the first.
    pub last_number: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A project's key: 2–10 of `A-Z0-9`, starting with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ProjectKey(String);

impl ProjectKey {
    /// Exactly the form above; lower case is refused, not changed, for the key is shown as typed.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let fits = (2..=10).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(TextError::Shape("must be 2 to 10 of A-Z and 0-9, starting with a letter"))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ProjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ProjectKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A task's key, such as `WEB-12`; a task that moves to another project gets a new one, and the old one still leads to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKey {
    /// The project's key.
    pub project: ProjectKey,
    /// The task's number in it, from 1.
    pub number: u64,
}

impl TaskKey {
    /// `KEY-NUMBER`, without leading zeros; the key may be typed in lower case.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        const SHAPE: TextError = TextError::Shape("must be a task key such as WEB-12");
        let (project, number) = text.split_once('-').ok_or(SHAPE)?;
        let digits = number.len() <= 15 && number.starts_with(|c: char| ('1'..='9').contains(&c));
        let number = number
            .parse()
            .ok()
            .filter(|_| digits && number.bytes().all(|b| b.is_ascii_digit()))
            .ok_or(SHAPE)?;
        Ok(Self { project: ProjectKey::parse(&project.to_ascii_uppercase()).map_err(|_| SHAPE)?, number })
    }
}

impl std::fmt::Display for TaskKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.project, self.number)
    }
}

impl Serialize for TaskKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TaskKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
