//! What all routes share: the services, the settings, and what is kept in memory to answer quickly.

use std::sync::Arc;

use fairy_jobs::id::{UserId, WorkspaceId};
use jiff::Timestamp;

use crate::{
    Services, Settings,
    accept::{Claims, Looks},
    auth::{Callers, PasswordPool},
    network::Network,
    rates::Limit,
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
    /// Looks for outcomes whose message got lost.
    pub looks: Looks,
    /// How many live streams are open.
    pub streams: StreamSlots,
    /// Room for the bodies of requests.
    pub rooms: Rooms,
}

/// The buckets of all kinds.
pub(crate) struct Limits {
    /// By address.
    pub address: Limit<Network>,
    /// By person.
    pub caller: Limit<UserId>,
    /// By workspace.
    pub workspace: Limit<WorkspaceId>,
    /// Credentials by address.
    pub credentials_address: Limit<Network>,
    /// Sign-ins by account, named by the hash of its address, from browsers that are not known to it.
    pub sign_in: Limit<[u8; 32]>,
    /// Sign-ins by browser, from those that are known to the account.
    pub device: Limit<[u8; 16]>,
    /// Checks of a password by its owner, who is let in already or holds a link.
    pub password: Limit<UserId>,
    /// Changes of the password, each of which sends a mail.
    pub password_change: Limit<UserId>,
    /// Requests for operators by address.
    pub operator: Limit<Network>,
    /// Mails with links by account, named by the hash of its address.
    pub link: Limit<[u8; 32]>,
    /// Invitations by the hash of the address.
    pub invited: Limit<[u8; 32]>,
    /// Invitations by who invites.
    pub inviter: Limit<UserId>,
    /// Invitations by workspace.
    pub invitations: Limit<WorkspaceId>,
}

impl Front {
    /// The surface over these services.
    pub fn new(services: Services, settings: Settings) -> Arc<Self> {
        let (rates, limiter) = (settings.rates, services.limiter.as_ref());
        let callers = Callers::default();
        Arc::new(Self {
            looks: Looks::new(Arc::clone(&services.ledger), callers.reach.clone()),
            callers,
            passwords: PasswordPool::new(&services),
            limits: Limits {
                address: Limit::new("address", rates.address, limiter),
                caller: Limit::new("caller", rates.caller, limiter),
                workspace: Limit::new("workspace", rates.workspace, limiter),
                credentials_address: Limit::new("credentials_address", rates.credentials_address, limiter),
                sign_in: Limit::new("sign_in", rates.sign_in, limiter),
                device: Limit::new("device", rates.sign_in, limiter),
                password: Limit::new("password", rates.sign_in, limiter),
                password_change: Limit::new("password_change", rates.link, limiter),
                operator: Limit::new("operator", rates.operator, limiter),
                link: Limit::new("link", rates.link, limiter),
                invited: Limit::new("invited", rates.invited, limiter),
                inviter: Limit::new("inviter", rates.inviter, limiter),
                invitations: Limit::new("invitations", rates.invitations, limiter),
            },
            claims: Claims::default(),
            streams: StreamSlots::new(Arc::clone(&services.meter)),
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
