//! Where the links in mails about one's account lead to: a form each, so that a mail scanner that follows links changes
//! nothing.

use std::sync::Arc;

use askama::Template;
use poem::{
    Response, handler,
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
pub(super) fn show_verify() -> poem::Result<Response> {
    Ok(page(&Verify)?)
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
    front.verify_email(&code.0).await?;
    Ok(message("Your address is confirmed", "You can close this page.")?)
}

/// The form for a new password.
#[handler]
pub(super) fn show_reset() -> poem::Result<Response> {
    Ok(page(&Reset { fault: None })?)
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
        Err(refusal) => Ok(again(refusal, |fault| Reset { fault: Some(fault) })?),
    }
}
