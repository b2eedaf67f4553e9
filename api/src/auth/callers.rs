//! Who holds a secret, and what they are where; read through what is kept in memory.

use fairy_jobs::{
    account::User,
    id::{SessionId, TokenId, UserId},
    ports::{ApiToken, Membership, PortError, PortResult, Session, WorkspaceName},
};
use jiff::{SignedDuration, Timestamp};

use super::{
    Secret,
    fresh::{Fresh, Reach},
};
use crate::front::Front;

/// How often it is noted that a session or token is used.
const NOTED_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Who was seen lately.
#[derive(Default)]
pub(crate) struct Callers {
    sessions: Fresh<[u8; 32], Session>,
    tokens: Fresh<[u8; 32], ApiToken>,
    users: Fresh<UserId, User>,
    memberships: Fresh<(UserId, WorkspaceName), Membership>,
    /// Whether the database answers.
    pub reach: Reach,
}

impl Callers {
    /// A session has ended.
    pub fn forget_session(&self, id: SessionId) {
        self.sessions.forget(|_, session| session.id == id);
    }

    /// A token has ended.
    pub fn forget_token(&self, id: TokenId) {
        self.tokens.forget(|_, token| token.id == id);
    }

    /// All sessions of a person may have ended.
    pub fn forget_sessions_of(&self, user: UserId) {
        self.sessions.forget(|_, session| session.user == user);
    }

    /// All tokens of a person have ended.
    pub fn forget_tokens_of(&self, user: UserId) {
        self.tokens.forget(|_, token| token.user == user);
    }

    /// A person has another name, zone, or address.
    pub fn forget_user(&self, user: UserId) {
        self.users.forget(|id, _| *id == user);
    }

    /// A person joined, left, or has another role somewhere.
    pub fn forget_memberships_of(&self, user: UserId) {
        self.memberships.forget(|(id, _), _| *id == user);
    }
}

impl Front {
    /// The session of this secret, if it has not ended.
    pub async fn session(&self, secret: &Secret) -> PortResult<Option<Session>> {
        let (hash, now) = (secret.hash(), self.now());
        let read = self.services.accounts.session(hash, now);
        let session = self.callers.sessions.get(&hash, now, &self.callers.reach, read).await?;
        let Some(session) = session.filter(|session| session.expires_at > now) else {
            return Ok(None);
        };
        if now.duration_since(session.seen_at) >= NOTED_EVERY {
            let note = self.services.accounts.touch_session(session.id, now);
            // When it ends is left as it was: what could not be noted must not make it last.
            unimportant(self.callers.sessions.note(&hash, |held| held.seen_at = now, note).await);
        }
        Ok(Some(session))
    }

    /// The API token with this text, if it has not ended.
    pub async fn token(&self, secret: &Secret) -> PortResult<Option<ApiToken>> {
        let (hash, now) = (secret.hash(), self.now());
        let read = self.services.accounts.token(hash, now);
        let token = self.callers.tokens.get(&hash, now, &self.callers.reach, read).await?;
        let Some(token) = token.filter(|token| token.expires_at.is_none_or(|at| at > now)) else {
            return Ok(None);
        };
        if token.used_at.is_none_or(|at: Timestamp| now.duration_since(at) >= NOTED_EVERY) {
            let note = self.services.accounts.touch_token(token.id, now);
            unimportant(self.callers.tokens.note(&hash, |held| held.used_at = Some(now), note).await);
        }
        Ok(Some(token))
    }

    /// The account of a caller.
    pub async fn user(&self, id: UserId) -> PortResult<User> {
        let read = self.services.accounts.user(id);
        let user = self.callers.users.get(&id, self.now(), &self.callers.reach, read).await?;
        user.ok_or_else(|| PortError::Broken(format!("{id} calls but has no account")))
    }

    /// What a person is in a workspace.
    pub async fn membership(&self, user: UserId, name: &WorkspaceName) -> PortResult<Option<Membership>> {
        let key = (user, name.clone());
        let read = self.services.teams.membership(user, name);
        self.callers.memberships.get(&key, self.now(), &self.callers.reach, read).await
    }
}

/// Noting the use of something may fail without harm: who reads it anew notes it again.
fn unimportant(result: PortResult<()>) {
    if let Err(error) = result {
        tracing::debug!(%error, "the use of a session or token was not noted");
    }
}
