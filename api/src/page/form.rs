//! A form that a page of ours sent.

use std::sync::Arc;

use fairy_jobs::problem::{Problem, ProblemKind};
use poem::{FromRequest, Request, RequestBody, http::HeaderMap};
use serde::de::DeserializeOwned;

use crate::{
    front::Front,
    problem::{Refusal, internal},
    shape::{OPEN_BYTES, receive},
};

/// The fields of a form, sent by a page of this site.
pub(super) struct SentForm<T>(pub T);

impl<'a, T: DeserializeOwned> FromRequest<'a> for SentForm<T> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(read(request, body).await?))
    }
}

async fn read<T: DeserializeOwned>(request: &Request, body: &mut RequestBody) -> Result<T, Refusal> {
    own(request.headers())?;
    let front = request.data::<Arc<Front>>().ok_or_else(internal)?;
    let (bytes, _room) = receive(body, OPEN_BYTES, front.rooms.place(OPEN_BYTES)).await?;
    let malformed = |_| Problem::new(ProblemKind::Malformed, "The form could not be read.");
    Ok(serde_urlencoded::from_bytes(&bytes).map_err(malformed)?)
}

/// Browsers say from where a form comes (Fetch Metadata); one from elsewhere is refused whatever it holds.
fn own(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get("sec-fetch-site").and_then(|value| value.to_str().ok()) {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => Err(Problem::new(ProblemKind::Forbidden, "The form was sent by another site.")),
    }
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    #[test]
    fn a_form_of_another_site_is_refused() {
        let from = |site: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            own(&headers).is_ok()
        };
        assert!(own(&HeaderMap::new()).is_ok() && from("same-origin") && from("none"));
        assert!(!from("cross-site") && !from("same-site"));
    }
}
