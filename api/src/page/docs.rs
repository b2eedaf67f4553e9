//! The documentation of the API: call by call, problem by problem, and for programs.
//!
//! The reference is a script (Swagger UI, out of the binary), the only one of this site. It is let in by its hash, so that
//! nothing else runs beside it, and it may reach this site alone.

use std::{fmt::Write as _, sync::LazyLock};

use askama::Template;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use fairy_jobs::problem::ProblemKind;
use poem::{Response, handler, http::header as names};

use super::sheet::page;
use crate::{
    app::{reference_html, spec},
    auth::sha256,
    shape::header,
};

#[derive(Template)]
#[template(path = "problems.html")]
struct Problems {
    kinds: &'static [ProblemKind],
}

/// A page with scripts, and the policy that lets in just these.
struct Reference {
    html: Bytes,
    policy: String,
}

static REFERENCE: LazyLock<Reference> = LazyLock::new(|| {
    let html = reference_html();
    let mut policy =
        "default-src 'none'; connect-src 'self'; img-src 'self' data:; style-src 'unsafe-inline'; \
base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src"
            .to_owned();
    for script in scripts(&html) {
        // Writing into a string cannot fail.
        let _ = write!(policy, " 'sha256-{}'", STANDARD.encode(sha256(script.as_bytes())));
    }
    Reference { html: Bytes::from(html), policy }
});

static OPENAPI: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(spec()));

/// The text of each script of a page.
fn scripts(html: &str) -> Vec<&str> {
    let mut scripts = Vec::new();
    let mut rest = html;
    while let Some(begin) = rest.find("<script") {
        let Some((_, after)) = rest[begin..].split_once('>') else { break };
        let Some((script, after)) = after.split_once("</script>") else { break };
        scripts.push(script);
        rest = after;
    }
    scripts
}

/// A text in pieces, each with whether it stood between backquotes.
fn pieces(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`').enumerate().map(|(index, piece)| (index % 2 == 1, piece))
}

/// The reference of the API.
#[handler]
pub(super) fn reference() -> Response {
    let Reference { html, policy } = &*REFERENCE;
    let mut response = Response::builder().content_type("text/html; charset=utf-8").body(html.clone());
    header(&mut response, names::CONTENT_SECURITY_POLICY, policy);
    header(&mut response, names::CACHE_CONTROL, "public, max-age=300");
    response
}

/// Each problem under the heading that its `type` leads to.
#[handler]
pub(super) fn problems() -> poem::Result<Response> {
    Ok(page(&Problems { kinds: ProblemKind::ALL })?)
}

/// The OpenAPI document.
#[handler]
pub(super) fn openapi() -> Response {
    let mut response = Response::builder().content_type("application/json").body(OPENAPI.clone());
    header(&mut response, names::CACHE_CONTROL, "public, max-age=300");
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_script_is_let_in_by_its_hash() {
        assert_eq!(scripts("<a><script>one</script><script defer>two</script>"), ["one", "two"]);
        let docs = &*REFERENCE;
        assert_eq!(docs.policy.matches("'sha256-").count(), 2);
        let html = std::str::from_utf8(&docs.html).unwrap();
        assert!(html.contains("\"operationId\": \"create_task\"") && !html.contains("src=\"http"));
    }

    #[test]
    fn each_problem_has_its_heading() {
        let html = Problems { kinds: ProblemKind::ALL }.render().unwrap();
        for kind in ProblemKind::ALL {
            assert!(html.contains(&format!("<h2 id=\"{}\">", kind.slug())), "{}", kind.slug());
            assert_eq!(kind.help().matches('`').count() % 2, 0, "{}", kind.slug());
        }
        assert!(!html.contains('`'));
        assert!(html.contains("<p><code>errors</code> names each field and what it must be.</p>"));
    }
}
