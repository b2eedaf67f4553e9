//! How every page is sent: rendered from a template compiled into the binary, under a policy that lets nothing run.

use askama::Template;
use fairy_jobs::problem::Problem;
use poem::{
    Body, IntoResponse, Response, handler,
    http::{StatusCode, header as names},
};

use crate::{
    problem::{Refusal, internal},
    shape::header,
};

/// What a page may load: its style from this site, nothing else.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
frame-ancestors 'none'";

const STYLE: &str = include_str!("../../templates/page.css");

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    title: &'a str,
    text: &'a str,
    incident: Option<&'a str>,
}

/// A rendered page.
pub(super) fn page(template: &impl Template) -> Result<Response, Refusal> {
    let html = template.render();
    let html = html.map_err(|error| Refusal { cause: Some(error.to_string()), ..internal().into() })?;
    let mut response = Response::builder().content_type("text/html; charset=utf-8").body(html);
    header(&mut response, names::CONTENT_SECURITY_POLICY, POLICY);
    Ok(response)
}

/// A page that says one thing.
pub(super) fn message(title: &str, text: &str) -> Result<Response, Refusal> {
    page(&Message { title, text, incident: None })
}

/// A refusal as a page.
pub(crate) fn refused(problem: &Problem, incident: Option<&str>) -> Option<Body> {
    let message = Message { title: problem.kind.title(), text: &problem.detail, incident };
    message.render().ok().map(Body::from)
}

/// The page again, with what was wrong with the form; what is not the form's fault is no page of this kind.
pub(super) fn again<T: Template>(
    refusal: Refusal,
    form: impl FnOnce(String) -> T,
) -> Result<Response, Refusal> {
    let status = StatusCode::from_u16(refusal.problem.kind.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let about_form = matches!(status.as_u16(), 401 | 403 | 409 | 422 | 429);
    if !about_form {
        return Err(refusal);
    }
    let mut response = page(&form(refusal.problem.detail))?;
    response.set_status(status);
    Ok(response)
}

/// The style of all pages.
#[handler]
pub(super) fn style() -> Response {
    Response::builder()
        .content_type("text/css; charset=utf-8")
        .header(names::CACHE_CONTROL, "public, max-age=3600")
        .body(STYLE)
        .into_response()
}
