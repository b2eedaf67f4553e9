//! What an operator decides about the HTTP surface; the composition root reads it from the configuration.

use std::path::PathBuf;

use fairy_jobs::{operation::VERSION, rate::Rate};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::AdminToken;

/// The settings of the HTTP surface.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where people reach it; `https` makes cookies `Secure` with the `__Host-` prefix.
    pub public_url: Url,
    /// Who may make an account.
    pub sign_up: SignUp,
    /// The directory of mail files; only with the `files` transport, and then `/dev/mail` shows them.
    pub mail_dir: Option<PathBuf>,
    /// Cancelled when the process is to end: live streams close and waiting requests are answered with `202`.
    pub drain: CancellationToken,
    /// How many trusted proxies stand in front, each adding one entry to `X-Forwarded-For`; 0: the header is ignored.
    pub forwarded_hops: u8,
    /// What operators show; without one `/v1/admin` is not there.
    pub admin_token: Option<AdminToken>,
    /// How often one may ask.
    pub rates: Rates,
    /// The version of payloads that operations are written in; a worker below it hands them back.
    pub version: u32,
}

impl Settings {
    /// Settings for this public URL, everything else as by default: open sign-up, no mail page, no proxies.
    pub fn new(public_url: Url) -> Self {
        Self {
            public_url,
            sign_up: SignUp::Open,
            mail_dir: None,
            drain: CancellationToken::new(),
            forwarded_hops: 0,
            admin_token: None,
            rates: Rates::default(),
            version: VERSION,
        }
    }

    /// Whether cookies may only travel encrypted.
    pub(crate) fn secure(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignUp {
    /// Everybody.
    Open,
    /// Who was invited.
    Invite,
}

/// The limits on how often one may ask; what is over them is answered with `429`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Requests of any kind from one address, for IPv6 its /64.
    pub address: Rate,
    /// Requests of one person, by whatever session or token.
    pub caller: Rate,
    /// Operations into one workspace.
    pub workspace: Rate,
    /// Sign-ups, sign-ins and password resets from one address.
    pub credentials_address: Rate,
    /// Sign-ins to one account from browsers that are not known to it; from each browser that is; and checks of the
    /// password by who is let in already.
    pub sign_in: Rate,
    /// Requests for operators from one address that do not show the token.
    pub operator: Rate,
    /// Mails with links to one account; and changes of its password, for each is told by mail.
    pub link: Rate,
    /// Invitations to one address, over all workspaces.
    pub invited: Rate,
    /// Invitations by one person, over all workspaces.
    pub inviter: Rate,
    /// Invitations into one workspace.
    pub invitations: Rate,
}

impl Rates {
    /// `factor` times as much of everything.
    #[must_use]
    pub const fn times(self, factor: u32) -> Self {
        Self {
            address: self.address.times(factor),
            caller: self.caller.times(factor),
            workspace: self.workspace.times(factor),
            credentials_address: self.credentials_address.times(factor),
            sign_in: self.sign_in.times(factor),
            operator: self.operator.times(factor),
            link: self.link.times(factor),
            invited: self.invited.times(factor),
            inviter: self.inviter.times(factor),
            invitations: self.invitations.times(factor),
        }
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            address: Rate::per_minute(50_000, 300_000),
            caller: Rate::per_minute(20_000, 120_000),
            workspace: Rate::per_minute(20_000, 120_000),
            // An office, or a test suite that makes a few hundred accounts, shares one address.
            credentials_address: Rate::per_minute(600, 60),
            sign_in: Rate::per_minute(30, 6),
            operator: Rate::per_minute(120, 60),
            // Whoever knows an address can have a link sent to it, so this is all that stands before its mailbox.
            link: Rate::per_hour(5, 12),
            invited: Rate::per_hour(3, 4),
            // A team of fifty is invited at once, by one person, and again should something be wrong with the list.
            inviter: Rate::per_hour(100, 60),
            invitations: Rate::per_hour(200, 120),
        }
    }
}
