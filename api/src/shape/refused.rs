//! What a route may refuse, said in its type, so that the description lists exactly the statuses it can answer.

use fairy_jobs::{
    ports::PortError,
    problem::{Problem, ProblemKind},
};
use poem_openapi::{
    ApiResponse,
    registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};

use crate::problem::Refusal;

/// It needs a caller: 401, 403.
pub(crate) const CALLER: u16 = 1;
/// Its path names something: 404.
pub(crate) const TARGET: u16 = 1 << 1;
/// It reads query parameters: 422.
pub(crate) const QUERY: u16 = 1 << 2;
/// It reads a body: 413, 415, 422.
pub(crate) const BODY: u16 = 1 << 3;
/// It writes directly: 409, 504.
pub(crate) const WRITE: u16 = 1 << 4;
/// It may meet something of the same name or in another state: 409.
pub(crate) const CONFLICT: u16 = 1 << 5;
/// It uses a link: 410.
pub(crate) const GONE: u16 = 1 << 6;
/// It accepts an operation: 409, 412, 422, 504.
pub(crate) const OPERATION: u16 = 1 << 7;
/// It has several representations: 406.
pub(crate) const NOT_ACCEPTABLE: u16 = 1 << 8;
/// It is for operators: 401, 404.
pub(crate) const OPERATOR: u16 = 1 << 9;

/// A refusal of a route whose set of refusals is `SET`.
#[derive(Debug)]
pub(crate) struct Refused<const SET: u16>(Refusal);

impl<const SET: u16> From<Problem> for Refused<SET> {
    fn from(problem: Problem) -> Self {
        Self(problem.into())
    }
}

impl<const SET: u16> From<PortError> for Refused<SET> {
    fn from(error: PortError) -> Self {
        Self(error.into())
    }
}

impl<const SET: u16> From<Refusal> for Refused<SET> {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl<const SET: u16> From<Refused<SET>> for poem::Error {
    fn from(refused: Refused<SET>) -> Self {
        refused.0.into()
    }
}

impl<const SET: u16> ApiResponse for Refused<SET> {
    fn meta() -> MetaResponses {
        MetaResponses { responses: statuses(SET).into_iter().map(|status| response(status, SET)).collect() }
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Refusal, _>("Problem".to_owned(), |_| problem_schema());
    }
}

/// The statuses of a set of refusals, ascending.
fn statuses(set: u16) -> Vec<u16> {
    let groups: [(u16, &[u16]); 11] = [
        (u16::MAX, &[400, 429, 500, 503]),
        (CALLER, &[401, 403]),
        (TARGET, &[404]),
        (QUERY, &[422]),
        (BODY, &[413, 415, 422]),
        (WRITE, &[504]),
        (CONFLICT, &[409]),
        (GONE, &[410]),
        (OPERATION, &[409, 412, 422, 504]),
        (NOT_ACCEPTABLE, &[406]),
        (OPERATOR, &[401, 404]),
    ];
    let mut statuses: Vec<u16> = groups
        .iter()
        .filter(|(group, _)| set & group != 0 || *group == u16::MAX)
        .flat_map(|(_, s)| *s)
        .copied()
        .collect();
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

fn response(status: u16, set: u16) -> MetaResponse {
    let header = |name: &str, ty, description: &str| MetaHeader {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        required: false,
        deprecated: false,
        schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new(ty))),
    };
    let headers = match status {
        429 | 503 => vec![header("Retry-After", "integer", "In how many seconds to try again.")],
        401 => vec![header("WWW-Authenticate", "string", "How to authenticate (RFC 9110 §11.6.1).")],
        504 if set & OPERATION != 0 => vec![
            header("Operation-Id", "string", "The operation whose fate is not known yet."),
            header("Location", "string", "Where to ask how the operation ended."),
        ],
        400 | 403 | 404 | 409 | 412 | 422 | 500 if set & OPERATION != 0 => vec![
            header(
                "Operation-Id",
                "string",
                "The operation, if it was accepted and refused when it was applied.",
            ),
            header(
                "Idempotency-Replayed",
                "string",
                "`true` if an earlier request with the same key was refused so.",
            ),
            header("Preference-Applied", "string", "What of `Prefer` was followed."),
        ],
        _ => Vec::new(),
    };
    MetaResponse {
        description: description(status),
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType {
            content_type: "application/problem+json",
            schema: MetaSchemaRef::Reference("Problem".to_owned()),
        }],
        headers,
    }
}

fn description(status: u16) -> &'static str {
    match status {
        422 => "A value is not acceptable; `errors` names each field and what it must be.",
        429 => "Too many requests, or too much waiting in this workspace.",
        500 => "Something broke on our side, or an accepted operation could not be applied.",
        _ => ProblemKind::ALL.iter().find(|k| k.status() == status).map_or("Refused.", |k| k.title()),
    }
}

/// The schema of every refusal (RFC 9457).
pub(crate) fn problem_schema() -> MetaSchema {
    let text =
        |description| inline(MetaSchema { description: Some(description), ..MetaSchema::new("string") });
    let error = MetaSchema {
        required: vec!["field", "detail"],
        properties: vec![
            ("field", text("The field's name in the request, such as `title` or `items.3.due`.")),
            ("detail", text("What it must be; reads after the field's name.")),
        ],
        ..MetaSchema::new("object")
    };
    let errors = MetaSchema {
        description: Some("The fields at fault, if it is about fields."),
        items: Some(Box::new(inline(error))),
        ..MetaSchema::new("array")
    };
    let status = MetaSchema {
        description: Some("The HTTP status."),
        ..MetaSchema::new_with_format("integer", "int32")
    };
    MetaSchema {
        description: Some(
            "Why a request was refused (RFC 9457). `type` is stable and leads to its documentation.",
        ),
        required: vec!["type", "title", "status", "detail"],
        properties: vec![
            ("type", text("A URL that names the problem and leads to its documentation.")),
            ("title", text("A summary that is the same for every occurrence.")),
            ("status", inline(status)),
            ("detail", text("What happened this time, and what to do.")),
            ("instance", text("Which occurrence it was, where the log knows more.")),
            ("errors", inline(errors)),
        ],
        ..MetaSchema::new("object")
    }
}

fn inline(schema: MetaSchema) -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(schema))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_accepts_operations_names_them() {
        let names = |status, set| {
            let headers = response(status, set).headers;
            headers.into_iter().map(|header| header.name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(504, OPERATION), "Operation-Id Location");
        assert_eq!(names(504, WRITE), "", "a direct write has no address to ask at");
        assert_eq!(names(412, OPERATION), "Operation-Id Idempotency-Replayed Preference-Applied");
        assert_eq!(names(404, TARGET), "");
    }

    #[test]
    fn a_set_lists_each_status_once() {
        assert_eq!(statuses(0), [400, 429, 500, 503]);
        assert_eq!(
            statuses(CALLER | TARGET | BODY | OPERATION),
            [400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 500, 503, 504]
        );
    }
}
