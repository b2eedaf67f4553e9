//! Accounts, their sessions, tokens and links.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;

use super::PortResult;
use crate::{
    account::User,
    email::EmailAddress,
    id::{DeliveryId, LinkId, SessionId, TokenId, UserId},
    page::{Page, PageRequest},
    profile::ProfilePatch,
    rights::Scope,
    text::Name,
};

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Who is signed in.
    pub user: UserId,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When it was last used, to the hour.
    pub seen_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What the browser called itself, at most 200 characters.
    pub user_agent: String,
}

/// An API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: TokenId,
    /// Whose it is.
    pub user: UserId,
    /// What they call it.
    pub name: Name,
    /// What it allows.
    pub scopes: BTreeSet<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the hour.
    pub used_at: Option<Timestamp>,
}

/// What proves who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The account.
    pub user: UserId,
    /// The password's argon2id hash, as a PHC string.
    pub password_hash: String,
}

/// What a link sent by mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPurpose {
    /// To prove that the address is read.
    VerifyEmail,
    /// To set a new password.
    ResetPassword,
}

impl LinkPurpose {
    /// Its name in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }
}

/// A link to reset a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResetLink {
    /// Whose it is.
    pub user: UserId,
    /// Whether it has done its work; then it opens nothing, and only tells a repeat from a stranger.
    pub used: bool,
}

/// The accounts.
#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    /// Makes an account; `EmailTaken` if there is one with the address.
    async fn create_user(&self, user: &User, password_hash: &str) -> PortResult<()>;
    /// What proves who has this address.
    async fn credentials(&self, email: &EmailAddress) -> PortResult<Option<Credentials>>;
    /// What proves who this is.
    async fn credentials_of(&self, user: UserId) -> PortResult<Option<Credentials>>;
    /// The account.
    async fn user(&self, id: UserId) -> PortResult<Option<User>>;
    /// Changes the account as it is at that moment, and what its memberships show of it; the account as it is then.
    async fn change_profile(&self, user: UserId, patch: &ProfilePatch) -> PortResult<User>;
    /// Sets the password and ends all sessions but `keep`, and all reset links; makes the delivery that tells the person
    /// of it, due at once.
    async fn change_password(
        &self,
        user: UserId,
        hash: &str,
        keep: SessionId,
        tell: (DeliveryId, Timestamp),
    ) -> PortResult<()>;

    /// Makes a link and the delivery that carries it, replacing earlier ones of that purpose.
    async fn send_link(
        &self,
        user: &User,
        purpose: LinkPurpose,
        ids: (LinkId, DeliveryId),
        times: (Timestamp, Timestamp),
    ) -> PortResult<()>;
    /// Whether a link still opens what it is for at `at`; looking does not use it up.
    async fn link_holds(&self, id: LinkId, purpose: LinkPurpose, at: Timestamp) -> PortResult<bool>;
    /// The link to reset a password, used or not, if it was not replaced and has not expired at `at`; looking does not use
    /// it up.
    async fn reset_link(&self, id: LinkId, at: Timestamp) -> PortResult<Option<ResetLink>>;
    /// Uses a link up, once, and marks the address of whose it was as verified. `LinkExpired` if it was used, replaced or
    /// has expired at `at`.
    async fn verify_email(&self, id: LinkId, at: Timestamp) -> PortResult<UserId>;
    /// Uses a link up, once, and recovers the account of whose it was: sets the password, ends all sessions and API
    /// tokens, marks the address as verified, and makes the delivery that tells the person of it. `LinkExpired` if it was
    /// used, replaced or has expired at that instant.
    async fn reset_password(
        &self,
        id: LinkId,
        hash: &str,
        tell: (DeliveryId, Timestamp),
    ) -> PortResult<UserId>;

    /// Keeps a session under the SHA-256 of its secret; beyond 50 of one person the oldest end.
    async fn create_session(&self, session: &Session, secret_hash: [u8; 32]) -> PortResult<()>;
    /// The session with this secret that has not ended at `at`.
    async fn session(&self, secret_hash: [u8; 32], at: Timestamp) -> PortResult<Option<Session>>;
    /// The person's sessions that have not ended, newest first; at most 50.
    async fn sessions(&self, user: UserId, at: Timestamp) -> PortResult<Vec<Session>>;
    /// Notes that a session was used; it lasts as long again from then.
    async fn touch_session(&self, id: SessionId, at: Timestamp) -> PortResult<()>;
    /// Ends a session of this person; whether there was one.
    async fn end_session(&self, user: UserId, id: SessionId) -> PortResult<bool>;

    /// Keeps a token under the SHA-256 of its text; `Conflict` beyond 100 of one person.
    async fn create_token(&self, token: &ApiToken, secret_hash: [u8; 32]) -> PortResult<()>;
    /// The token with this text that has not ended at `at`.
    async fn token(&self, secret_hash: [u8; 32], at: Timestamp) -> PortResult<Option<ApiToken>>;
    /// The person's tokens, newest first.
    async fn tokens(&self, user: UserId, page: PageRequest) -> PortResult<Page<ApiToken>>;
    /// Notes that a token was used.
    async fn touch_token(&self, id: TokenId, at: Timestamp) -> PortResult<()>;
    /// Ends a token of this person; whether there was one.
    async fn end_token(&self, user: UserId, id: TokenId) -> PortResult<bool>;
}
