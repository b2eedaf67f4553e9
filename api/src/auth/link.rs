//! Links that were sent by mail: to prove an address, to set a new password.

use fairy_jobs::{
    account::{User, check_password},
    email::EmailAddress,
    id::{DeliveryId, InvitationId, LinkId, UserId},
    link::Purpose,
    ports::LinkPurpose,
    problem::{Problem, ProblemKind},
    team::{Invitation, Workspace},
    text::Name,
};
use jiff::ToSpan as _;

use super::sha256;
use crate::{front::Front, problem::Refusal};

fn expired() -> Problem {
    let detail = "The link has expired, was used already or was withdrawn. Ask for a new one.";
    Problem::new(ProblemKind::LinkExpired, detail)
}

impl Front {
    /// Sends a link, replacing earlier ones of that purpose.
    pub async fn send_link(&self, user: &User, purpose: LinkPurpose) -> Result<(), Refusal> {
        let now = self.now();
        self.limits.link.take(&sha256(user.email.as_str().as_bytes()), now)?;
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

    /// Proves an address with the code of a link.
    pub async fn verify_email(&self, code: &str) -> Result<(), Refusal> {
        let id = self.services.link_key.open(Purpose::VerifyEmail, code).ok_or_else(expired)?;
        let used =
            self.services.accounts.use_link(LinkId::from_bytes(id), LinkPurpose::VerifyEmail, self.now());
        self.callers.forget_user(used.await?);
        Ok(())
    }

    /// Sends a link to set a new password, if the address has an account. Nobody waits for it, so that the time the
    /// answer takes does not say whether there is one.
    pub async fn send_reset(&self, email: &EmailAddress) -> Result<(), Refusal> {
        let Some(credentials) = self.services.accounts.credentials(email).await? else {
            return Ok(());
        };
        match self.services.accounts.user(credentials.user).await? {
            Some(user) => self.send_link(&user, LinkPurpose::ResetPassword).await,
            None => Ok(()),
        }
    }

    /// Sets a new password with the code of a link; ends all sessions and API tokens.
    pub async fn reset_password(&self, code: &str, password: &str) -> Result<(), Refusal> {
        let id = self.services.link_key.open(Purpose::ResetPassword, code).ok_or_else(expired)?;
        // What can be judged without knowing whose it is comes first: a link is used up by one attempt.
        judge(password, None)?;
        let hash = self.passwords.hash(password).await?;
        let now = self.now();
        let accounts = &self.services.accounts;
        let user = accounts.use_link(LinkId::from_bytes(id), LinkPurpose::ResetPassword, now).await?;
        judge(password, accounts.user(user).await?.as_ref())?;
        self.replace_password(user, &hash, None).await
    }

    /// Keeps a new hash and ends all sessions but one; without that one, as after a reset, all API tokens too.
    pub async fn replace_password(
        &self,
        user: UserId,
        hash: &str,
        keep: Option<fairy_jobs::id::SessionId>,
    ) -> Result<(), Refusal> {
        self.services.accounts.set_password(user, hash, keep, self.now()).await?;
        self.callers.forget_sessions_of(user);
        if keep.is_none() {
            self.callers.forget_tokens_of(user);
            self.callers.forget_user(user);
        }
        Ok(())
    }

    /// The invitation of a code, if it waits; it may have expired.
    pub async fn invitation(&self, code: &str) -> Result<(Invitation, Workspace), Refusal> {
        let id = self.services.link_key.open(Purpose::Invitation, code).ok_or_else(expired)?;
        let found = self.services.teams.invitation(InvitationId::from_bytes(id)).await?;
        let found = found.filter(|(invitation, _)| invitation.expires_at > self.now());
        Ok(found.ok_or_else(expired)?)
    }
}

/// Whether a password is good enough; without the person only by itself.
pub(super) fn judge(password: &str, user: Option<&User>) -> Result<(), Problem> {
    let stranger =
        || Some((EmailAddress::parse("nobody@nowhere.invalid").ok()?, Name::parse("nobody").ok()?));
    let person = match user {
        Some(user) => Some((user.email.clone(), user.name.clone())),
        None => stranger(),
    };
    let judged = person.map_or(Ok(()), |(email, name)| check_password(password, &email, &name));
    judged.map_err(|error| Problem::field("password", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_password_is_refused_whosever_it_is() {
        assert!(judge("short", None).is_err());
        assert!(judge("correct horse battery", None).is_ok());
    }
}
