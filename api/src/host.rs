//! Under which host name a request came.
//!
//! A page of the web can let its own name lead to 127.0.0.1 (DNS rebinding) and then read what a browser on this machine
//! gets there, as if it came from that page. Cookies do not go along, for they belong to another name; so only what needs
//! no caller is in danger, and of that only what is meant for this machine alone: the mails.

use std::{net::IpAddr, sync::Arc};

use fairy_jobs::problem::{Problem, ProblemKind};
use poem::{
    FromRequest, Request, RequestBody,
    http::{header, uri::Authority},
};
use url::{Host, Url};

use crate::{
    front::Front,
    problem::{Refusal, internal},
};

/// Whether this host name or address is this machine's own.
pub fn is_local(host: Option<&str>) -> bool {
    let host = host.unwrap_or_default().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A request under a name of this machine or the public URL's; others are refused.
pub(crate) struct OwnHost;

impl<'a> FromRequest<'a> for OwnHost {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let front = request.data::<Arc<Front>>().ok_or_else(|| Refusal::from(internal()))?;
        own(request, &front.settings.public_url).map_err(Refusal::from)?;
        Ok(Self)
    }
}

/// Refused unless the request names this machine or the public URL's host.
fn own(request: &Request, public_url: &Url) -> Result<(), Problem> {
    let named = request.headers().get(header::HOST).map(|value| value.to_str().unwrap_or_default());
    // HTTP/2 says it in the target instead.
    let named = named.or_else(|| request.uri().authority().map(Authority::as_str));
    let host = named.and_then(host_of);
    let public = public_url.host().map(|host| host.to_owned());
    let ours = host.is_some_and(|host| is_local(Some(&host.to_string())) || Some(host) == public);
    if ours {
        return Ok(());
    }
    let detail = format!("Mails are shown only under {public_url}, or under localhost or 127.0.0.1.");
    Err(Problem::new(ProblemKind::Misdirected, detail))
}

/// The host in a `Host` header, without its port.
fn host_of(text: &str) -> Option<Host> {
    let url = Url::parse(&format!("http://{text}/")).ok()?;
    let plain =
        url.username().is_empty() && url.password().is_none() && url.path() == "/" && url.query().is_none();
    url.host().filter(|_| plain).map(|host| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_own(host: &str) -> bool {
        let request = Request::builder().header(header::HOST, host).finish();
        own(&request, &"http://fairy.test:8080/".parse().unwrap()).is_ok()
    }

    #[test]
    fn a_name_that_was_bent_to_this_machine_is_refused() {
        for ours in
            ["localhost", "LOCALHOST:3000", "127.0.0.1:3000", "127.0.0.2", "[::1]:3000", "fairy.test:3000"]
        {
            assert!(is_own(ours), "{ours}");
        }
        for other in [
            "evil.test",
            "localhost.evil.test:3000",
            "127.0.0.1.evil.test",
            "evil.test/localhost",
            "localhost@evil.test",
            "192.0.2.1:3000",
            "",
            "[::2]",
        ] {
            assert!(!is_own(other), "{other}");
        }
        assert!(own(&Request::default(), &"http://fairy.test/".parse().unwrap()).is_err(), "none at all");
    }

    #[test]
    fn http_2_names_it_in_the_target() {
        let request = |uri: &str| Request::builder().uri_str(uri).finish();
        let public = "http://fairy.test/".parse().unwrap();
        assert!(own(&request("http://localhost:3000/dev/mail"), &public).is_ok());
        assert!(own(&request("http://evil.test:3000/dev/mail"), &public).is_err());
    }
}
