//! Making an account, signing in, signing out.

use std::sync::Arc;

use fairy_jobs::{
    account::{Locale, TimeZone, check_password},
    email::EmailAddress,
    problem::{Problem, ProblemKind},
    text::Name,
};
use poem::http::header;
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;

use super::{Topic, origin::Origin};
use crate::{
    auth::{NewAccount, Person, SignedIn, ended_cookie},
    front::Front,
    shape::{
        BODY, CALLER, CONFLICT, Done, Fields, GONE, Made, OpenBody, Patched, Raw, Refused, Reply, Shows,
        WRITE,
    },
    view::UserView,
};

/// An account to be made.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct SignUpRequest {
    /// Where mail goes; one account for each address.
    email: Raw<EmailAddress>,
    /// 8 to 200 characters, not easy to guess.
    #[oai(validator(min_length = 8, max_length = 200))]
    password: String,
    /// What others see.
    name: Raw<Name>,
    /// The time zone, by its IANA name; UTC unless given.
    time_zone: Patched<Raw<TimeZone>>,
    /// The language: `en` or `ko`, or a tag that begins so.
    locale: Patched<Raw<Locale>>,
    /// The code of an invitation, needed where sign-up is not open.
    #[oai(validator(max_length = 64))]
    invitation: Patched<String>,
}

impl SignUpRequest {
    fn into_account(self) -> Result<NewAccount, Problem> {
        let mut fields = Fields::default();
        let email = fields.required("email", &self.email);
        let name = fields.required("name", &self.name);
        if let (Some(email), Some(name)) = (&email, &name) {
            fields.take("password", check_password(&self.password, email, name));
        } else if self.password.is_empty() {
            fields.refuse("password", "must be at least 8 characters");
        }
        let time_zone = fields.optional("time_zone", &self.time_zone).unwrap_or_else(TimeZone::utc);
        let locale = fields.optional("locale", &self.locale).unwrap_or_default();
        let invitation = self.invitation.value().cloned();
        let password = self.password;
        fields.finish(|| {
            Some(NewAccount { email: email?, password, name: name?, time_zone, locale, invitation })
        })
    }
}

/// Who signs in.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct SignInRequest {
    /// The account's address.
    email: Raw<EmailAddress>,
    /// Its password.
    #[oai(validator(min_length = 1, max_length = 200))]
    password: String,
}

impl SignInRequest {
    fn into_credentials(self) -> Result<(EmailAddress, String), Problem> {
        let mut fields = Fields::default();
        let email = fields.required("email", &self.email);
        if self.password.is_empty() {
            fields.refuse("password", "must not be empty");
        }
        // No password is longer, so this one is wrong; refused before it costs a hash.
        if self.password.chars().count() > 200 {
            return Err(Problem::new(ProblemKind::InvalidCredentials, "E-mail or password is wrong."));
        }
        fields.finish(|| Some((email?, self.password)))
    }
}

/// Who is signed in.
#[derive(Object)]
#[oai(rename = "SignedIn")]
pub(crate) struct SignedInView {
    /// The account.
    user: UserView,
    /// To be sent as `X-CSRF-Token` with every write that is authenticated by the session cookie.
    csrf_token: String,
}

fn split(front: &Front, signed_in: SignedIn) -> (SignedInView, [String; 2]) {
    let cookies = signed_in.cookies(front);
    (SignedInView { user: signed_in.user.into(), csrf_token: signed_in.csrf_token }, cookies)
}

/// Accounts and sessions.
pub(crate) struct AuthRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Accounts")]
impl AuthRoutes {
    /// Make an account
    ///
    /// Signs in at once, and sends a link to the address that proves that it is read.
    #[oai(path = "/auth/sign-up", method = "post", operation_id = "sign_up")]
    async fn sign_up(
        &self,
        origin: Origin,
        body: OpenBody<SignUpRequest>,
    ) -> Result<Reply<Made<SignedInView>>, Refused<{ BODY | WRITE | CONFLICT | GONE | CALLER }>> {
        let account = body.value.into_account()?;
        let signed_in = self.0.sign_up(account, &origin).await?;
        let (view, cookies) = split(&self.0, signed_in);
        Ok(Reply::made(&view, "/v1/me").cookies(&cookies))
    }

    /// Sign in
    ///
    /// Guesses are slowed down with `429`: those at one account, and those from one address. A browser that has signed in
    /// to the account before keeps the cookie `fairy_device` (`__Host-fairy_device` over https), also after sign-out; its
    /// attempts are counted by themselves, so that nobody is kept out by the guesses of strangers. A client without
    /// cookies that meets `429` waits as long as `Retry-After` says, or uses an API token.
    #[oai(path = "/auth/sign-in", method = "post", operation_id = "sign_in")]
    async fn sign_in(
        &self,
        origin: Origin,
        body: OpenBody<SignInRequest>,
    ) -> Result<Reply<Shows<SignedInView>>, Refused<{ BODY | WRITE | CALLER }>> {
        let (email, password) = body.value.into_credentials()?;
        let signed_in = self.0.sign_in(&email, &password, &origin).await?;
        let (view, cookies) = split(&self.0, signed_in);
        Ok(Reply::show(&view).cookies(&cookies))
    }

    /// Sign out
    ///
    /// Ends the session of the cookie.
    #[oai(path = "/auth/sign-out", method = "post", operation_id = "sign_out")]
    async fn sign_out(&self, person: Person) -> Result<Reply<Done>, Refused<{ CALLER | WRITE }>> {
        self.0.services.accounts.end_session(person.user, person.session.id).await?;
        self.0.callers.forget_session(person.session.id);
        Ok(Reply::done().with(header::SET_COOKIE, &ended_cookie(&self.0.settings)))
    }
}
