//! Where a request comes from: the network that limits count by, what the browser calls itself, and whether it is known.

use std::{net::Ipv4Addr, sync::Arc};

use fairy_jobs::link::Device;
use poem::{FromRequest, Request, RequestBody, http::header};

use crate::{auth::device, front::Front, network::Network};

/// Where a request comes from.
pub(crate) struct Origin {
    /// The client's network.
    pub network: Network,
    /// What the client calls itself.
    pub user_agent: String,
    /// The browser, if somebody signed in with it before.
    pub device: Option<Device>,
}

impl<'a> FromRequest<'a> for Origin {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let front = request.data::<Arc<Front>>();
        let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self {
            network: request
                .data::<Network>()
                .copied()
                .unwrap_or_else(|| Network::of(Ipv4Addr::UNSPECIFIED.into())),
            user_agent: agent.unwrap_or_default().to_owned(),
            device: front
                .and_then(|front| device(&front.settings, &front.services.link_key, request.headers())),
        })
    }
}
