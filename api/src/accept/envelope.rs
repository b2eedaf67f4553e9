//! What surrounds the body of a write: method, path, and the headers that every operation understands.

use fairy_jobs::{
    operation::{Fingerprint, IfMatch},
    problem::Problem,
};
use poem::{
    FromRequest, Request, RequestBody,
    http::{HeaderMap, Method, header},
};

use super::Prefer;
use crate::problem::{Refusal, malformed};

/// A write without its body.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    method: Method,
    path: String,
    /// What makes a repeat of this request known.
    pub idempotency_key: Option<String>,
    /// The versions it allows.
    pub if_match: Option<IfMatch>,
    /// How long to wait.
    pub prefer: Prefer,
}

impl Envelope {
    fn of(request: &Request) -> Result<Self, Problem> {
        let headers = request.headers();
        let if_match = if_match(headers)?.as_deref().map(IfMatch::parse).transpose();
        Ok(Self {
            method: request.method().clone(),
            path: request.original_uri().path().to_owned(),
            idempotency_key: key(headers)?,
            if_match: if_match.map_err(|e| malformed("If-Match", &e.to_string()))?,
            prefer: Prefer::parse(headers),
        })
    }

    /// What tells a repeat of this request from another one with the same key.
    pub fn fingerprint(&self, body: &[u8]) -> Fingerprint {
        // By version: the tag of one changes with what people are called.
        let if_match = match &self.if_match {
            None => String::new(),
            Some(IfMatch::Any) => "*".to_owned(),
            Some(IfMatch::Versions(versions)) => format!("{versions:?}"),
        };
        let parts = [self.method.as_str(), &self.path, &if_match].map(str::as_bytes);
        Fingerprint::of(&[parts[0], parts[1], parts[2], body])
    }
}

fn if_match(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut texts = Vec::new();
    for value in headers.get_all(header::IF_MATCH) {
        texts.push(value.to_str().map_err(|_| malformed("If-Match", "must be visible ASCII"))?);
    }
    Ok((!texts.is_empty()).then(|| texts.join(", ")))
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let text = key.to_str().unwrap_or_default();
    let fits = (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if fits && keys.next().is_none() {
        Ok(Some(text.to_owned()))
    } else {
        Err(malformed("Idempotency-Key", "must be given once, with 1 to 255 visible ASCII characters"))
    }
}

impl<'a> FromRequest<'a> for Envelope {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self::of(request).map_err(Refusal::from)?)
    }
}

#[cfg(test)]
mod tests {
    use fairy_jobs::problem::ProblemKind;

    use super::*;

    fn envelope(headers: &[(&str, &str)]) -> Result<Envelope, Problem> {
        let builder = Request::builder().method(Method::PATCH).uri_str("/v1/workspaces/a/tasks/WEB-1");
        Envelope::of(&headers.iter().fold(builder, |b, (name, value)| b.header(*name, *value)).finish())
    }

    #[test]
    fn a_key_is_visible_ascii() {
        let key = |key: &str| envelope(&[("idempotency-key", key)]).map(|e| e.idempotency_key);
        assert_eq!(key("a-1").unwrap().as_deref(), Some("a-1"));
        assert!(key(&"k".repeat(255)).is_ok());
        for bad in ["", "a b", &"k".repeat(256)] {
            assert_eq!(key(bad).unwrap_err().kind, ProblemKind::Malformed, "{bad}");
        }
        assert!(envelope(&[("idempotency-key", "a"), ("idempotency-key", "b")]).is_err());
    }

    #[test]
    fn if_match_is_a_list_over_all_headers() {
        let parsed = envelope(&[("if-match", "\"1\""), ("if-match", "\"2\"")]).unwrap().if_match;
        assert_eq!(parsed, Some(IfMatch::Versions(vec![1, 2])));
        assert!(envelope(&[("if-match", "3")]).is_err());
    }

    #[test]
    fn the_fingerprint_covers_method_path_body_and_if_match() {
        let plain = envelope(&[]).unwrap();
        let same = plain.fingerprint(b"{}");
        assert_eq!(envelope(&[("prefer", "wait=1")]).unwrap().fingerprint(b"{}"), same);
        assert_ne!(plain.fingerprint(b"{ }"), same);
        assert_ne!(envelope(&[("if-match", "\"1\"")]).unwrap().fingerprint(b"{}"), same);
        assert_ne!(Envelope { method: Method::PUT, ..plain.clone() }.fingerprint(b"{}"), same);
        assert_ne!(Envelope { path: "/v1".into(), ..plain }.fingerprint(b"{}"), same);
    }
}
