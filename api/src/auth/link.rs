//! Links that were sent by mail: to prove an address, to set a new password.

use std::sync::Arc;

use fairy_jobs::{
    account::{User, check_password},
    email::EmailAddress,
    id::{DeliveryId, InvitationId, LinkId, SessionId, UserId},
    link::Purpose,
    ports::{Invited, LinkPurpose, PortError, ResetLink},
    problem::{Problem, ProblemKind},
    team::{Invitation, Workspace},
    team_command::{opens, over},
};
use jiff::ToSpan as _;

use super::sha256;
use crate::{front::Front, problem::Refusal, routes::Origin};

fn expired() -> Problem {
    let detail = "The link has expired, was used already or was withdrawn. Ask for a new one.";
    Problem::new(ProblemKind::LinkExpired, detail)
}

impl Front {
    /// Sends a link, replacing earlier ones of that purpose.
    pub async fn send_link(&self, user: &User, purpose: LinkPurpose) -> Result<(), Refusal> {
        let now = self.now();
        self.limits.link.take(&sha256(user.email.as_str().as_bytes()), now).await?;
        let hours = match purpose {
            LinkPurpose::VerifyEmail => 7 * 24,
            LinkPurpose::ResetPassword => 1,
        };
        let ids = self.services.ids.as_ref();
        let delivery = DeliveryId::generate(ids, now);
        let ids = (LinkId::generate(ids, now), delivery);
        self.services.accounts.send_link(user, purpose, ids, (now, now + hours.hours())).await?;
        self.services.relay.due(&[delivery]).await;
        Ok(())
    }

    /// Whether a code still opens what its link is for. Nothing is used up, so a page may ask before it shows its form.
    pub async fn check_link(&self, purpose: LinkPurpose, code: &str) -> Result<(), Refusal> {
        let sealed = match purpose {
            LinkPurpose::VerifyEmail => Purpose::VerifyEmail,
            LinkPurpose::ResetPassword => Purpose::ResetPassword,
        };
        let id = LinkId::from_bytes(self.services.link_key.open(sealed, code).ok_or_else(expired)?);
        let holds = self.services.accounts.link_holds(id, purpose, self.now()).await?;
        if holds { Ok(()) } else { Err(expired().into()) }
    }

    /// Proves an address with the code of a link.
    pub async fn verify_email(&self, code: &str) -> Result<(), Refusal> {
        let id = self.services.link_key.open(Purpose::VerifyEmail, code).ok_or_else(expired)?;
        let user = self.services.accounts.verify_email(LinkId::from_bytes(id), self.now()).await?;
        self.callers.forget_user(user);
        Ok(())
    }

    /// Begins to send a link to set a new password. Nobody waits for it: the time the answer takes must not tell whether the
    /// address has an account.
    pub async fn begin_reset(self: &Arc<Self>, email: EmailAddress, origin: &Origin) -> Result<(), Refusal> {
        self.limits.credentials_address.take(&origin.network, self.now()).await?;
        let front = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(Refusal { problem, cause, .. }) = front.send_reset(&email).await {
                tracing::warn!(cause, problem = problem.kind.slug(), "no link to reset a password was sent");
            }
        });
        Ok(())
    }

    async fn send_reset(&self, email: &EmailAddress) -> Result<(), Refusal> {
        let Some(credentials) = self.services.accounts.credentials(email).await? else {
            return Ok(());
        };
        match self.services.accounts.user(credentials.user).await? {
            Some(user) => self.send_link(&user, LinkPurpose::ResetPassword).await,
            None => Ok(()),
        }
    }

    /// Sets a new password with the code of a link; ends all sessions and API tokens. Nothing but a password that is set
    /// uses the link up, and whoever repeats the request that did it is told that it is done.
    pub async fn reset_password(&self, code: &str, password: &str) -> Result<(), Refusal> {
        let id = self.services.link_key.open(Purpose::ResetPassword, code).ok_or_else(expired)?;
        let (id, accounts) = (LinkId::from_bytes(id), &self.services.accounts);
        let link = accounts.reset_link(id, self.now()).await?.ok_or_else(expired)?;
        if link.used {
            return self.was_reset(&link, password).await;
        }
        let user = accounts.user(link.user).await?.ok_or_else(expired)?;
        let judged = check_password(password, &user.email, &user.name);
        judged.map_err(|error| Problem::field("password", error.to_string()))?;
        let hash = self.passwords.hash(password).await?;
        let now = self.now();
        let delivery = DeliveryId::generate(self.services.ids.as_ref(), now);
        let reset = accounts.reset_password(id, &hash, (delivery, now)).await;
        // Also if it may have been done.
        self.callers.forget_sessions_of(user.id);
        self.callers.forget_tokens_of(user.id);
        self.callers.forget_user(user.id);
        match reset {
            Ok(_) => {
                self.services.relay.due(&[delivery]).await;
                Ok(())
            }
            // The same request sent twice at once: the other was faster.
            Err(PortError::Refused(_)) => self.was_reset(&link, password).await,
            Err(PortError::Unknown(cause)) => {
                let detail = "The password may have been set. Send the same request again: it then is, or was already.";
                Err(Refusal {
                    cause: Some(cause),
                    ..Problem::new(ProblemKind::OutcomeUnknown, detail).into()
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a link that was used set this password.
    async fn was_reset(&self, link: &ResetLink, password: &str) -> Result<(), Refusal> {
        if self.is_password(link.user, password).await? { Ok(()) } else { Err(expired().into()) }
    }

    /// Keeps a new hash, ends all sessions but one and tells the person.
    pub async fn replace_password(&self, user: UserId, hash: &str, keep: SessionId) -> Result<(), Refusal> {
        let now = self.now();
        let delivery = DeliveryId::generate(self.services.ids.as_ref(), now);
        let changed = self.services.accounts.change_password(user, hash, keep, (delivery, now)).await;
        self.callers.forget_sessions_of(user);
        changed?;
        self.services.relay.due(&[delivery]).await;
        Ok(())
    }

    /// The invitation of a code, if it still opens the workspace.
    pub async fn invitation(&self, code: &str) -> Result<(Invitation, Workspace), Refusal> {
        let id = self.services.link_key.open(Purpose::Invitation, code).ok_or_else(over)?;
        let found = self.services.teams.invitation(InvitationId::from_bytes(id)).await?;
        let Invited { invitation, workspace, inviter } = found.ok_or_else(over)?;
        opens(&invitation, inviter, self.now())?;
        Ok((invitation, workspace))
    }
}
