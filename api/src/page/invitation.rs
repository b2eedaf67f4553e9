//! Where the link in an invitation leads to: who invites to what, and a form to join, with an account or without.

use std::sync::Arc;

use askama::Template;
use fairy_jobs::{
    account::{Locale, TimeZone, check_password},
    problem::Problem,
    team::{Invitation, Workspace},
    text::Name,
};
use poem::{
    Request, Response, handler,
    web::{Data, Path},
};
use serde::Deserialize;

use super::{
    form::SentForm,
    sheet::{again, message, page},
};
use crate::{
    auth::{Caller, NewAccount, browser, check_csrf},
    front::Front,
    problem::Refusal,
    routes::Origin,
    shape::{Fields, set_cookies},
};

#[derive(Template)]
#[template(path = "invitation.html")]
struct Join {
    workspace: String,
    inviter: String,
    email: String,
    role: &'static str,
    way: Way,
    fault: Option<String>,
}

/// How the visitor can join.
enum Way {
    /// Signed in with the invited address.
    Join {
        /// Proves that the form is ours.
        csrf_token: String,
    },
    /// There is an account with the address.
    SignIn,
    /// There is none.
    SignUp,
}

/// What the form says.
#[derive(Deserialize)]
pub(super) struct JoinForm {
    way: String,
    #[serde(default)]
    csrf_token: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
}

/// The invitation and the form to accept it.
#[handler]
pub(super) async fn show(
    front: Data<&Arc<Front>>,
    origin: Origin,
    code: Path<String>,
    request: &Request,
) -> poem::Result<Response> {
    front.limits.credentials_address.take(&origin.network, front.now()).await.map_err(Refusal::from)?;
    let join = Join::of(&front, &code.0, request).await?;
    Ok(page(&join)?)
}

/// Accepts it.
#[handler]
pub(super) async fn accept(
    front: Data<&Arc<Front>>,
    origin: Origin,
    code: Path<String>,
    form: SentForm<JoinForm>,
    request: &Request,
) -> poem::Result<Response> {
    front.limits.credentials_address.take(&origin.network, front.now()).await.map_err(Refusal::from)?;
    let joined = join(&front, &origin, &code.0, &form.0, request).await;
    match joined {
        Ok(response) => Ok(response),
        Err(refusal) => {
            let join = Join::of(&front, &code.0, request).await?;
            Ok(again(refusal, |fault| Join { fault: Some(fault), ..join })?)
        }
    }
}

impl Join {
    async fn of(front: &Front, code: &str, request: &Request) -> Result<Self, Refusal> {
        let (invitation, workspace) = front.invitation(code).await?;
        let people = front.people(workspace.id, [invitation.invited_by]).await?;
        let way = way(front, &invitation, request).await?;
        Ok(Self {
            workspace: workspace.name.as_str().to_owned(),
            inviter: people.name(invitation.invited_by).to_owned(),
            email: invitation.email.as_str().to_owned(),
            role: invitation.role.as_str(),
            way,
            fault: None,
        })
    }
}

async fn way(front: &Front, invitation: &Invitation, request: &Request) -> Result<Way, Refusal> {
    if let Some(caller) = browser(front, request).await?
        && front.user(caller.user).await?.email == invitation.email
        && let Some(csrf_token) = caller.csrf_token(front)
    {
        return Ok(Way::Join { csrf_token });
    }
    // Who holds the code reads the mail of the address, and may know whether it has an account.
    let known = front.services.accounts.credentials(&invitation.email).await?.is_some();
    Ok(if known { Way::SignIn } else { Way::SignUp })
}

async fn join(
    front: &Front,
    origin: &Origin,
    code: &str,
    form: &JoinForm,
    request: &Request,
) -> Result<Response, Refusal> {
    let (invitation, workspace) = front.invitation(code).await?;
    let signed_in = match form.way.as_str() {
        "join" => {
            let caller =
                browser(front, request).await?.ok_or_else(|| Problem::field("session", "has ended"))?;
            check_csrf(front, &caller, &form.csrf_token)?;
            front.join(&caller, code).await?;
            return welcome(&workspace);
        }
        "sign-in" => front.sign_in(&invitation.email, &form.password, origin).await?,
        _ => {
            let account = account(form, invitation, code)?;
            front.sign_up(account, origin).await?
        }
    };
    let caller = Caller::of_session(signed_in.session.clone());
    front.join(&caller, code).await?;
    let mut response = welcome(&workspace)?;
    set_cookies(&mut response, &signed_in.cookies(front));
    Ok(response)
}

fn account(form: &JoinForm, invitation: Invitation, code: &str) -> Result<NewAccount, Problem> {
    let mut fields = Fields::default();
    let name = fields.take("name", Name::parse(&form.name));
    if let Some(name) = &name {
        fields.take("password", check_password(&form.password, &invitation.email, name));
    }
    fields.finish(|| {
        Some(NewAccount {
            email: invitation.email,
            password: form.password.clone(),
            name: name?,
            time_zone: TimeZone::utc(),
            locale: Locale::default(),
            invitation: Some(code.to_owned()),
        })
    })
}

fn welcome(workspace: &Workspace) -> Result<Response, Refusal> {
    let text =
        format!("You are a member now. In the API the workspace is called {}.", workspace.slug.as_str());
    message(&format!("Welcome to {}", workspace.name), &text)
}
