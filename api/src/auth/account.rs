//! Making an account and signing in, for the API and for the page that an invitation leads to.

use fairy_jobs::{
    account::{Digest, Locale, TimeZone, User},
    email::EmailAddress,
    id::{SessionId, UserId},
    link::Device,
    ports::{LinkPurpose, Session},
    problem::{Problem, ProblemKind},
    text::Name,
};
use jiff::ToSpan as _;

use super::{
    Secret,
    caller::csrf_token,
    cookie::{device_cookie, session_cookie},
    sha256,
};
use crate::{SignUp, front::Front, problem::Refusal, routes::Origin};

/// How long a session lasts after it was last used.
const SESSION_DAYS: i64 = 30;

/// An account to be made; the password has been judged.
#[derive(Clone)]
pub(crate) struct NewAccount {
    /// Where mail goes.
    pub email: EmailAddress,
    /// The password.
    pub password: String,
    /// What others see.
    pub name: Name,
    /// The zone.
    pub time_zone: TimeZone,
    /// The language.
    pub locale: Locale,
    /// The code of an invitation, which admits where sign-up is not open.
    pub invitation: Option<String>,
}

/// Somebody who has just signed in.
pub(crate) struct SignedIn {
    /// The account.
    pub user: User,
    /// The session.
    pub session: Session,
    secret: Secret,
    /// The session's CSRF token.
    pub csrf_token: String,
    device: Device,
}

impl SignedIn {
    /// What the browser is to keep: the session, and that it is known to the account.
    pub fn cookies(&self, front: &Front) -> [String; 2] {
        let (settings, key) = (&front.settings, &front.services.link_key);
        [session_cookie(settings, &self.secret), device_cookie(settings, key, self.device)]
    }
}

impl Front {
    /// Makes an account, sends the link that proves its address, and signs in.
    pub async fn sign_up(&self, new: NewAccount, origin: &Origin) -> Result<SignedIn, Refusal> {
        self.limits.credentials_address.take(&origin.network, self.now()).await?;
        let invited = self.admit(&new).await?;
        let hash = self.passwords.hash(&new.password).await?;
        let now = self.now();
        let user = User {
            id: UserId::generate(self.services.ids.as_ref(), now),
            email: new.email,
            // Who has the code of an invitation reads the mail it was sent to.
            email_verified: invited,
            name: new.name,
            time_zone: new.time_zone,
            locale: new.locale,
            digest: Digest::default(),
            created_at: now,
        };
        self.services.accounts.create_user(&user, &hash).await?;
        if !invited && let Err(refusal) = self.send_link(&user, LinkPurpose::VerifyEmail).await {
            // The account is there; the link can be asked for again.
            tracing::warn!(user = %user.id, cause = refusal.cause, "no link was sent after a sign-up: {refusal}");
        }
        self.begin_session(user, origin).await
    }

    /// Whether the address is proved by an invitation; refused where sign-up needs one.
    async fn admit(&self, new: &NewAccount) -> Result<bool, Refusal> {
        let Some(code) = &new.invitation else {
            if self.settings.sign_up == SignUp::Invite {
                let detail =
                    "Accounts are made by invitation here. Follow the link in the mail that invites you.";
                return Err(Problem::new(ProblemKind::Forbidden, detail).into());
            }
            return Ok(false);
        };
        let (invitation, _) = self.invitation(code).await?;
        if invitation.email != new.email {
            return Err(Problem::field("email", "must be the address that the invitation was sent to").into());
        }
        Ok(true)
    }

    /// Signs in with a password. An unknown address and a wrong password are answered alike and as fast.
    pub async fn sign_in(
        &self,
        email: &EmailAddress,
        password: &str,
        origin: &Origin,
    ) -> Result<SignedIn, Refusal> {
        self.count_guess(email, origin).await?;
        let credentials = self.services.accounts.credentials(email).await?;
        let (user, hash) = credentials.map(|c| (c.user, c.password_hash)).unzip();
        let right = self.passwords.verify(password, hash).await?;
        let user = match user.filter(|_| right) {
            Some(id) => self.services.accounts.user(id).await?,
            None => None,
        };
        let wrong = || Problem::new(ProblemKind::InvalidCredentials, "E-mail or password is wrong.");
        self.begin_session(user.ok_or_else(wrong)?, origin).await
    }

    /// Counts a guess at a password. Strangers share the buckets of their network and of the account, so whoever guesses
    /// is slowed down; a browser that the account knows has a bucket of its own, so nobody's guesses keep its owner out.
    async fn count_guess(&self, email: &EmailAddress, origin: &Origin) -> Result<(), Refusal> {
        let now = self.now();
        if let Some(device) = origin.device
            && let Some(credentials) = self.services.accounts.credentials(email).await?
            && credentials.user == device.user
        {
            return Ok(self.limits.device.take(&device.nonce, now).await?);
        }
        self.limits.credentials_address.take(&origin.network, now).await?;
        Ok(self.limits.sign_in.take(&sha256(email.as_str().as_bytes()), now).await?)
    }

    /// Refused unless this is the person's password.
    pub async fn check_password(&self, user: UserId, password: &str) -> Result<(), Refusal> {
        let right = self.is_password(user, password).await?;
        if right { Ok(()) } else { Err(Problem::field("current_password", "is wrong").into()) }
    }

    /// Whether this is the person's password, for who is let in already: strangers have no part in its bucket.
    pub(super) async fn is_password(&self, user: UserId, password: &str) -> Result<bool, Refusal> {
        self.limits.password.take(&user, self.now()).await?;
        let credentials = self.services.accounts.credentials_of(user).await?;
        self.passwords.verify(password, credentials.map(|c| c.password_hash)).await
    }

    async fn begin_session(&self, user: User, origin: &Origin) -> Result<SignedIn, Refusal> {
        let (ids, now) = (self.services.ids.as_ref(), self.now());
        let secret = Secret::session(ids);
        let session = Session {
            id: SessionId::generate(ids, now),
            user: user.id,
            created_at: now,
            seen_at: now,
            expires_at: now + (SESSION_DAYS * 24).hours(),
            user_agent: origin.user_agent.chars().filter(|c| !c.is_control()).take(200).collect(),
        };
        self.services.accounts.create_session(&session, secret.hash()).await?;
        let known = origin.device.filter(|device| device.user == user.id);
        let device = known.unwrap_or_else(|| Device::new(user.id, ids));
        Ok(SignedIn { csrf_token: csrf_token(self, &session), user, session, secret, device })
    }
}
