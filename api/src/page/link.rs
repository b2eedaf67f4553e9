//! Where the links in mails about one's account lead to: a form each, so that a mail scanner that follows links changes
//! nothing. A link that opens nothing any more says so at once, and where there is a new one.

use std::sync::Arc;

use askama::Template;
use fairy_jobs::{
    email::EmailAddress,
    ports::LinkPurpose,
    problem::{Problem, ProblemKind},
};
use poem::{
    Response, handler,
    http::StatusCode,
    web::{Data, Path},
};
use serde::Deserialize;

use super::{
    form::SentForm,
    sheet::{again, message, page},
};
use crate::{front::Front, problem::Refusal, routes::Origin};

#[derive(Template)]
#[template(path = "verify.html")]
struct Verify;

#[derive(Template)]
#[template(path = "reset.html")]
struct Reset {
    fault: Option<String>,
}

#[derive(Template)]
#[template(path = "forgotten.html")]
struct Forgotten {
    fault: Option<String>,
}

/// A link that opens nothing any more.
#[derive(Template)]
#[template(path = "link_gone.html")]
struct LinkGone {
    detail: String,
    purpose: LinkPurpose,
}

/// Whose password was forgotten.
#[derive(Deserialize)]
pub(super) struct ForgottenForm {
    email: String,
}

/// A new password.
#[derive(Deserialize)]
pub(super) struct ResetForm {
    password: String,
}

/// Nothing.
#[derive(Deserialize)]
pub(super) struct EmptyForm {}

/// The form that proves an address.
#[handler]
pub(super) async fn show_verify(front: Data<&Arc<Front>>, code: Path<String>) -> poem::Result<Response> {
    match front.check_link(LinkPurpose::VerifyEmail, &code.0).await {
        Ok(()) => Ok(page(&Verify)?),
        Err(refusal) => Ok(gone(refusal, LinkPurpose::VerifyEmail)?),
    }
}

/// Proves an address.
#[handler]
pub(super) async fn verify(
    front: Data<&Arc<Front>>,
    origin: Origin,
    code: Path<String>,
    _form: SentForm<EmptyForm>,
) -> poem::Result<Response> {
    front.limits.credentials_address.take(&origin.network, front.now()).await.map_err(Refusal::from)?;
    match front.verify_email(&code.0).await {
        Ok(()) => Ok(message("Your address is confirmed", "You can close this page.")?),
        Err(refusal) => Ok(gone(refusal, LinkPurpose::VerifyEmail)?),
    }
}

/// The form for a new password.
#[handler]
pub(super) async fn show_reset(front: Data<&Arc<Front>>, code: Path<String>) -> poem::Result<Response> {
    match front.check_link(LinkPurpose::ResetPassword, &code.0).await {
        Ok(()) => Ok(page(&Reset { fault: None })?),
        Err(refusal) => Ok(gone(refusal, LinkPurpose::ResetPassword)?),
    }
}

/// Sets a new password.
#[handler]
pub(super) async fn reset(
    front: Data<&Arc<Front>>,
    origin: Origin,
    code: Path<String>,
    form: SentForm<ResetForm>,
) -> poem::Result<Response> {
    front.limits.credentials_address.take(&origin.network, front.now()).await.map_err(Refusal::from)?;
    match front.reset_password(&code.0, &form.0.password).await {
        Ok(()) => Ok(message("Your password is set", "Sign in with it; all earlier sessions have ended.")?),
        Err(refusal) if refusal.problem.kind == ProblemKind::LinkExpired => {
            Ok(gone(refusal, LinkPurpose::ResetPassword)?)
        }
        Err(refusal) => Ok(again(refusal, |fault| Reset { fault: Some(fault) })?),
    }
}

/// The form that asks for a link to set a new password.
#[handler]
pub(super) fn show_forgotten() -> poem::Result<Response> {
    Ok(page(&Forgotten { fault: None })?)
}

/// Sends that link, if there is such an account.
#[handler]
pub(super) async fn forgotten(
    front: Data<&Arc<Front>>,
    origin: Origin,
    form: SentForm<ForgottenForm>,
) -> poem::Result<Response> {
    let email = EmailAddress::parse(form.0.email.trim());
    let begun = match email.map_err(|error| Problem::field("email", error.to_string())) {
        Ok(email) => front.begin_reset(email, &origin).await,
        Err(problem) => Err(problem.into()),
    };
    match begun {
        Ok(()) => Ok(message(
            "Look into your mail",
            "If there is such an account, a link is on its way. Ask again if none has come in a few minutes.",
        )?),
        Err(refusal) => Ok(again(refusal, |fault| Forgotten { fault: Some(fault) })?),
    }
}

/// The page of a link that opens nothing any more; what else went wrong is no page of this kind.
fn gone(refusal: Refusal, purpose: LinkPurpose) -> Result<Response, Refusal> {
    if refusal.problem.kind != ProblemKind::LinkExpired {
        return Err(refusal);
    }
    let mut response = page(&LinkGone { detail: refusal.problem.detail, purpose })?;
    response.set_status(StatusCode::GONE);
    Ok(response)
}
