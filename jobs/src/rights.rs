//! The one permission check: web, API, chat and mail ask it, and so does `decide` when an operation is applied.
//!
//! A caller acts with a role in a workspace, cut down by the scope of the token in hand. What a caller may not even
//! read is answered as if it did not exist.

use serde::{Deserialize, Serialize};

use crate::{
    problem::{Problem, ProblemKind},
    team::Role,
    text::TextError,
};

/// How much of a member's rights a token carries; each scope includes the lesser ones. A session carries all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Reads.
    Read,
    /// Writes tasks and comments.
    Write,
    /// Manages projects, members and invitations.
    Admin,
}

impl Scope {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// The scope of that name.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        match text {
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            "admin" => Ok(Self::Admin),
            _ => Err(TextError::Shape("must be one of read, write, admin")),
        }
    }
}

/// What somebody wants to do in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// See tasks, comments, members, projects, changes and one's own operations.
    Read,
    /// Begin or cease to watch a task oneself.
    WatchOneself,
    /// Create, change, delete and restore tasks; comment; assign; label; let others watch.
    WriteTasks,
    /// Delete the comment of somebody else.
    ModerateComments,
    /// See everybody's operations.
    ReadOperations,
    /// Create and rename projects.
    ManageProjects,
    /// Invite, change roles, remove members.
    ManageMembers,
    /// Hand the workspace to another owner.
    TransferOwnership,
}

impl Action {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Read,
        Self::WatchOneself,
        Self::WriteTasks,
        Self::ModerateComments,
        Self::ReadOperations,
        Self::ManageProjects,
        Self::ManageMembers,
        Self::TransferOwnership,
    ];

    /// The least role and scope that allow it.
    pub const fn needs(self) -> (Role, Scope) {
        match self {
            Self::Read => (Role::Viewer, Scope::Read),
            Self::WatchOneself => (Role::Viewer, Scope::Write),
            Self::WriteTasks => (Role::Member, Scope::Write),
            Self::ModerateComments => (Role::Admin, Scope::Write),
            Self::ReadOperations => (Role::Admin, Scope::Read),
            Self::ManageProjects | Self::ManageMembers => (Role::Admin, Scope::Admin),
            Self::TransferOwnership => (Role::Owner, Scope::Admin),
        }
    }
}

/// Whether a caller with this role (`None`: not a member) and scope may do it; if not, the problem to answer.
pub fn check(role: Option<Role>, scope: Scope, action: Action) -> Result<(), Problem> {
    let (least_role, least_scope) = action.needs();
    let Some(role) = role else {
        return Err(Problem::not_found("workspace"));
    };
    if role < least_role {
        let least = or_higher(least_role.as_str(), least_role == Role::Owner);
        let detail = format!("It takes the role {least}; yours is {}.", role.as_str());
        return Err(Problem::new(ProblemKind::Forbidden, detail));
    }
    if scope < least_scope {
        let least = or_higher(least_scope.as_str(), least_scope == Scope::Admin);
        let detail = format!("It takes a token with the scope {least}; this one has {}.", scope.as_str());
        return Err(Problem::new(ProblemKind::Forbidden, detail));
    }
    Ok(())
}

/// The least of an order, in words; nothing is higher than the highest.
fn or_higher(least: &str, highest: bool) -> String {
    if highest { least.to_owned() } else { format!("{least} or higher") }
}

/// Whether a member with this role (`None`: not a member) may invite somebody as `invited`.
pub fn may_invite(role: Option<Role>, invited: Role) -> bool {
    invited < Role::Owner && check(role, Scope::Admin, Action::ManageMembers).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greater_role_may_all_that_a_lesser_may() {
        let roles = [Role::Viewer, Role::Member, Role::Admin, Role::Owner];
        for action in Action::ALL {
            assert!(check(None, Scope::Admin, *action).is_err());
            assert!(check(Some(Role::Owner), Scope::Admin, *action).is_ok());
            let allowed = roles.map(|role| check(Some(role), Scope::Admin, *action).is_ok());
            assert!(allowed.is_sorted(), "{action:?}");
        }
    }

    #[test]
    fn a_refusal_names_nothing_higher_than_the_highest() {
        let refused = |role, scope, action| check(Some(role), scope, action).unwrap_err().detail;
        let by_role = |action| refused(Role::Viewer, Scope::Admin, action);
        let by_scope = |action| refused(Role::Owner, Scope::Read, action);
        assert_eq!(by_role(Action::WriteTasks), "It takes the role member or higher; yours is viewer.");
        assert_eq!(by_role(Action::TransferOwnership), "It takes the role owner; yours is viewer.");
        let write = "It takes a token with the scope write or higher; this one has read.";
        assert_eq!(by_scope(Action::WriteTasks), write);
        let admin = "It takes a token with the scope admin; this one has read.";
        assert_eq!(by_scope(Action::ManageMembers), admin);
    }
}
