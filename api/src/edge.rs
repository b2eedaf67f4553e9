//! The outermost layer: what holds for every request and every answer, whatever route it takes.
//!
//! A request gets an id and costs its address a token; a panic becomes a 500 that tells an incident id only; every
//! error becomes a problem; every answer carries the security headers. Errors are logged here, once, without address,
//! path or body: a path may hold the code of a link.

use std::{
    any::Any,
    net::{IpAddr, SocketAddr},
    panic::AssertUnwindSafe,
    sync::Arc,
};

use futures::FutureExt as _;
use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{HeaderName, HeaderValue, Method, header as names},
};
use poem_openapi::OperationId;
use tracing::Instrument as _;

use crate::{
    front::Front,
    network::Network,
    page,
    problem::{Refusal, internal, refusal_of, response},
    shape::header,
    trace,
};

/// What was asked for, kept for the case that it is refused.
struct Asked {
    path: String,
    /// By a browser that shows a page, and not of the API.
    by_person: bool,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let path = request.uri().path().to_owned();
        let accept = request.headers().get(names::ACCEPT).and_then(|value| value.to_str().ok());
        let by_person =
            !path.starts_with("/v1/") && accept.is_some_and(|accept| accept.contains("text/html"));
        Self { path, by_person }
    }
}

/// Wraps the routes.
pub(crate) struct Edge<E> {
    /// The routes.
    pub inner: E,
    /// What they share.
    pub front: Arc<Front>,
    /// What is known of a path.
    pub routes: Known,
}

/// What can be said of a path without going there.
pub(crate) struct Known {
    /// Which methods it knows.
    pub methods: fn(&str) -> Vec<Method>,
    /// What it looks like without its ids and codes.
    pub template: fn(&str) -> Option<String>,
}

impl<E: Endpoint> Endpoint for Edge<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let id = self.front.services.ids.ulid(self.front.now()).to_string();
        let network = Network::of(client_address(&request, self.front.settings.forwarded_hops));
        let asked = Asked::of(&request);
        let span = trace::request(&request, || (self.routes.template)(&asked.path));
        request.set_data(network);
        request.set_data(Arc::clone(&self.front));
        let answered = match self.front.limits.address.take(&network, self.front.now()).await {
            Ok(()) => {
                AssertUnwindSafe(self.inner.call(request)).catch_unwind().instrument(span.clone()).await
            }
            Err(problem) => Ok(Err(Refusal::from(problem).into())),
        };
        let mut answer = span.in_scope(|| match answered {
            Ok(Ok(output)) => output.into_response(),
            Ok(Err(error)) => self.refuse(error, &asked, &id),
            Err(panic) => {
                let cause = Some(panic_text(panic.as_ref()).to_owned());
                self.refuse(Refusal { cause, ..internal().into() }.into(), &asked, &id)
            }
        });
        trace::answered(&span, &answer);
        secure(&mut answer, self.front.settings.secure());
        header(&mut answer, HeaderName::from_static("x-request-id"), &id);
        Ok(answer)
    }
}

impl<E> Edge<E> {
    fn refuse(&self, error: poem::Error, asked: &Asked, id: &str) -> Response {
        let operation = error.data::<OperationId>().map_or("none", |operation| operation.0);
        let refusal = refusal_of(error);
        let mut answer = response(&refusal, self.front.base(), id);
        let (status, problem) = (answer.status().as_u16(), refusal.problem.kind.slug());
        match &refusal.cause {
            Some(cause) if status == 500 => {
                tracing::error!(request = id, operation, problem, cause, "a request broke");
            }
            Some(cause) => tracing::warn!(request = id, operation, problem, cause, "a request met an outage"),
            None => tracing::debug!(request = id, operation, problem, status, "a request was refused"),
        }
        if asked.by_person {
            let incident = (status >= 500).then_some(id);
            if let Some(page) = page::refused(&refusal.problem, incident) {
                answer.set_body(page);
                header(&mut answer, names::CONTENT_TYPE, "text/html; charset=utf-8");
                header(&mut answer, names::CONTENT_SECURITY_POLICY, page::POLICY);
            }
        }
        if status == 405 {
            let methods: Vec<String> =
                (self.routes.methods)(&asked.path).iter().map(Method::to_string).collect();
            header(&mut answer, names::ALLOW, &methods.join(", "));
        }
        answer
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without words")
}

/// The caller's address: the peer's, or behind `hops` trusted proxies the entry that the outermost of them wrote.
fn client_address(request: &Request, hops: u8) -> IpAddr {
    let peer = request.remote_addr().as_socket_addr().map_or(IpAddr::from([0, 0, 0, 0]), SocketAddr::ip);
    if hops == 0 {
        return peer;
    }
    let forwarded =
        request.headers().get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let entries: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    let entry = entries.iter().rev().nth(usize::from(hops) - 1);
    entry.and_then(|entry| entry.parse().ok()).unwrap_or(peer)
}

/// What an answer says unless its route said otherwise: nothing is loaded, framed, sniffed, referred or kept.
const DEFAULTS: [(HeaderName, &str); 6] = [
    (names::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (names::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (names::X_FRAME_OPTIONS, "DENY"),
    (names::REFERRER_POLICY, "no-referrer"),
    (names::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

fn secure(answer: &mut Response, https: bool) {
    let headers = answer.headers_mut();
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if https {
        headers.insert(names::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(hops: u8, forwarded: &str) -> IpAddr {
        let request = Request::builder().header("x-forwarded-for", forwarded).finish();
        client_address(&request, hops)
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let none = IpAddr::from([0, 0, 0, 0]);
        assert_eq!(address(0, "1.1.1.1"), none);
        assert_eq!(address(1, "6.6.6.6, 1.1.1.1"), IpAddr::from([1, 1, 1, 1]));
        assert_eq!(address(2, "6.6.6.6, 1.1.1.1, 10.0.0.1"), IpAddr::from([1, 1, 1, 1]));
        assert_eq!(address(3, "1.1.1.1"), none);
        assert_eq!(address(1, "garbage"), none);
    }
}
