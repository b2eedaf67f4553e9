//! What an operator decides about the HTTP surface; the composition root reads it from the configuration.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;
use url::Url;

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
    /// How often one may ask.
    pub rates: Rates,
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
            rates: Rates::default(),
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

/// A token bucket: this many at once, refilled evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The most at once.
    pub burst: u32,
    /// How many come back in a minute.
    pub per_minute: u32,
}

/// The limits on how often one may ask; what is over them is answered with `429`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Requests of any kind from one address.
    pub address: Rate,
    /// Requests of one session or token.
    pub caller: Rate,
    /// Operations into one workspace.
    pub workspace: Rate,
    /// Sign-ups, sign-ins and password resets from one address.
    pub credentials_address: Rate,
    /// Sign-ins to one account, and checks of its password.
    pub sign_in: Rate,
    /// Mails with links to one account.
    pub link: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        let rate = |burst, per_minute| Rate { burst, per_minute };
        Self {
            address: rate(50_000, 300_000),
            caller: rate(20_000, 120_000),
            workspace: rate(20_000, 120_000),
            // An office, or a test suite that makes a few hundred accounts, shares one address.
            credentials_address: rate(600, 60),
            sign_in: rate(30, 6),
            link: rate(5, 1),
        }
    }
}
