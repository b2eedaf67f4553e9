//! Where a request comes from: the address that limits count by, and what the browser calls itself.

use std::net::IpAddr;

use poem::{FromRequest, Request, RequestBody, http::header};

use crate::edge::ClientAddress;

/// Where a request comes from.
pub(crate) struct Origin {
    /// The client's address.
    pub address: IpAddr,
    /// What the client calls itself.
    pub user_agent: String,
}

impl<'a> FromRequest<'a> for Origin {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self {
            address: request.data::<ClientAddress>().map_or(IpAddr::from([0, 0, 0, 0]), |address| address.0),
            user_agent: agent.unwrap_or_default().to_owned(),
        })
    }
}
