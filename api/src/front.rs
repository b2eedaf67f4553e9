//! What all routes share: the services, the settings, and what is kept in memory to answer quickly.

use std::sync::Arc;

use fairy_jobs::id::{UserId, WorkspaceId};
use jiff::Timestamp;

use crate::{
    Services, Settings,
    accept::Claims,
    auth::{Callers, PasswordPool},
    network::Network,
    rates::Buckets,
    routes::StreamSlots,
    shape::Rooms,
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
    /// Idempotency keys of what is being accepted.
    pub claims: Claims,
    /// How many live streams are open.
    pub streams: StreamSlots,
    /// Room for the bodies of requests.
    pub rooms: Rooms,
}

/// The buckets of all kinds.
pub(crate) struct Limits {
    /// By address.
    pub address: Buckets<Network>,
    /// By person.
    pub caller: Buckets<UserId>,
    /// By workspace.
    pub workspace: Buckets<WorkspaceId>,
    /// Credentials by address.
    pub credentials_address: Buckets<Network>,
    /// Sign-ins by account, named by the hash of its address, from browsers that are not known to it.
    pub sign_in: Buckets<[u8; 32]>,
    /// Sign-ins by browser, from those that are known to the account.
    pub device: Buckets<[u8; 16]>,
    /// Checks of a password by its owner, who is let in already or holds a link.
    pub password: Buckets<UserId>,
    /// Mails with links by account, named by the hash of its address.
    pub link: Buckets<[u8; 32]>,
    /// Invitations by the hash of the address.
    pub invited: Buckets<[u8; 32]>,
    /// Invitations by who invites.
    pub inviter: Buckets<UserId>,
    /// Invitations by workspace.
    pub invitations: Buckets<WorkspaceId>,
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
                device: Buckets::new(rates.sign_in),
                password: Buckets::new(rates.sign_in),
                link: Buckets::new(rates.link),
                invited: Buckets::new(rates.invited),
                inviter: Buckets::new(rates.inviter),
                invitations: Buckets::new(rates.invitations),
            },
            claims: Claims::default(),
            streams: StreamSlots::default(),
            rooms: Rooms::default(),
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
