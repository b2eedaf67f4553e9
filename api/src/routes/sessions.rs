//! One's own sessions.

use std::sync::Arc;

use fairy_jobs::{id::SessionId, page::Page, ports::Session, problem::Problem};
use poem_openapi::{Object, OpenApi, param::Path};

use super::Topic;
use crate::{
    auth::Person,
    front::Front,
    shape::{CALLER, Done, Instant, ListOf, Refused, Reply, Shown, Shows, TARGET, WRITE},
};

/// A browser that is signed in.
#[derive(Object)]
#[oai(rename = "Session")]
pub(crate) struct SessionView {
    /// Its id.
    id: Shown<SessionId>,
    /// Whether it is the one that asks.
    current: bool,
    /// What the browser called itself.
    user_agent: String,
    /// When it began.
    created_at: Shown<Instant>,
    /// When it was last used, to the hour.
    seen_at: Shown<Instant>,
    /// When it ends unless it is used.
    expires_at: Shown<Instant>,
}

impl SessionView {
    fn of(session: Session, current: SessionId) -> Self {
        Self {
            current: session.id == current,
            id: Shown(session.id),
            user_agent: session.user_agent,
            created_at: Shown(Instant(session.created_at)),
            seen_at: Shown(Instant(session.seen_at)),
            expires_at: Shown(Instant(session.expires_at)),
        }
    }
}

/// The sessions.
pub(crate) struct SessionRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Me")]
impl SessionRoutes {
    /// List one's sessions
    ///
    /// It takes a session. Newest first, at most 50.
    #[oai(path = "/me/sessions", method = "get", operation_id = "list_sessions")]
    async fn list(&self, person: Person) -> Result<Reply<Shows<ListOf<SessionView>>>, Refused<{ CALLER }>> {
        let items = self.0.services.accounts.sessions(person.user, self.0.now()).await?;
        let page = Page { items, next: None };
        Ok(Reply::show(&ListOf::of(page, |session| SessionView::of(session, person.session.id))))
    }

    /// End a session
    ///
    /// It takes a session, which may be the same one.
    #[oai(path = "/me/sessions/:session", method = "delete", operation_id = "end_session")]
    async fn end(
        &self,
        person: Person,
        session: Path<String>,
    ) -> Result<Reply<Done>, Refused<{ CALLER | TARGET | WRITE }>> {
        let id: SessionId = session.0.parse().map_err(|_| Problem::not_found("session"))?;
        let ended = self.0.services.accounts.end_session(person.user, id).await?;
        self.0.callers.forget_session(id);
        if ended { Ok(Reply::done()) } else { Err(Problem::not_found("session").into()) }
    }
}
