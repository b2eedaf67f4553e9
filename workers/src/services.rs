//! What the workers are given: the ports, and the few settings that their work depends on.

use std::sync::Arc;
use std::time::Duration;

use fairy_jobs::{
    clock::Clock,
    id::IdSource,
    link::LinkKey,
    ports::{
        ActivityLog, Backlog, Deliveries, EventBus, Ledger, Mailer, Notices, OutcomeChannel, Relay, Sinks,
        Teams, Upkeep,
    },
};
use fairy_queue::LaneSpec;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::mail::Sender;

/// All that the jobs need, wired by the composition root.
#[expect(missing_docs, reason = "each port is documented at its trait")]
pub struct Services {
    pub ledger: Arc<dyn Ledger>,
    pub sinks: Arc<dyn Sinks>,
    pub teams: Arc<dyn Teams>,
    pub notices: Arc<dyn Notices>,
    pub deliveries: Arc<dyn Deliveries>,
    pub activity: Arc<dyn ActivityLog>,
    pub upkeep: Arc<dyn Upkeep>,
    pub backlog: Arc<dyn Backlog>,
    /// Where changes are published; without one nobody works lane `publish`.
    pub bus: Option<Arc<dyn EventBus>>,
    pub mailer: Arc<dyn Mailer>,
    pub outcomes: Arc<dyn OutcomeChannel>,
    pub relay: Arc<dyn Relay>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
    /// The key that makes the codes in mailed links.
    pub link_key: LinkKey,
    pub settings: Settings,
}

/// What the work depends on besides its ports.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where people reach this installation; links in mails begin with it.
    pub public_url: Url,
    /// Who mails come from; its domain also makes message ids unique in the world.
    pub mail_from: Sender,
    /// What this process is called among the workers of a lane; unique per process.
    pub worker: String,
    /// The newest version of payloads that this process understands; what needs a newer one it hands back.
    pub version: u32,
    /// Cancelled after the stop, when jobs still in hand are to be broken off and handed back.
    pub time_up: CancellationToken,
    /// How long sending one message may take. A delivery that a killed process had in hand waits a little longer
    /// than this before it is sent again, so a transport that never takes long should get a short limit.
    pub send_limit: Duration,
}

impl Settings {
    /// A minute for a mail server to take a message over, which scans of large servers need (RFC 5321 §4.5.3.2 allows
    /// more, but a repeat is harmless and a stuck worker is not).
    pub const SMTP_SEND_LIMIT: Duration = Duration::from_secs(60);
    /// Five seconds to write a file.
    pub const FILES_SEND_LIMIT: Duration = Duration::from_secs(5);
}

/// The lanes that are worked, as producers and workers share them.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names are those of the lanes")]
pub struct Lanes {
    pub operations: &'static LaneSpec,
    pub record: &'static LaneSpec,
    pub publish: &'static LaneSpec,
    pub notify: &'static LaneSpec,
    pub deliver: &'static LaneSpec,
}
