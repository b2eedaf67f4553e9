//! Joining the crates: which part fulfils which port.

use std::{path::PathBuf, sync::Arc};

use fairy_api::{Rates, is_local};
use fairy_jobs::ports::{ActivityLog, EventBus, Ledger, Mailer};
use fairy_store::Store;
use fairy_workers::mail;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Cloud, Opened, Parts, Role, opened::sinks, servers};
use crate::{
    Failure,
    channels::Channels,
    cluster::Hears,
    config::{Config, Place, SignUp, Transport},
    desk::Desk,
    hints::{Hints, Lanes},
    lanes,
    observe::{Metered, Meters, Vitals},
};

/// The lanes as the workers know them.
pub const LANES: fairy_workers::Lanes = fairy_workers::Lanes {
    operations: &lanes::OPERATIONS,
    record: &lanes::RECORD,
    publish: &lanes::PUBLISH,
    notify: &lanes::NOTIFY,
    deliver: &lanes::DELIVER,
};

/// What every role has of what is joined.
pub struct Wired {
    pub channels: Channels,
    pub hints: Hints,
    pub meters: Meters,
}

impl Wired {
    /// Joins the ways by which those who work tell those who wait: lanes on a server are shared with other processes.
    ///
    /// # Errors
    /// When that server's address cannot be used.
    pub fn new(config: &Config, parts: &Parts, role: &Role) -> Result<Self, Failure> {
        let channels = match &config.queue {
            Place::File(_) => Channels::default(),
            Place::Server(server) => {
                let hears = if role.serves() { Hears::All } else { Hears::Nothing };
                Channels::Between(Arc::new(servers::open_between(server, &parts.name, hears)?))
            }
        };
        let sinks = sinks(config).into_iter().map(|sink| (sink, lanes::of_sink(sink))).collect();
        let hints = Hints::new(channels.clone(), Lanes { sinks, deliver: &lanes::DELIVER });
        Ok(Self { channels, hints, meters: Meters::new(parts.clock.clone()) })
    }

    /// What the workers are given.
    ///
    /// # Errors
    /// When mail cannot leave as the settings say.
    pub fn workers(
        &self,
        config: &Config,
        parts: &Parts,
        opened: &Opened,
        public_url: &Url,
    ) -> Result<Arc<fairy_workers::Services>, Failure> {
        let store = Arc::new(opened.store.clone());
        let bus = opened.cloud.bus.clone().map(|bus| Arc::new(bus) as Arc<dyn EventBus>);
        Ok(Arc::new(fairy_workers::Services {
            ledger: Arc::new(self.metered(store.clone() as Arc<dyn Ledger>)),
            sinks: store.clone(),
            teams: store.clone(),
            notices: store.clone(),
            deliveries: store.clone(),
            activity: Arc::new(self.metered::<dyn ActivityLog>(opened.activity())),
            upkeep: store,
            backlog: Arc::new(fairy_workers::LaneBacklog {
                queue: opened.queue.clone(),
                lane: &lanes::OPERATIONS,
            }),
            bus: bus.map(|bus| Arc::new(self.metered(bus)) as Arc<dyn EventBus>),
            mailer: Arc::new(self.metered(self.mailer(config, parts, &opened.cloud)?)),
            outcomes: self.channels.outcomes(),
            relay: Arc::new(self.hints.clone()),
            clock: parts.clock.clone(),
            ids: parts.ids.clone(),
            link_key: opened.link_key.clone(),
            settings: fairy_workers::Settings {
                public_url: public_url.clone(),
                mail_from: config.mail.from.clone(),
                worker: parts.name.clone(),
                version: parts.version,
                time_up: CancellationToken::new(),
                send_limit: match config.mail.transport {
                    Transport::Files(_) => fairy_workers::Settings::FILES_SEND_LIMIT,
                    Transport::Smtp { .. } | Transport::Ses { .. } => {
                        fairy_workers::Settings::SMTP_SEND_LIMIT
                    }
                },
            },
        }))
    }

    /// The same port, counted.
    fn metered<P: ?Sized>(&self, port: Arc<P>) -> Metered<P> {
        Metered { port, meters: self.meters.clone() }
    }

