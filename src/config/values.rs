//! The settings after checking: what the rest of the program sees.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use fairy_api::AdminToken;
use fairy_workers::{aws::Table, mail::Sender};
use url::Url;

use super::{DatabaseServer, Place, QueueServer};

/// A configuration that can be used.
#[derive(Debug, Clone)]
pub struct Config {
    /// The listeners.
    pub http: Http,
    /// Where everything is kept that has no place of its own.
    pub data_dir: PathBuf,
    /// Where rows are kept.
    pub database: Place<DatabaseServer>,
    /// Where lanes are kept.
    pub queue: Place<QueueServer>,
    /// The table of the activity log; `None`: it is in the database.
    pub activity: Option<Table>,
    /// The bus that has every change as an event.
    pub bus: Option<String>,
    /// How mail leaves.
    pub mail: Mail,
    /// Who may make an account.
    pub sign_up: SignUp,
    /// From where the server's secret comes.
    pub secret: SecretSource,
    /// What operators show to the API; `None`: it serves none.
    pub admin_token: Option<AdminToken>,
    /// What rate limits are multiplied by.
    pub limits_factor: u32,
    /// How long a start waits for servers that are not there yet.
    pub start_within: Duration,
    /// How long an API that is to stop goes on as before, so that who stands in front sees it; `None`: as its role has it.
    pub drain_for: Option<Duration>,
    /// How long work in hand may go on after the stop.
    pub stop_within: Duration,
    /// What is logged and how.
    pub log: Log,
}

/// The listeners.
#[derive(Debug, Clone)]
pub struct Http {
    /// Of the API.
    pub address: SocketAddr,
    /// What links begin with; `None`: `http://` and the address that is bound.
    pub public_url: Option<Url>,
    /// Of metrics and health.
    pub admin_address: SocketAddr,
    /// Most open connections.
    pub max_connections: usize,
    /// Trusted proxies in front.
    pub proxies: u8,
}

/// How mail leaves.
#[derive(Debug, Clone)]
pub struct Mail {
    /// By which way.
    pub transport: Transport,
    /// Who it is from.
    pub from: Sender,
}

/// The ways mail can leave.
#[derive(Debug, Clone)]
pub enum Transport {
    /// As files in this directory.
    Files(PathBuf),
    /// To this mail server.
    Smtp {
        /// With user and password.
        url: Url,
        /// The authority that signed its certificate, in PEM.
        ca: Option<PathBuf>,
    },
    /// Through SES.
    Ses {
        /// The configuration set, which says where events of messages go.
        configuration_set: Option<String>,
        /// Messages a second, if we are to keep to fewer than SES allows.
        rate: Option<f64>,
    },
}

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignUp {
    /// Anybody.
    Open,
    /// Who was invited.
    Invite,
}

/// From where the server's secret comes.
#[derive(Clone)]
pub enum SecretSource {
    /// From the settings.
    Text(String),
    /// From this file, made at the first start.
    File(PathBuf),
}

impl std::fmt::Debug for SecretSource {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(_) => out.write_str("Text(…)"),
            Self::File(path) => out.debug_tuple("File").field(path).finish(),
        }
    }
}

/// What is logged and how.
#[derive(Debug, Clone)]
pub struct Log {
    /// For whom.
    pub format: LogFormat,
    /// A filter that `tracing` understands.
    pub level: String,
    /// Whether text is coloured.
    pub color: Color,
}

/// For whom the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
