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
    /// Changes name, time zone, locale and digest settings of the account, and what its memberships show of them.
    async fn update_user(&self, user: &User) -> PortResult<()>;
    /// Sets the password and ends all sessions but `keep`, and all reset links. Without `keep` the account is recovered by
    /// a link: its API tokens end too, and its address is verified.
    async fn set_password(
        &self,
        user: UserId,
        hash: &str,
        keep: Option<SessionId>,
        at: Timestamp,
    ) -> PortResult<()>;

    /// Makes a link and the delivery that carries it, replacing earlier ones of that purpose.
    async fn send_link(
        &self,
        user: &User,
        purpose: LinkPurpose,
        ids: (LinkId, DeliveryId),
        times: (Timestamp, Timestamp),
    ) -> PortResult<()>;
    /// Uses a link up, once: whose it was. `LinkExpired` if it was used, replaced or has expired at `at`.
    /// `VerifyEmail` marks the address as verified in the same transaction.
    async fn use_link(&self, id: LinkId, purpose: LinkPurpose, at: Timestamp) -> PortResult<UserId>;

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
