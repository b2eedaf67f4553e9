//! A problem inside another answer: why an operation was refused or failed.

use std::borrow::Cow;

use fairy_jobs::problem::Problem;
use poem_openapi::{
    registry::{MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::Value;

use crate::{
    problem::{Refusal, body},
    shape::problem_schema,
};

/// A problem as RFC 9457 writes it.
pub(crate) struct ProblemView(Value);

impl ProblemView {
    /// A problem, documented under this public address.
    pub fn of(problem: &Problem, base: &str) -> Self {
        Self(body(problem, base, None))
    }
}

impl Type for ProblemView {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "Problem".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference("Problem".to_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Refusal, _>("Problem".to_owned(), |_| problem_schema());
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ToJSON for ProblemView {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.clone())
    }
}

impl ParseFromJSON for ProblemView {
    fn parse_from_json(_: Option<Value>) -> ParseResult<Self> {
        Err(ParseError::custom("is only shown"))
    }
}