    /// What the API is given.
    pub fn api(&self, opened: &Opened, parts: &Parts) -> fairy_api::Services {
        let store: Arc<Store> = Arc::new(opened.store.clone());
        fairy_api::Services {
            accounts: store.clone(),
            teams: store.clone(),
            ledger: store.clone(),
            tasks: store.clone(),
            feed: store.clone(),
            activity: opened.activity(),
            notices: store.clone(),
            upkeep: store.clone(),
            queue: opened.queue.clone(),
            operations: &lanes::OPERATIONS,
            desk: Arc::new(Desk {
                queue: opened.queue.clone(),
                ledger: store.clone(),
                clock: parts.clock.clone(),
            }),
            outcomes: self.channels.outcomes(),
            signal: self.channels.signal(),
            relay: Arc::new(self.hints.clone()),
            limiter: self.channels.limiter(),
            meter: Arc::new(self.meters.clone()),
            clock: parts.clock.clone(),
            ids: parts.ids.clone(),
            link_key: opened.link_key.clone(),
        }
    }

    fn mailer(&self, config: &Config, parts: &Parts, cloud: &Cloud) -> Result<Arc<dyn Mailer>, Failure> {
        let from = config.mail.from.clone();
        let clock = parts.clock.clone();
        match &config.mail.transport {
            Transport::Files(directory) => match mail::files(directory.clone(), from, clock, &parts.name) {
                Ok(files) => Ok(Arc::new(files)),
                Err(error) => Err(Failure::new(format_args!(
                    "the directory for mail {} cannot be used: {error}",
                    directory.display()
                ))),
            },
            Transport::Smtp { .. } => Ok(Arc::new(smtp(config, parts)?)),
            Transport::Ses { .. } => Ok(Arc::new(cloud.ses(config, parts, self.channels.limiter())?)),
        }
    }

    /// What health and metrics are read from.
    pub fn vitals(&self, opened: &Opened, stopping: CancellationToken) -> Vitals {
        Vitals {
            upkeep: Arc::new(opened.store.clone()),
            queue: opened.queue.clone(),
            lanes: &lanes::ALL,
            channels: self.channels.clone(),
            meters: self.meters.clone(),
            account: None,
            bus: opened.cloud.bus.clone(),
            stopping,
        }
    }
}

/// The API's settings.
pub fn api_settings(
    config: &Config,
    parts: &Parts,
    public_url: Url,
    drain: CancellationToken,
) -> fairy_api::Settings {
    fairy_api::Settings {
        sign_up: match config.sign_up {
            SignUp::Open => fairy_api::SignUp::Open,
            SignUp::Invite => fairy_api::SignUp::Invite,
        },
        mail_dir: mail_directory(config).filter(|_| is_for_one_machine(config, &public_url)),
        drain,
        version: parts.version,
        forwarded_hops: config.http.proxies,
        admin_token: config.admin_token.clone(),
        rates: Rates::default().times(config.limits_factor),
        ..fairy_api::Settings::new(public_url)
    }
}

/// Whether only who sits at this machine reaches the API: only then are mails shown, for they hold links that open
/// accounts.
pub fn is_for_one_machine(config: &Config, public_url: &Url) -> bool {
    config.http.address.ip().is_loopback() && is_local(public_url.host_str())
}

/// Where mail files are, if mail goes to files.
pub fn mail_directory(config: &Config) -> Option<PathBuf> {
    match &config.mail.transport {
        Transport::Files(directory) => Some(directory.clone()),
        Transport::Smtp { .. } | Transport::Ses { .. } => None,
    }
}

/// The way to the mail server of the settings.
///
/// # Errors
/// When there is none, or its certificate file cannot be used.
pub fn smtp(config: &Config, parts: &Parts) -> Result<mail::Smtp, Failure> {
    let Transport::Smtp { url, ca } = &config.mail.transport else {
        return Err(Failure::new("mail goes to no mail server"));
    };
    let ca = ca.as_ref().map(|path| {
        std::fs::read(path).map_err(|error| {
            Failure::new(format_args!("mail.smtp_ca {} cannot be read: {error}", path.display()))
        })
    });
    let ca = ca.transpose()?;
    mail::smtp(url, ca.as_deref(), config.mail.from.clone(), parts.clock.clone())
        .map_err(|error| Failure::new(format_args!("mail.smtp_url cannot be used: {error}")))
}
