//! The routes of the API, one file for each resource, with its request and response types.

mod activity;
mod auth;
mod batch;
mod changes;
mod comments;
mod following;
mod invitations;
mod involvement;
mod lane_requests;
mod lane_views;
mod lanes;
mod me;
mod members;
mod operations;
mod origin;
mod password;
mod projects;
mod receipts;
mod reset;
mod sessions;
mod task_list;
mod task_write;
mod tasks;
mod tokens;
mod visible;
mod workspaces;
mod writer;

use std::sync::Arc;

use poem_openapi::Tags;

pub(crate) use self::{following::StreamSlots, origin::Origin};
use crate::front::Front;

/// All routes.
pub(crate) type Routes = (
    auth::AuthRoutes,
    reset::ResetRoutes,
    me::MeRoutes,
    password::PasswordRoutes,
    sessions::SessionRoutes,
    tokens::TokenRoutes,
    workspaces::WorkspaceRoutes,
    (invitations::InvitationRoutes, members::MemberRoutes, projects::ProjectRoutes),
    tasks::TaskRoutes,
    task_list::TaskListRoutes,
    batch::BatchRoutes,
    comments::CommentRoutes,
    involvement::InvolvementRoutes,
    operations::OperationRoutes,
    changes::ChangeRoutes,
    (activity::ActivityRoutes, receipts::ReceiptRoutes, lanes::LaneRoutes),
);

/// All routes over this surface.
pub(crate) fn routes(front: &Arc<Front>) -> Routes {
    let front = || Arc::clone(front);
    (
        auth::AuthRoutes(front()),
        reset::ResetRoutes(front()),
        me::MeRoutes(front()),
        password::PasswordRoutes(front()),
        sessions::SessionRoutes(front()),
        tokens::TokenRoutes(front()),
        workspaces::WorkspaceRoutes(front()),
        (
            invitations::InvitationRoutes(front()),
            members::MemberRoutes(front()),
            projects::ProjectRoutes(front()),
        ),
        tasks::TaskRoutes(front()),
        task_list::TaskListRoutes(front()),
        batch::BatchRoutes(front()),
        comments::CommentRoutes(front()),
        involvement::InvolvementRoutes(front()),
        operations::OperationRoutes(front()),
        changes::ChangeRoutes(front()),
        (activity::ActivityRoutes(front()), receipts::ReceiptRoutes(front()), lanes::LaneRoutes(front())),
    )
}

/// What the routes are about.
#[derive(Tags)]
#[oai(rename_all = "lowercase")]
pub(crate) enum Topic {
    /// Making an account, signing in and out, and the links that are sent by mail.
    Accounts,
    /// One's own account, its sessions and API tokens.
    Me,
    /// Workspaces, their members, invitations and projects.
    Workspaces,
    /// Tasks, comments, and who is involved. Every write is an operation: accepted once, applied once, in order.
    Tasks,
    /// Asking after operations.
    Operations,
    /// What happened: the feed of changes, the activity log, who was told.
    History,
    /// The lanes, for who looks after the installation.
    Operators,
}
