//! What links in mails do: prove an address, set a new password.

use std::sync::Arc;

use fairy_jobs::email::EmailAddress;
use poem::{Response, http::StatusCode};
use poem_openapi::{
    Object, OpenApi,
    param::Path,
    registry::{MetaResponse, Registry},
};
use serde::Deserialize;

use super::{Topic, origin::Origin};
use crate::{
    front::Front,
    shape::{BODY, Done, Fields, GONE, OpenBody, Raw, Refused, Reply, Shape, WRITE, plain},
};

/// Whose password is to be set anew.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct ResetRequest {
    /// The account's address.
    email: Raw<EmailAddress>,
}

/// A new password.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct NewPasswordRequest {
    /// 8 to 200 characters, not easy to guess.
    #[oai(validator(min_length = 8, max_length = 200))]
    password: String,
}

/// `202` without a body.
pub(crate) struct Begun;

impl Shape for Begun {
    fn responses() -> Vec<MetaResponse> {
        vec![plain(202, "If there is such an account, a link is on its way.", Vec::new(), &[])]
    }

    fn register(_: &mut Registry) {}
}

/// The links.
pub(crate) struct ResetRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Accounts")]
impl ResetRoutes {
    /// Ask for a link to set a new password
    ///
    /// The answer is the same whether there is such an account or not.
    #[oai(path = "/auth/password-reset", method = "post", operation_id = "request_password_reset")]
    async fn request_reset(
        &self,
        origin: Origin,
        body: OpenBody<ResetRequest>,
    ) -> Result<Reply<Begun>, Refused<{ BODY }>> {
        let mut fields = Fields::default();
        let email = fields.required("email", &body.value.email);
        let email = fields.finish(|| email)?;
        self.0.begin_reset(email, &origin).await?;
        Ok(Reply::new(Response::builder().status(StatusCode::ACCEPTED).finish()))
    }

    /// Set a new password with the code of a link
    ///
    /// The code works for an hour and sets one password; a password that is refused does not use it up. All sessions and API
    /// tokens of the account end, and a mail tells its address so. Whoever did not get the answer repeats the request: with the same password it is `204`.
    #[oai(path = "/auth/password-reset/:code", method = "post", operation_id = "reset_password")]
    async fn reset_password(
        &self,
        origin: Origin,
        code: Path<String>,
        body: OpenBody<NewPasswordRequest>,
    ) -> Result<Reply<Done>, Refused<{ BODY | GONE | WRITE }>> {
        self.0.limits.credentials_address.take(&origin.network, self.0.now()).await?;
        self.0.reset_password(&code.0, &body.value.password).await?;
        Ok(Reply::done())
    }

    /// Prove an address with the code of a link
    #[oai(path = "/auth/verify-email/:code", method = "post", operation_id = "verify_email")]
    async fn verify_email(
        &self,
        origin: Origin,
        code: Path<String>,
    ) -> Result<Reply<Done>, Refused<{ GONE | WRITE }>> {
        self.0.limits.credentials_address.take(&origin.network, self.0.now()).await?;
        self.0.verify_email(&code.0).await?;
        Ok(Reply::done())
    }
}
