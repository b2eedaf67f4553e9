//! The listeners: the API's, and the one that operators look at.

use std::{io, net::SocketAddr, time::Duration};

use poem::{
    Endpoint as _, EndpointExt as _, Server,
    endpoint::BoxEndpoint,
    http::{HeaderValue, Version, header::CONNECTION},
};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::tasks::Running;
use crate::{
    Failure,
    config::Http,
    process::{connection::UNANSWERED, listen::Gate},
};

/// Most connections of the admin listener.
const ADMIN_CONNECTIONS: usize = 64;
/// A connection on which nothing happens is asked to end after this long: longer than the longest wait and the heartbeat.
const IDLE: Duration = UNANSWERED.saturating_add(Duration::from_secs(10));
/// Requests at once on one connection of HTTP/2; without a number there is no limit.
const STREAMS: u32 = 100;

/// The API, answering.
pub struct Front {
    /// Where it listens.
    pub address: SocketAddr,
    /// Cancelled when requests that wait are to come to an end.
    pub drain: CancellationToken,
    /// Answers.
    pub server: Running,
}

/// What people type to reach an API at this address, and links in mails begin with.
///
/// # Errors
/// When nobody says it and the address makes no URL.
pub fn public_url(http: &Http, address: SocketAddr) -> Result<Url, Failure> {
    match &http.public_url {
        Some(url) => Ok(url.clone()),
        None => Url::parse(&format!("http://{address}")).map_err(Failure::new),
    }
}

/// What is wrong with the URL that links begin with, where nobody says it and the address is none that can be typed.
pub fn of_no_use(http: &Http) -> Option<String> {
    let address = http.address;
    (http.public_url.is_none() && address.ip().is_unspecified()).then(|| {
        format!(
            "links in mails begin with http://{address}, which nobody can open: set FAIRY__HTTP__PUBLIC_URL to what \
             people type, such as https://fairy.example.com"
        )
    })
}

/// Binds the API's address. No other address gets more than a quarter of the places, unless proxies stand in front: then all
/// come from theirs.
pub async fn bind_api(http: &Http) -> Result<Gate, Failure> {
    let gate = bind(http.address, http.max_connections, "FAIRY__HTTP__ADDRESS").await?;
    Ok(match http.proxies {
        0 => gate.sharing(http.max_connections.div_ceil(4)),
        _ => gate,
    })
}

/// Binds the address of health and metrics.
pub async fn bind_admin(http: &Http) -> Result<Gate, Failure> {
    bind(http.admin_address, ADMIN_CONNECTIONS, "FAIRY__HTTP__ADMIN_ADDRESS").await
}

async fn bind(address: SocketAddr, connections: usize, variable: &str) -> Result<Gate, Failure> {
    Gate::bind(address, connections).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Failure::new(format_args!(
            "{address} is in use: stop what listens there, or set {variable} to another address"
        )),
        _ => Failure::new(format_args!(
            "{address} cannot be listened on: {error}; set {variable} to another address"
        )),
    })
}

/// The same, but it lets go of its connections once the process is to stop: who keeps one learns from the next answer that it
/// ends there, and so sends no request into its end. HTTP/2 has a frame for that, which the server sends by itself.
pub fn letting_go(app: BoxEndpoint<'static>, stopping: CancellationToken) -> BoxEndpoint<'static> {
    let ends = move |version| version < Version::HTTP_2 && stopping.is_cancelled();
    app.around(move |app, request| {
        let ends = ends.clone();
        async move {
            let version = request.version();
            let mut response = app.get_response(request).await;
            if ends(version) {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        }
    })
    .boxed()
}

/// Answers until it is told to stop, and drops what is not answered within `grace` then.
pub fn serve(name: &'static str, gate: Gate, app: BoxEndpoint<'static>, grace: Duration) -> Running {
    Running::spawn(name, |stop| async move {
        Server::new_with_acceptor(gate)
            .name(name)
            .idle_timeout(IDLE)
            .http2_max_concurrent_streams(STREAMS)
            .run_with_graceful_shutdown(app, stop.cancelled_owned(), Some(grace))
            .await
            .map_err(|error| error.to_string())
    })
}
