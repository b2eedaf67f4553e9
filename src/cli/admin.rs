//! `fairy admin`: looking after accounts and the activity log, beside whatever runs or without it.
//!
//! Everything goes through the same ports as the API, so what is done here cannot do what the API could not; only the
//! proof of who asks is another: access to the data directory, or to the database and the secret.

use std::{process::ExitCode, time::Duration};

use fairy_jobs::{
    account::User,
    clock::rfc3339,
    email::EmailAddress,
    id::{DeliveryId, LinkId},
    link::Purpose,
    page::PageRequest,
    ports::{Accounts as _, LinkPurpose, Teams as _},
};
use fairy_store::Store;

use super::{arguments::AdminAction, rebuild, run::print, table::table};
use crate::{
    Failure,
    config::Config,
    process::secret,
    stack::{Lost, Parts, open_ready_store},
};

/// How long a link made here is valid.
const LINK: Duration = Duration::from_secs(60 * 60);

pub async fn run(config: Config, action: AdminAction) -> Result<ExitCode, Failure> {
    let parts = Parts::default();
    let desk = Desk { store: open_ready_store(&config, &parts).await?, config, parts };
    let text = match action {
        AdminAction::User { email } => desk.show(&email).await,
        AdminAction::Verify { email } => desk.verify(&email).await,
        AdminAction::ResetLink { email } => desk.reset_link(&email).await,
        AdminAction::SignOut { email } => desk.sign_out(&email).await,
        AdminAction::RebuildActivity { after } => {
            rebuild::activity(&desk.config, &desk.parts, &desk.store, after).await
        }
    };
    desk.store.close().await;
    print(&text?)
}

struct Desk {
    config: Config,
    parts: Parts,
    store: Store,
}

impl Desk {
    async fn show(&self, email: &str) -> Result<String, Failure> {
        let user = self.user(email).await?;
        let now = self.parts.clock.now();
        let sessions = self.store.sessions(user.id, now).await?.len();
        let mut text = format!(
            "{} {} <{}>\nverified: {} · sessions: {sessions} · zone: {} · since {}\n",
            user.id,
            user.name.as_str(),
            user.email,
            if user.email_verified { "yes" } else { "no" },
            user.time_zone.as_str(),
            rfc3339(user.created_at),
        );
        let page = self.store.workspaces_of(user.id, PageRequest::default()).await?;
        let more = page.next.is_some();
        let rows: Vec<_> = page
            .items
            .into_iter()
            .map(|(workspace, role)| {
                [workspace.id.to_string(), workspace.slug.as_str().to_owned(), role.as_str().to_owned()]
            })
            .collect();
        text += &table(["WORKSPACE", "SLUG", "ROLE"], &rows);
        if more {
            text += "… and more\n";
        }
        Ok(text)
    }

    async fn verify(&self, email: &str) -> Result<String, Failure> {
        let user = self.user(email).await?;
        if user.email_verified {
            return Ok(format!("{} is verified already", user.email));
        }
        let link = self.link(&user, LinkPurpose::VerifyEmail).await?;
        self.store.verify_email(link, self.parts.clock.now()).await?;
        Ok(format!("{} is verified", user.email))
    }

    async fn reset_link(&self, email: &str) -> Result<String, Failure> {
        let user = self.user(email).await?;
        if let Some(loss) = Lost::beside(&self.store, &self.config).await?.secret() {
            return Err(Failure::new(loss));
        }
        let key = secret::link_key(&self.config.secret, self.parts.ids.as_ref())
            .map_err(|error| Failure::new(format_args!("the secret cannot be read: {error}")))?;
        let link = self.link(&user, LinkPurpose::ResetPassword).await?;
        let code = key.code(Purpose::ResetPassword, link.to_bytes());
        let base = match &self.config.http.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.config.http.address),
        };
        Ok(format!("{base}/reset-password/{code}\nvalid for an hour; mailed to {} too", user.email))
    }

    async fn sign_out(&self, email: &str) -> Result<String, Failure> {
        let user = self.user(email).await?;
        let sessions = self.store.sessions(user.id, self.parts.clock.now()).await?;
        for session in &sessions {
            self.store.end_session(user.id, session.id).await?;
        }
        Ok(format!("sessions of {} that ended: {}", user.email, sessions.len()))
    }

    async fn user(&self, email: &str) -> Result<User, Failure> {
        let address =
            EmailAddress::parse(email).map_err(|error| Failure::new(format_args!("{email:?} {error}")))?;
        let none = || Failure::new(format_args!("there is no account with the address {address}"));
        let credentials = self.store.credentials(&address).await?.ok_or_else(none)?;
        self.store.user(credentials.user).await?.ok_or_else(none)
    }

    /// Makes a link and the delivery that mails it; whoever works finds that within seconds.
    async fn link(&self, user: &User, purpose: LinkPurpose) -> Result<LinkId, Failure> {
        let now = self.parts.clock.now();
        let ids = self.parts.ids.as_ref();
        let link = LinkId::generate(ids, now);
        let delivery = DeliveryId::generate(ids, now);
        self.store.send_link(user, purpose, (link, delivery), (now, now + LINK)).await?;
        Ok(link)
    }
}
