//! What a route answers when it does what was asked: the status and headers are part of the type, so that the
//! description and the answer are one thing.

use std::marker::PhantomData;

use fairy_jobs::operation::{EntityTag, etag};
use poem::{
    Body, IntoResponse, Response,
    http::{HeaderName, HeaderValue, StatusCode, header as names},
};
use poem_openapi::{
    ApiResponse,
    registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
    types::{ToJSON, Type},
};

/// What a kind of answer looks like.
pub(crate) trait Shape {
    /// Its responses.
    fn responses() -> Vec<MetaResponse>;
    /// Registers the schemas they name.
    fn register(registry: &mut Registry);
}

/// An answer of this shape.
pub(crate) struct Reply<S> {
    response: Response,
    shape: PhantomData<fn() -> S>,
}

impl<S> Reply<S> {
    /// A response that is known to have the shape.
    pub fn new(response: Response) -> Self {
        Self { response, shape: PhantomData }
    }

    /// The same with one more header.
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        header(&mut self.response, name, value);
        self
    }

    /// The same with these cookies.
    pub fn cookies(mut self, cookies: &[String]) -> Self {
        set_cookies(&mut self.response, cookies);
        self
    }
}

impl<S> IntoResponse for Reply<S> {
    fn into_response(self) -> Response {
        self.response
    }
}

impl<S: Shape> ApiResponse for Reply<S> {
    fn meta() -> MetaResponses {
        MetaResponses { responses: S::responses() }
    }

    fn register(registry: &mut Registry) {
        S::register(registry);
    }
}

/// `200` with a body.
pub(crate) struct Shows<T>(PhantomData<fn() -> T>);
/// `200` with a body and its entity tag, or `304` when the caller has it already.
pub(crate) struct Tagged<T>(PhantomData<fn() -> T>);
/// `201` with a body, and where it is found again.
pub(crate) struct Made<T>(PhantomData<fn() -> T>);
/// `204`.
pub(crate) struct Done;

impl<T: Type + ToJSON> Reply<Shows<T>> {
    /// Shows this.
    pub fn show(value: &T) -> Self {
        Self::new(json(StatusCode::OK, value))
    }
}

impl<T: Type + ToJSON> Reply<Tagged<T>> {
    /// Shows this version under its entity tag, unless `If-None-Match` names it (RFC 9110 §13.1.2).
    pub fn tagged(value: &T, version: u64, if_none_match: Option<&str>) -> Self {
        let shown = value.to_json_string();
        let etag = etag(version, &shown);
        let mut response = match if_none_match.is_some_and(|tags| names_tag(tags, &etag)) {
            true => Response::builder().status(StatusCode::NOT_MODIFIED).finish(),
            false => json_text(StatusCode::OK, shown),
        };
        header(&mut response, names::ETAG, &etag);
        Self::new(response)
    }
}

impl<T: Type + ToJSON> Reply<Made<T>> {
    /// Shows what was made and where it is.
    pub fn made(value: &T, location: &str) -> Self {
        Self::new(json(StatusCode::CREATED, value)).with(names::LOCATION, location)
    }
}

impl Reply<Done> {
    /// It is done.
    pub fn done() -> Self {
        Self::new(Response::builder().status(StatusCode::NO_CONTENT).finish())
    }
}

fn names_tag(tags: &str, etag: &str) -> bool {
    // The comparison is weak: `W/"3"` stands for `"3"`.
    tags.trim() == "*" || EntityTag::list(tags).is_some_and(|tags| tags.iter().any(|tag| tag.tag == etag))
}

fn json<T: ToJSON>(status: StatusCode, value: &T) -> Response {
    json_text(status, value.to_json_string())
}

fn json_text(status: StatusCode, text: String) -> Response {
    Response::builder().status(status).content_type("application/json").body(Body::from(text))
}

/// Sets a header; a value that cannot stand in one is left out.
pub(crate) fn header(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Adds cookies, each in a header of its own (RFC 6265 §3).
pub(crate) fn set_cookies(response: &mut Response, cookies: &[String]) {
    for value in cookies.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
        response.headers_mut().append(names::SET_COOKIE, value);
    }
}

impl<T: Type> Shape for Shows<T> {
    fn responses() -> Vec<MetaResponse> {
        vec![plain(200, "Here it is.", json_content::<T>(), &[])]
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: Type> Shape for Tagged<T> {
    fn responses() -> Vec<MetaResponse> {
        let etag = [("ETag", "What is shown, for `If-None-Match`; and its version, for `If-Match`.")];
        vec![
            plain(200, "Here it is.", json_content::<T>(), &etag),
            plain(304, "It is what `If-None-Match` names.", Vec::new(), &etag),
        ]
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: Type> Shape for Made<T> {
    fn responses() -> Vec<MetaResponse> {
        vec![located(201, "It is made.", json_content::<T>(), &[])]
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl Shape for Done {
    fn responses() -> Vec<MetaResponse> {
        vec![plain(204, "It is done.", Vec::new(), &[])]
    }

    fn register(_: &mut Registry) {}
}

/// The content of a JSON response.
pub(crate) fn json_content<T: Type>() -> Vec<MetaMediaType> {
    vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }]
}

/// A described response with these headers.
pub(crate) fn plain(
    status: u16,
    description: &'static str,
    content: Vec<MetaMediaType>,
    headers: &[(&str, &str)],
) -> MetaResponse {
    let header = |(name, description): &(&str, &str)| MetaHeader {
        name: (*name).to_owned(),
        description: Some((*description).to_owned()),
        required: false,
        deprecated: false,
        schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
    };
    MetaResponse {
        description,
        status: Some(status),
        status_range: None,
        content,
        headers: headers.iter().map(header).collect(),
    }
}

/// A described response that says where something is.
pub(crate) fn located(
    status: u16,
    description: &'static str,
    content: Vec<MetaMediaType>,
    headers: &[(&str, &str)],
) -> MetaResponse {
    let mut all = vec![("Location", "Where it is found.")];
    all.extend(headers);
    plain(status, description, content, &all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_tag_is_found_in_any_list() {
        assert!(
            names_tag("\"3\"", "\"3\"") && names_tag("\"1\", W/\"3\"", "\"3\"") && names_tag("*", "\"3\"")
        );
        assert!(!names_tag("\"33\"", "\"3\"") && !names_tag("", "\"3\""));
    }
}
