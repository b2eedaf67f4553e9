//! What all routes share: the services, the settings, and what is kept in memory to answer quickly.

use std::{net::IpAddr, sync::Arc};

use fairy_jobs::id::{UserId, WorkspaceId};
use jiff::Timestamp;

use crate::{
    Services, Settings,
    auth::{Callers, PasswordPool},
    rates::Buckets,
    routes::StreamSlots,
};

/// The surface behind its routes.
pub(crate) struct Front {
    /// The outside.
    pub services: Services,
    /// What the operator decided.
    pub settings: Settings,
    /// Who calls, kept for a moment.
    pub callers: Callers,
    /// Where passwords are hashed.
    pub passwords: PasswordPool,
    /// How often one may ask.
    pub limits: Limits,
    /// How many live streams are open.
    pub streams: StreamSlots,
}

/// The buckets of all kinds.
pub(crate) struct Limits {
    /// By address.
    pub address: Buckets<IpAddr>,
    /// By person.
    pub caller: Buckets<UserId>,
    /// By workspace.
    pub workspace: Buckets<WorkspaceId>,
    /// Credentials by address.
    pub credentials_address: Buckets<IpAddr>,
    /// Sign-ins by account, named by the hash of its address.
    pub sign_in: Buckets<[u8; 32]>,
    /// Mails with links by account, named by the hash of its address.
    pub link: Buckets<[u8; 32]>,
}

impl Front {
    /// The surface over these services.
    pub fn new(services: Services, settings: Settings) -> Arc<Self> {
        let rates = settings.rates;
        Arc::new(Self {
            callers: Callers::default(),
            passwords: PasswordPool::new(&services),
            limits: Limits {
                address: Buckets::new(rates.address),
                caller: Buckets::new(rates.caller),
                workspace: Buckets::new(rates.workspace),
                credentials_address: Buckets::new(rates.credentials_address),
                sign_in: Buckets::new(rates.sign_in),
                link: Buckets::new(rates.link),
            },
            streams: StreamSlots::default(),
            services,
            settings,
        })
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.services.clock.now()
    }

    /// The public address, under which problems are documented.
    pub fn base(&self) -> &str {
        self.settings.public_url.as_str()
    }
}
