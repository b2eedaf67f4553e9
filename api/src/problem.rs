//! The one place where a refusal becomes a response (RFC 9457), whoever refused: the domain, a port, a route, poem.
//!
//! A 5xx tells the caller nothing but an incident id, which the log knows together with the cause.

use fairy_jobs::{
    ports::PortError,
    problem::{Problem, ProblemKind},
};
use poem::{
    Response,
    error::{MethodNotAllowedError, NotFoundError, ReadBodyError, ResponseError, SizedLimitError},
    http::{HeaderName, StatusCode, header as names},
};
use poem_openapi::error::{ContentTypeError, ParseParamError, ParsePathError};
use serde_json::{Value, json};

use crate::shape::header;

/// A problem on its way to the caller.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct Refusal {
    /// What the caller is told.
    pub problem: Problem,
    /// What only the log is told.
    pub cause: Option<String>,
    /// Headers that go with it.
    pub headers: Vec<(HeaderName, String)>,
}

impl Refusal {
    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl ResponseError for Refusal {
    fn status(&self) -> StatusCode {
        status(&self.problem)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem, cause: None, headers: Vec::new() }
    }
}

impl From<PortError> for Refusal {
    fn from(error: PortError) -> Self {
        let (problem, cause) = match error {
            PortError::Refused(problem) => (problem, None),
            PortError::Unavailable(cause) => (unavailable(), Some(cause)),
            PortError::Unknown(cause) => {
                let detail = "It may have been done. Read again before repeating the request.";
                (Problem::new(ProblemKind::OutcomeUnknown, detail), Some(cause))
            }
            PortError::Broken(cause) => (internal(), Some(cause)),
        };
        Self { problem, cause, headers: Vec::new() }
    }
}

/// A header that says nothing we could go by.
pub(crate) fn malformed(header: &str, detail: &str) -> Problem {
    Problem::new(ProblemKind::Malformed, format!("The header {header} {detail}."))
}

/// What is answered while a part is away.
pub(crate) fn unavailable() -> Problem {
    Problem::new(ProblemKind::Unavailable, "Nothing was accepted. Send the same request again in a moment.")
        .retry_after(2)
}

/// What is answered to a defect.
pub(crate) fn internal() -> Problem {
    Problem::new(ProblemKind::Internal, "Something broke on our side.")
}

/// A refusal made of whatever error a request ended with.
pub(crate) fn refusal_of(error: poem::Error) -> Refusal {
    let error = match error.downcast::<Refusal>() {
        Ok(refusal) => return refusal,
        Err(error) => error,
    };
    let problem = if error.is::<NotFoundError>() {
        Problem::new(ProblemKind::NotFound, "There is nothing at this address.")
    } else if error.is::<MethodNotAllowedError>() {
        Problem::new(ProblemKind::MethodNotAllowed, "This address does not know this method.")
    } else if error.is::<ParsePathError>() || error.is::<poem::error::ParsePathError>() {
        Problem::new(ProblemKind::NotFound, "There is nothing at this address.")
    } else if let Some(param) = error.downcast_ref::<ParseParamError>() {
        Problem::field(param.name, "is not of the right form")
    } else if error.is::<ContentTypeError>() {
        Problem::new(ProblemKind::UnsupportedMediaType, "The body must be sent as application/json.")
    } else if matches!(error.downcast_ref(), Some(ReadBodyError::PayloadTooLarge))
        || error.is::<SizedLimitError>()
    {
        Problem::new(ProblemKind::BodyTooLarge, "The body is too large.")
    } else if error.status().is_client_error() {
        Problem::new(ProblemKind::Malformed, "The request could not be read.")
    } else {
        return Refusal { cause: Some(error.to_string()), ..internal().into() };
    };
    problem.into()
}

/// The body of a problem; `base` is the public address, `incident` names the occurrence.
pub(crate) fn body(problem: &Problem, base: &str, incident: Option<&str>) -> Value {
    let kind = problem.kind;
    let mut body = json!({
        "type": format!("{}/docs/problems#{}", base.trim_end_matches('/'), kind.slug()),
        "title": kind.title(),
        "status": kind.status(),
        "detail": problem.detail,
    });
    if let Some(incident) = incident {
        body["instance"] = format!("urn:fairy:incident:{incident}").into();
    }
    if !problem.errors.is_empty() {
        body["errors"] =
            problem.errors.iter().map(|e| json!({ "field": e.field, "detail": e.detail })).collect();
    }
    body
}

/// The response that tells a refusal.
pub(crate) fn response(refusal: &Refusal, base: &str, request_id: &str) -> Response {
    let problem = &refusal.problem;
    let status = status(problem);
    let incident = status.is_server_error().then_some(request_id);
    let mut response = Response::builder()
        .status(status)
        .content_type("application/problem+json")
        .body(body(problem, base, incident).to_string());
    if let Some(seconds) = problem.retry_after {
        header(&mut response, names::RETRY_AFTER, &seconds.to_string());
    }
    if status == StatusCode::UNAUTHORIZED {
        header(&mut response, names::WWW_AUTHENTICATE, "Bearer realm=\"fairy\"");
    }
    for (name, value) in &refusal.headers {
        header(&mut response, name.clone(), value);
    }
    response
}

fn status(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_response() {
        for kind in ProblemKind::ALL {
            let refusal = Refusal::from(Problem::new(*kind, "because"));
            let response = response(&refusal, "http://fairy.test/", "req");
            assert_eq!(response.status().as_u16(), kind.status());
            assert_eq!(response.content_type(), Some("application/problem+json"));
        }
    }

    #[test]
    fn only_a_server_error_has_an_incident() {
        let told = body(&Problem::field("title", "must not be empty"), "http://fairy.test/", None);
        insta::assert_json_snapshot!(told, @r#"
        {
          "type": "http://fairy.test/docs/problems#invalid",
          "title": "A value is not acceptable",
          "status": 422,
          "detail": "title must not be empty",
          "errors": [
            {
              "field": "title",
              "detail": "must not be empty"
            }
          ]
        }
        "#);
        let response = response(&PortError::Broken("row 5 is odd".into()).into(), "http://fairy.test", "r1");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[tokio::test]
    async fn a_defect_tells_nothing_of_itself() {
        let response = response(&PortError::Broken("row 5 is odd".into()).into(), "http://fairy.test", "r1");
        let text = response.into_body().into_string().await.unwrap();
        assert!(!text.contains("odd") && text.contains("urn:fairy:incident:r1"), "{text}");
    }

    #[test]
    fn foreign_errors_find_their_problem() {
        let kind = |error: poem::Error| refusal_of(error).problem.kind;
        assert_eq!(kind(NotFoundError.into()), ProblemKind::NotFound);
        assert_eq!(kind(MethodNotAllowedError.into()), ProblemKind::MethodNotAllowed);
        assert_eq!(kind(ReadBodyError::PayloadTooLarge.into()), ProblemKind::BodyTooLarge);
        assert_eq!(kind(poem::Error::from_status(StatusCode::BAD_GATEWAY)), ProblemKind::Internal);
        assert_eq!(kind(poem::Error::from_status(StatusCode::BAD_REQUEST)), ProblemKind::Malformed);
    }
}
