//! What can be asked of a workspace, what is known when it is decided, and what it does.

use jiff::Timestamp;

use crate::{
    change::Change,
    email::EmailAddress,
    id::{InvitationId, ProjectId, UserId, WorkspaceId},
    operation::Source,
    rights::Scope,
    team::{Invitation, Member, Project, ProjectKey, Role},
    text::Name,
};

/// The most invitations that may wait in one workspace.
pub const MOST_INVITATIONS: u64 = 500;
/// The most projects a workspace may have.
pub const MOST_PROJECTS: u64 = 1_000;

/// One requested write to a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TeamCommand {
    /// Make a project.
    CreateProject {
        /// Its id.
        id: ProjectId,
        /// Its key.
        key: ProjectKey,
        /// Its name.
        name: Name,
    },
    /// Invite somebody by mail.
    Invite {
        /// The invitation's id.
        id: InvitationId,
        /// Who.
        email: EmailAddress,
        /// As what.
        role: Role,
        /// Until when.
        expires_at: Timestamp,
    },
    /// Withdraw an invitation.
    Withdraw {
        /// Which.
        id: InvitationId,
    },
    /// Accept an invitation by the code that was mailed; the actor becomes a member, and has shown to read the address.
    Accept {
        /// Which.
        id: InvitationId,
    },
    /// Give a member another role; `Owner` hands the workspace over, and the former owner becomes an admin.
    ChangeRole {
        /// Who.
        user: UserId,
        /// What they are to be.
        role: Role,
    },
    /// Remove a member, or leave.
    Remove {
        /// Who.
        user: UserId,
    },
}

/// Who asks, and when and from where.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The person.
    pub actor: UserId,
    /// What their token allows.
    pub scope: Scope,
    /// From where.
    pub source: Source,
    /// When, by the clock: what expires is judged by it.
    pub at: Timestamp,
}

/// What a team command needs to know, read under the workspace's lock.
#[derive(Debug, Clone)]
pub struct TeamState {
    /// The number of the last change.
    pub seq: u64,
    /// When what changes is dated: now, or when the last change was made if the clock was set back since.
    pub dated: Timestamp,
    /// Who asks: their name and address, and their role if they are a member.
    pub actor: Member,
    /// Whom a command names (`ChangeRole`, `Remove`), the member with the address that `Invite` names, or who sent the
    /// invitation that `Accept` names; if they are or were a member.
    pub target: Option<Member>,
    /// A project with the key that `CreateProject` wants.
    pub project: Option<Project>,
    /// The invitation that `Withdraw` or `Accept` names, or that `Invite`'s address already has; only one that still waits.
    pub invitation: Option<Invitation>,
    /// How many projects there are (read for `CreateProject`) or invitations waiting (read for `Invite`).
    pub count: u64,
}

/// One row that is different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TeamWrite {
    /// A new project.
    Project(Project),
    /// A new invitation, to be sent by mail.
    Invitation(Invitation),
    /// The invitation no longer waits.
    CloseInvitation(InvitationId),
    /// The person reads the address of their account.
    ProvenAddress(UserId),
    /// The person has this role now; `None`: they left.
    Role(UserId, Option<Role>),
}

/// What a team command does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TeamDecision {
    /// The rows.
    pub writes: Vec<TeamWrite>,
    /// The changes, numbered on from the state.
    pub changes: Vec<Change>,
}
