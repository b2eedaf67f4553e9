//! The caller of a request, proved by an API token or a session cookie.
//!
//! A token in `Authorization` is looked at alone. With a cookie every request that may change something must also carry
//! the CSRF token, for a browser sends cookies along whoever wrote the page.

use std::sync::Arc;

use fairy_jobs::{
    id::UserId,
    link::Purpose,
    operation::Source,
    ports::Session,
    problem::{Problem, ProblemKind},
    rights::Scope,
};
use poem::{Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaSecurityScheme, Registry},
};

use super::{Secret, cookie::session_secret};
use crate::{
    front::Front,
    problem::{Refusal, internal},
};

/// Who calls, and with how much of their rights.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The person.
    pub user: UserId,
    /// What the means in hand allows.
    pub scope: Scope,
    /// What proved it.
    pub means: Means,
}

/// What proves who calls.
#[derive(Debug, Clone)]
pub(crate) enum Means {
    /// A session cookie.
    Session(Session),
    /// An API token.
    Token,
}

impl Caller {
    /// The caller of a session, which carries all rights of the person.
    pub fn of_session(session: Session) -> Self {
        Self { user: session.user, scope: Scope::Admin, means: Means::Session(session) }
    }

    /// From where the caller's writes come.
    pub fn source(&self) -> Source {
        match self.means {
            Means::Session(_) => Source::web(),
            Means::Token => Source::api(),
        }
    }

    /// The token that cookie-authenticated writes must carry; API tokens have none.
    pub fn csrf_token(&self, front: &Front) -> Option<String> {
        match &self.means {
            Means::Session(session) => Some(csrf_token(front, session)),
            Means::Token => None,
        }
    }

    /// Whether the means in hand has this scope, for what is not in a workspace.
    pub fn needs(&self, scope: Scope) -> Result<(), Problem> {
        if self.scope >= scope {
            return Ok(());
        }
        let detail = format!("It takes a token with the scope {}.", scope.as_str());
        Err(Problem::new(ProblemKind::Forbidden, detail))
    }

    /// The caller of a request, if what proves it is valid; costs the person a token of their bucket.
    pub async fn of(request: &Request) -> Result<Self, Refusal> {
        let Some(front) = request.data::<Arc<Front>>() else {
            return Err(internal().into());
        };
        let caller = match request.headers().get(header::AUTHORIZATION) {
            Some(value) => by_token(front, value.to_str().unwrap_or_default()).await?,
            None => by_cookie(front, request).await?,
        };
        front.limits.caller.take(&caller.user, front.now()).await?;
        Ok(caller)
    }

    /// Whether the session or token still holds.
    pub async fn holds(&self, front: &Front, secret: &Secret) -> bool {
        let held = match &self.means {
            Means::Session(_) => front.session(secret).await.map(|session| session.is_some()),
            Means::Token => front.token(secret).await.map(|token| token.is_some()),
        };
        held.unwrap_or(false)
    }
}

/// The CSRF token of a session.
pub(super) fn csrf_token(front: &Front, session: &Session) -> String {
    front.services.link_key.code(Purpose::Csrf, session.id.to_bytes())
}

/// What is said to who says nothing, or says it in another scheme.
const HOW: &str = "Sign in, or send an API token as `Authorization: Bearer fry_…`.";

/// The secret a request carries, if it can be one.
pub(crate) fn secret_of(front: &Front, request: &Request) -> Option<Secret> {
    match request.headers().get(header::AUTHORIZATION) {
        Some(value) => bearer(value.to_str().ok()?).and_then(Secret::parse_token),
        None => session_secret(&front.settings, request.headers()),
    }
}

/// The token in an `Authorization` header that bears one (RFC 6750).
pub(super) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn by_token(front: &Front, value: &str) -> Result<Caller, Refusal> {
    let refused =
        || Problem::new(ProblemKind::Unauthenticated, "The API token is unknown, expired or revoked.");
    let text = bearer(value).ok_or_else(|| Problem::new(ProblemKind::Unauthenticated, HOW))?;
    let secret = Secret::parse_token(text).ok_or_else(refused)?;
    let token = front.token(&secret).await?.ok_or_else(refused)?;
    let scope = token.scopes.iter().max().copied().ok_or_else(refused)?;
    Ok(Caller { user: token.user, scope, means: Means::Token })
}

async fn by_cookie(front: &Front, request: &Request) -> Result<Caller, Refusal> {
    let caller =
        browser(front, request).await?.ok_or_else(|| Problem::new(ProblemKind::Unauthenticated, HOW))?;
    if !request.method().is_safe() {
        let sent = request.headers().get("x-csrf-token").and_then(|value| value.to_str().ok());
        check_csrf(front, &caller, sent.unwrap_or_default())?;
    }
    Ok(caller)
}

/// Whoever is signed in with the request's browser, without regard to CSRF.
pub(crate) async fn browser(front: &Front, request: &Request) -> Result<Option<Caller>, Refusal> {
    let Some(secret) = session_secret(&front.settings, request.headers()) else {
        return Ok(None);
    };
    let session = front.session(&secret).await?;
    Ok(session.map(Caller::of_session))
}

/// Whether the CSRF token is that of the caller's session.
pub(crate) fn check_csrf(front: &Front, caller: &Caller, token: &str) -> Result<(), Problem> {
    let id = front.services.link_key.open(Purpose::Csrf, token);
    match &caller.means {
        Means::Session(session) if id != Some(session.id.to_bytes()) => {
            let detail = "Send the `csrf_token` of sign-in or `GET /v1/me` in the header `X-CSRF-Token`.";
            Err(Problem::new(ProblemKind::CsrfTokenInvalid, detail))
        }
        _ => Ok(()),
    }
}

/// A caller with a session: what concerns the security of the account is not for tokens, which others may hold.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// The person.
    pub user: UserId,
    /// Their session.
    pub session: Session,
}

impl TryFrom<Caller> for Person {
    type Error = Problem;

    fn try_from(caller: Caller) -> Result<Self, Problem> {
        match caller.means {
            Means::Session(session) => Ok(Self { user: caller.user, session }),
            Means::Token => {
                let detail = "This needs a session, not an API token: sign in.";
                Err(Problem::new(ProblemKind::Forbidden, detail))
            }
        }
    }
}

fn register(registry: &mut Registry) {
    let session = MetaSecurityScheme {
        ty: "apiKey",
        description: Some(
            "The session cookie of sign-in; named `__Host-fairy_session` over https. Writes also need `X-CSRF-Token`.",
        ),
        name: Some("fairy_session"),
        key_in: Some("cookie"),
        scheme: None,
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    };
    let token = MetaSecurityScheme {
        ty: "http",
        description: Some("An API token of `POST /me/tokens`, with the scopes `read`, `write` or `admin`."),
        name: None,
        key_in: None,
        scheme: Some("bearer"),
        bearer_format: Some("fry_…"),
        flows: None,
        openid_connect_url: None,
    };
    registry.create_security_scheme("session", session);
    registry.create_security_scheme("token", token);
}

impl<'a> ApiExtractor<'a> for Caller {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec!["token", "session"]
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self::of(request).await?)
    }
}

impl<'a> ApiExtractor<'a> for Person {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec!["session"]
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let caller = Caller::of(request).await?;
        Ok(Self::try_from(caller).map_err(Refusal::from)?)
    }
}
