//! Starting the stack, from the bottom up.

use std::{net::SocketAddr, time::Duration};

use fairy_queue::Queue;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    Opened, Parts, Role,
    crew::Crew,
    front::{Front, bind_admin, bind_api, letting_go, of_no_use, public_url, serve},
    stop::http_share,
    tasks::{Running, first_end},
    wire::{Wired, api_settings},
};
use crate::{Failure, channels::Channels, config::Config, hints::Hints, observe, process::listen::Gate};

/// Fairy, or a part of it, running.
pub struct Stack {
    /// Where metrics and health listen.
    pub admin_address: SocketAddr,
    /// What people type.
    pub public_url: Url,
    pub(super) opened: Opened,
    pub(super) hints: Hints,
    pub(super) channels: Channels,
    pub(super) drains_for: Duration,
    pub(super) stop_within: Duration,
    pub(super) stopping: CancellationToken,
    pub(super) front: Option<Front>,
    pub(super) crew: Option<Crew>,
    pub(super) relay: Running,
    pub(super) admin: Running,
}

impl Stack {
    /// Opens what is kept, binds the listeners, starts the parts that the role has; ready when it returns.
    ///
    /// # Errors
    /// When something cannot be opened or bound, or the role cannot be played so; nothing runs then.
    pub async fn start(config: &Config, parts: Parts, role: &Role) -> Result<Self, Failure> {
        role.fits(config)?;
        let opened = Opened::open(config, &parts, role).await?;
        let gate = if role.serves() { Some(bind_api(&config.http).await?) } else { None };
        let admin_gate = bind_admin(&config.http).await?;
        let address = gate.as_ref().map_or(config.http.address, Gate::address);
        let public_url = public_url(&config.http, address)?;
        match of_no_use(&config.http) {
            Some(warning) => tracing::warn!("{warning}"),
            None if config.http.public_url.is_none() && !role.serves() => {
                tracing::warn!(%public_url, "links in mails begin with an address that is only guessed: set http.public_url");
            }
            None => {}
        }
        let stopping = CancellationToken::new();
        let wired = Wired::new(config, &parts, role)?;
        let opened = opened.observed(&wired.meters);
        let crew = match role.lanes() {
            Some(lanes) => {
                let services = wired.workers(config, &parts, &opened, &public_url)?;
                Some(Crew::start(config, opened.queue.clone(), services, lanes).await?)
            }
            None => None,
        };
        let front = gate.map(|gate| {
            let drain = CancellationToken::new();
            let settings = api_settings(config, &parts, public_url.clone(), drain.clone());
            let app = letting_go(fairy_api::app(wired.api(&opened, &parts), settings), stopping.clone());
            Front {
                address,
                drain,
                server: serve("the HTTP server", gate, app, http_share(config.stop_within)),
            }
        });
        let account = crew.as_ref().and_then(|crew| Some(crew.auditor.as_ref()?.1.clone()));
        let vitals = observe::Vitals { account, ..wired.vitals(&opened, stopping.clone()) };
        let observed = observe::app(vitals);
        Ok(Self {
            admin_address: admin_gate.address(),
            public_url,
            relay: relay(wired.hints.clone(), opened.queue.clone()),
            crew,
            front,
            admin: serve("the admin server", admin_gate, observed, Duration::from_secs(1)),
            opened,
            hints: wired.hints,
            channels: wired.channels,
            drains_for: role.drains_for(config),
            stop_within: config.stop_within,
            stopping,
        })
    }

    /// Where the API listens, if it does here.
    pub fn address(&self) -> Option<SocketAddr> {
        self.front.as_ref().map(|front| front.address)
    }

    /// The names of the lanes that are worked here.
    pub fn lanes(&self) -> Vec<&'static str> {
        self.crew.iter().flat_map(|crew| &crew.lanes).map(|lane| lane.name).collect()
    }

    /// Ends when a part ends that should not, and says which: a reason to end the process loudly.
    pub async fn broken(&mut self) -> Failure {
        let mut tasks = vec![&mut self.relay, &mut self.admin];
        tasks.extend(self.front.as_mut().map(|front| &mut front.server));
        if let Some(crew) = self.crew.as_mut() {
            tasks.extend([&mut crew.workers, &mut crew.sweeper]);
            tasks.extend(crew.auditor.as_mut().map(|(auditor, _)| auditor));
        }
        Failure::new(first_end(tasks).await)
    }
}

/// Every role has one: whoever commits hints at what follows.
fn relay(hints: Hints, queue: Queue) -> Running {
    Running::spawn("the relay", |stop| async move {
        hints.run(queue, stop).await;
        Ok(())
    })
}
