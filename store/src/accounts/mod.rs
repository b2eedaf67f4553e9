//! Accounts, their sessions, tokens and links.

pub(crate) mod links;
mod passwords;
mod sessions;
mod tokens;
pub(crate) mod users;

use async_trait::async_trait;
use fairy_jobs::{
    account::User,
    email::EmailAddress,
    id::{DeliveryId, LinkId, SessionId, TokenId, UserId},
    page::{Page, PageRequest},
    ports::{Accounts, ApiToken, Credentials, LinkPurpose, PortResult, ResetLink, Session},
    profile::ProfilePatch,
};
use jiff::Timestamp;

use crate::Store;

#[async_trait]
impl Accounts for Store {
    async fn create_user(&self, user: &User, password_hash: &str) -> PortResult<()> {
        let (user, hash) = (user.clone(), password_hash.to_owned());
        self.write(move |c| Box::pin(async move { users::create(c, &user, &hash).await })).await
    }

    async fn credentials(&self, email: &EmailAddress) -> PortResult<Option<Credentials>> {
        users::credentials(&mut self.read().await?, email).await
    }

    async fn credentials_of(&self, user: UserId) -> PortResult<Option<Credentials>> {
        users::credentials_of(&mut self.read().await?, user).await
    }

    async fn user(&self, id: UserId) -> PortResult<Option<User>> {
        users::user(&mut self.read().await?, id).await
    }

    async fn change_profile(&self, user: UserId, patch: &ProfilePatch) -> PortResult<User> {
        let patch = patch.clone();
        self.write(move |c| Box::pin(async move { users::change(c, user, &patch).await })).await
    }

    async fn change_password(
        &self,
        user: UserId,
        hash: &str,
        keep: SessionId,
        tell: (DeliveryId, Timestamp),
    ) -> PortResult<()> {
        let hash = hash.to_owned();
        self.write(move |c| Box::pin(async move { passwords::change(c, user, &hash, keep, tell).await }))
            .await
    }

    async fn send_link(
        &self,
        user: &User,
        purpose: LinkPurpose,
        ids: (LinkId, DeliveryId),
        times: (Timestamp, Timestamp),
    ) -> PortResult<()> {
        let user = user.clone();
        self.write(move |c| Box::pin(async move { links::send(c, &user, purpose, ids, times).await })).await
    }

    async fn link_holds(&self, id: LinkId, purpose: LinkPurpose, at: Timestamp) -> PortResult<bool> {
        let link = links::link(&mut self.read().await?, id, purpose).await?;
        Ok(link.is_some_and(|(_, until)| until > at))
    }

    async fn reset_link(&self, id: LinkId, at: Timestamp) -> PortResult<Option<ResetLink>> {
        links::reset_link(&mut self.read().await?, id, at).await
    }

    async fn verify_email(&self, id: LinkId, at: Timestamp) -> PortResult<UserId> {
        self.write(move |c| Box::pin(links::verify_email(c, id, at))).await
    }

    async fn reset_password(
        &self,
        id: LinkId,
        hash: &str,
        tell: (DeliveryId, Timestamp),
    ) -> PortResult<UserId> {
        let hash = hash.to_owned();
        self.write(move |c| Box::pin(async move { links::reset_password(c, id, &hash, tell).await })).await
    }

    async fn create_session(&self, session: &Session, secret_hash: [u8; 32]) -> PortResult<()> {
        let session = session.clone();
        self.write(move |c| Box::pin(async move { sessions::create(c, &session, secret_hash).await })).await
    }

    async fn session(&self, secret_hash: [u8; 32], at: Timestamp) -> PortResult<Option<Session>> {
        sessions::session(&mut self.read().await?, secret_hash, at).await
    }

    async fn sessions(&self, user: UserId, at: Timestamp) -> PortResult<Vec<Session>> {
        sessions::sessions(&mut self.read().await?, user, at).await
    }

    async fn touch_session(&self, id: SessionId, at: Timestamp) -> PortResult<()> {
        self.write(move |c| Box::pin(sessions::touch(c, id, at))).await
    }

    async fn end_session(&self, user: UserId, id: SessionId) -> PortResult<bool> {
        self.write(move |c| Box::pin(sessions::end(c, user, id))).await
    }

    async fn create_token(&self, token: &ApiToken, secret_hash: [u8; 32]) -> PortResult<()> {
        let token = token.clone();
        self.write(move |c| Box::pin(async move { tokens::create(c, &token, secret_hash).await })).await
    }

    async fn token(&self, secret_hash: [u8; 32], at: Timestamp) -> PortResult<Option<ApiToken>> {
        tokens::token(&mut self.read().await?, secret_hash, at).await
    }

    async fn tokens(&self, user: UserId, page: PageRequest) -> PortResult<Page<ApiToken>> {
        tokens::tokens(&mut self.read().await?, user, &page).await
    }

    async fn touch_token(&self, id: TokenId, at: Timestamp) -> PortResult<()> {
        self.write(move |c| Box::pin(tokens::touch(c, id, at))).await
    }

    async fn end_token(&self, user: UserId, id: TokenId) -> PortResult<bool> {
        self.write(move |c| Box::pin(tokens::end(c, user, id))).await
    }
}
