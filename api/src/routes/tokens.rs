//! One's own API tokens.

use std::{collections::BTreeSet, sync::Arc};

use fairy_jobs::{id::TokenId, ports::ApiToken, problem::Problem, rights::Scope, text::Name};
use poem_openapi::{Object, OpenApi, param::Path};
use serde::Deserialize;

use super::Topic;
use crate::{
    auth::{Person, Secret},
    front::Front,
    shape::{
        BODY, CALLER, CONFLICT, Done, Fields, Instant, JsonBody, ListOf, Made, Nullable, PageParams, Params,
        Patched, QUERY, Raw, Refused, Reply, Shown, Shows, TARGET, WRITE,
    },
};

/// A token to be made.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct CreateTokenRequest {
    /// What it is called.
    name: Raw<Name>,
    /// What it allows, never more than its owner may: `write` includes `read`, `admin` both.
    #[oai(validator(min_items = 1, max_items = 3))]
    scopes: Vec<Raw<Scope>>,
    /// When it ends; never unless given.
    expires_at: Patched<Raw<Instant>>,
}

impl CreateTokenRequest {
    fn into_token(self, front: &Front, person: &Person) -> Result<ApiToken, Problem> {
        let now = front.now();
        let mut fields = Fields::default();
        let name = fields.required("name", &self.name);
        let scopes: BTreeSet<Scope> = fields.list("scopes", &self.scopes, 3);
        if self.scopes.is_empty() {
            fields.refuse("scopes", "must have at least one entry");
        }
        let expires_at = fields.optional("expires_at", &self.expires_at).map(|at| at.0);
        if expires_at.is_some_and(|at| at <= now) {
            fields.refuse("expires_at", "must be in the future");
        }
        let id = TokenId::generate(front.services.ids.as_ref(), now);
        let user = person.user;
        fields.finish(|| {
            Some(ApiToken { id, user, name: name?, scopes, created_at: now, expires_at, used_at: None })
        })
    }
}

/// An API token without its text.
#[derive(Object)]
#[oai(rename = "Token")]
pub(crate) struct TokenView {
    /// Its id.
    id: Shown<TokenId>,
    /// What it is called.
    name: Shown<Name>,
    /// What it allows.
    scopes: Vec<Shown<Scope>>,
    /// When it was made.
    created_at: Shown<Instant>,
    /// When it ends; null: never.
    expires_at: Nullable<Shown<Instant>>,
    /// When it was last used, to the hour.
    used_at: Nullable<Shown<Instant>>,
}

/// An API token with its text, which is shown this once.
#[derive(Object)]
#[oai(rename = "NewToken")]
pub(crate) struct NewTokenView {
    /// The text, to be sent as `Authorization: Bearer`.
    token: String,
    /// Its id.
    id: Shown<TokenId>,
    /// What it is called.
    name: Shown<Name>,
    /// What it allows.
    scopes: Vec<Shown<Scope>>,
    /// When it was made.
    created_at: Shown<Instant>,
    /// When it ends; null: never.
    expires_at: Nullable<Shown<Instant>>,
}

impl From<ApiToken> for TokenView {
    fn from(token: ApiToken) -> Self {
        Self {
            id: Shown(token.id),
            name: Shown(token.name),
            scopes: token.scopes.into_iter().map(Shown).collect(),
            created_at: Shown(Instant(token.created_at)),
            expires_at: Nullable(token.expires_at.map(Instant).map(Shown)),
            used_at: Nullable(token.used_at.map(Instant).map(Shown)),
        }
    }
}

impl NewTokenView {
    fn of(token: ApiToken, secret: &Secret) -> Self {
        Self {
            token: secret.expose().to_owned(),
            id: Shown(token.id),
            name: Shown(token.name),
            scopes: token.scopes.into_iter().map(Shown).collect(),
            created_at: Shown(Instant(token.created_at)),
            expires_at: Nullable(token.expires_at.map(Instant).map(Shown)),
        }
    }
}

/// The tokens.
pub(crate) struct TokenRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Me")]
impl TokenRoutes {
    /// Make an API token
    ///
    /// It takes a session. Each call makes another token. The text is shown this once and kept nowhere; at most 100 tokens for each person.
    #[oai(path = "/me/tokens", method = "post", operation_id = "create_token")]
    async fn create(
        &self,
        person: Person,
        body: JsonBody<CreateTokenRequest>,
    ) -> Result<Reply<Made<NewTokenView>>, Refused<{ CALLER | BODY | CONFLICT | WRITE }>> {
        let token = body.value.into_token(&self.0, &person)?;
        let secret = Secret::token(self.0.services.ids.as_ref());
        self.0.services.accounts.create_token(&token, secret.hash()).await?;
        Ok(Reply::made(&NewTokenView::of(token, &secret), "/v1/me/tokens"))
    }

    /// List one's API tokens
    ///
    /// It takes a session. Newest first.
    #[oai(path = "/me/tokens", method = "get", operation_id = "list_tokens")]
    async fn list(
        &self,
        person: Person,
        params: Params<PageParams>,
    ) -> Result<Reply<Shows<ListOf<TokenView>>>, Refused<{ CALLER | QUERY }>> {
        let page = self.0.services.accounts.tokens(person.user, params.page()?).await?;
        Ok(Reply::show(&ListOf::of(page, TokenView::from)))
    }

    /// Revoke an API token
    ///
    /// It takes a session.
    #[oai(path = "/me/tokens/:token", method = "delete", operation_id = "revoke_token")]
    async fn revoke(
        &self,
        person: Person,
        token: Path<String>,
    ) -> Result<Reply<Done>, Refused<{ CALLER | TARGET | WRITE }>> {
        let id: TokenId = token.0.parse().map_err(|_| Problem::not_found("token"))?;
        let ended = self.0.services.accounts.end_token(person.user, id).await?;
        self.0.callers.forget_token(id);
        if ended { Ok(Reply::done()) } else { Err(Problem::not_found("token").into()) }
    }
}
