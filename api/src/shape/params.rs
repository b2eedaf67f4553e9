//! Query parameters as one struct: parsed together, so that all faults are told at once, and described one by one.
//!
//! The `OpenApi` derive knows one parameter per argument. A [`Params`] therefore describes itself as one parameter whose
//! schema is an object, and [`super::Documented`] takes that apart into the parameters it stands for.

use fairy_jobs::problem::{FieldError, Problem, ProblemKind};
use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSchemaRef, Registry},
    types::Type,
};
use serde::de::DeserializeOwned;

use crate::problem::Refusal;

/// The title that marks a schema as a bundle of parameters.
pub(crate) const BUNDLE: &str = "fairy:parameters";

/// A struct of query parameters.
pub(crate) trait QueryParams: Type + DeserializeOwned {}

/// The query parameters of a request.
pub(crate) struct Params<T>(pub T);

impl<'a, T: QueryParams> ApiExtractor<'a> for Params<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    type ParamType = T;
    type ParamRawType = T;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        let mut schema = Registry::new().create_fake_schema::<T>();
        schema.title = Some(BUNDLE.to_owned());
        Some(MetaSchemaRef::Inline(Box::new(schema)))
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<T>,
    ) -> poem::Result<Self> {
        let query = request.uri().query().unwrap_or_default();
        Ok(Self(parse(query).map_err(Refusal::from)?))
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    if query.len() > 8_000 {
        return Err(Problem::new(
            ProblemKind::Malformed,
            "The query string is longer than 8,000 characters.",
        ));
    }
    serde_urlencoded::from_str(query).map_err(|error| {
        let message = error.to_string();
        // `unknown field `x`, expected …`, `duplicate field `x``: the name stands between backquotes.
        let field = message.split('`').nth(1).unwrap_or("query").to_owned();
        let detail = if message.starts_with("unknown field") {
            "is not a parameter of this request"
        } else if message.starts_with("duplicate field") {
            "must be given once"
        } else {
            "is not of the right form"
        };
        Problem::fields(vec![FieldError { field, detail: detail.to_owned() }])
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Query {
        limit: Option<String>,
    }

    #[test]
    fn a_mistyped_parameter_is_not_ignored() {
        assert_eq!(parse::<Query>("limit=5").unwrap().limit.as_deref(), Some("5"));
        assert_eq!(parse::<Query>("limt=5").unwrap_err().errors[0].field, "limt");
        assert_eq!(parse::<Query>("limit=5&limit=6").unwrap_err().errors[0].field, "limit");
    }
}
