//! One's own password, and the link that proves one's address.

use std::sync::Arc;

use fairy_jobs::{
    account::User, account::check_password, ports::LinkPurpose, problem::Problem, problem::ProblemKind,
};
use poem::{Response, http::StatusCode};
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;

use super::{Topic, reset::Begun};
use crate::{
    auth::Person,
    front::Front,
    shape::{BODY, CALLER, CONFLICT, Done, Fields, JsonBody, Refused, Reply, WRITE},
};

/// A new password, by who knows the old one.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct ChangePasswordRequest {
    /// The password until now.
    #[oai(validator(min_length = 1, max_length = 200))]
    current_password: String,
    /// 8 to 200 characters, not easy to guess.
    #[oai(validator(min_length = 8, max_length = 200))]
    new_password: String,
}

impl ChangePasswordRequest {
    fn check(&self, user: &User) -> Result<(), Problem> {
        let mut fields = Fields::default();
        if self.current_password.is_empty() || self.current_password.chars().count() > 200 {
            fields.refuse("current_password", "is wrong");
        }
        fields.take("new_password", check_password(&self.new_password, &user.email, &user.name));
        fields.finish(|| Some(()))
    }
}

/// The password.
pub(crate) struct PasswordRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Me")]
impl PasswordRoutes {
    /// Change one's password
    ///
    /// It takes a session. All other sessions end; API tokens stay. A mail tells the account's address; as many as 5 at once,
    /// and 12 an hour, beyond that it is `429`.
    #[oai(path = "/me/password", method = "post", operation_id = "change_password")]
    async fn change(
        &self,
        person: Person,
        body: JsonBody<ChangePasswordRequest>,
    ) -> Result<Reply<Done>, Refused<{ CALLER | BODY | WRITE }>> {
        let user = self.0.user(person.user).await?;
        body.value.check(&user)?;
        self.0.check_password(user.id, &body.value.current_password).await?;
        self.0.limits.password_change.take(&user.id, self.0.now()).await?;
        let hash = self.0.passwords.hash(&body.value.new_password).await?;
        self.0.replace_password(user.id, &hash, person.session.id).await?;
        Ok(Reply::done())
    }

    /// Ask for another link that proves one's address
    ///
    /// It takes a session. Earlier links no longer work.
    #[oai(path = "/me/verify-email", method = "post", operation_id = "request_email_verification")]
    async fn verify(&self, person: Person) -> Result<Reply<Begun>, Refused<{ CALLER | CONFLICT | WRITE }>> {
        let user = self.0.user(person.user).await?;
        if user.email_verified {
            return Err(Problem::new(ProblemKind::Conflict, "The address is proved already.").into());
        }
        self.0.send_link(&user, LinkPurpose::VerifyEmail).await?;
        Ok(Reply::new(Response::builder().status(StatusCode::ACCEPTED).finish()))
    }
}
