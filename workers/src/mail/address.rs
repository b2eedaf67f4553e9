//! Where the links in mails lead, and the ids that mail programs thread and sort by.

use fairy_jobs::{
    id::{InvitationId, LinkId, TaskId},
    link::{LinkKey, Purpose},
    team::{TaskKey, Workspace},
};

use crate::Services;

/// What links and ids of this installation are made of.
pub(crate) struct Site {
    url: String,
    domain: String,
    key: LinkKey,
}

impl Site {
    /// The site that the settings describe.
    pub(crate) fn new(services: &Services) -> Self {
        let settings = &services.settings;
        Self {
            url: settings.public_url.as_str().trim_end_matches('/').to_owned(),
            domain: settings.mail_from.domain().to_owned(),
            key: services.link_key.clone(),
        }
    }

    /// The page of a task.
    pub(super) fn task(&self, workspace: &Workspace, key: &TaskKey) -> String {
        format!("{}/workspaces/{}/tasks/{key}", self.url, workspace.slug.as_str())
    }

    /// Where an invitation is accepted.
    pub(super) fn invitation(&self, id: InvitationId) -> String {
        format!("{}/invitations/{}", self.url, self.key.code(Purpose::Invitation, id.to_bytes()))
    }

    /// Where an address is proved.
    pub(super) fn verify_email(&self, id: LinkId) -> String {
        format!("{}/verify-email/{}", self.url, self.key.code(Purpose::VerifyEmail, id.to_bytes()))
    }

    /// Where a password is set.
    pub(super) fn reset_password(&self, id: LinkId) -> String {
        format!("{}/reset-password/{}", self.url, self.key.code(Purpose::ResetPassword, id.to_bytes()))
    }

    /// Where a link to set a password is asked for.
    pub(super) fn forgotten_password(&self) -> String {
        format!("{}/reset-password", self.url)
    }

    /// The `Message-ID` of the one mail about this.
    pub(super) fn message_id(&self, about: impl std::fmt::Display) -> String {
        format!("{about}@{}", self.domain)
    }

    /// What all mails about a task refer to, so that they stand in one thread.
    pub(super) fn thread(&self, task: TaskId) -> String {
        format!("{task}@{}", self.domain)
    }

    /// The `List-Id` of a workspace.
    pub(super) fn list(&self, workspace: &Workspace) -> String {
        format!("{}.{}", workspace.slug.as_str(), self.domain)
    }
}
