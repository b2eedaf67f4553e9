//! A JSON body: bounded before it is read, refused with the name of the field at fault, its bytes kept for the
//! fingerprint.
//!
//! What is not JSON is `400`; JSON of the wrong shape is `422`, as a value is that the domain refuses. Nesting is bounded
//! by serde_json (128 levels), repeated and unknown fields are refused.

use std::{marker::PhantomData, time::Duration};

use bytes::Bytes;
use fairy_jobs::problem::{FieldError, Problem, ProblemKind};
use poem::{Request, RequestBody, error::ReadBodyError, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::Type,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::error::Category;

use super::Given;
use crate::problem::Refusal;

/// The largest body of most requests, in bytes.
const MOST_BYTES: usize = 1 << 20;
/// How long a body may take to arrive.
const MOST_TIME: Duration = Duration::from_secs(30);

/// A body, parsed as far as its JSON goes.
pub(crate) struct JsonBody<T, const LIMIT: usize = MOST_BYTES> {
    /// What it says.
    pub value: T,
    /// Its bytes.
    pub raw: Bytes,
}

impl<'a, T: Type + DeserializeOwned, const LIMIT: usize> ApiExtractor<'a> for JsonBody<T, LIMIT> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let raw = read(request, body, LIMIT).await.map_err(Refusal::from)?;
        let value = parse(&raw).map_err(Refusal::from)?;
        Ok(Self { value, raw })
    }
}

async fn read(request: &Request, body: &mut RequestBody, limit: usize) -> Result<Bytes, Problem> {
    let json = |mime: &str| {
        let essence = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence == "application/json" || essence.starts_with("application/") && essence.ends_with("+json")
    };
    if !request.content_type().is_some_and(json) {
        let detail = "The body must be sent as application/json.";
        return Err(Problem::new(ProblemKind::UnsupportedMediaType, detail));
    }
    let too_large = || {
        let detail = format!("The body may have at most {limit} bytes.");
        Problem::new(ProblemKind::BodyTooLarge, detail)
    };
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let malformed = |detail: &str| Problem::new(ProblemKind::Malformed, detail);
    let body = body.take().map_err(|_| malformed("There is no body."))?;
    match tokio::time::timeout(MOST_TIME, body.into_bytes_limit(limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(ReadBodyError::PayloadTooLarge)) => Err(too_large()),
        Ok(Err(_)) => Err(malformed("The body broke off.")),
        Err(_) => Err(malformed("The body did not arrive within 30 seconds.")),
    }
}

/// The value in these bytes, or the problem that names what is wrong with them.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize::<_, OnlyMap<T>>(&mut reader);
    let OnlyMap(value) = parsed.map_err(|error| {
        let path = error.path().to_string();
        refusal(&path, &error.into_inner())
    })?;
    reader.end().map_err(|error| refusal("", &error))?;
    Ok(value)
}

/// A struct written as an object. serde would take an array too, its values in the order of the fields.
struct OnlyMap<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OnlyMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = OnlyMap<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OnlyMap<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(OnlyMap)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// Reads a field that is a list of objects.
pub(crate) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let objects = Vec::<OnlyMap<T>>::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|OnlyMap(object)| object).collect())
}

/// Reads a field that is an object and may be absent.
pub(crate) fn given_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Given<T>, D::Error> {
    OnlyMap::deserialize(deserializer).map(|OnlyMap(object)| Given(Some(object)))
}

fn refusal(path: &str, error: &serde_json::Error) -> Problem {
    if error.classify() != Category::Data {
        return Problem::new(ProblemKind::Malformed, format!("The body is not JSON: {error}."));
    }
    // serde_json ends every message with its position, which says nothing to who sent one line.
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
    let (field, detail) = match unknown {
        Some((field, _)) if path.ends_with(field) => {
            (path.to_owned(), "is not a field of this request".to_owned())
        }
        Some((field, _)) => (join(path, field), "is not a field of this request".to_owned()),
        None if path.is_empty() || path == "." => {
            ("body".to_owned(), format!("is not of the right form: {message}"))
        }
        None => (path.to_owned(), format!("is not of the right form: {message}")),
    };
    let cut = |text: String, most: usize| text.chars().take(most).collect::<String>();
    Problem::fields(vec![FieldError { field: cut(indexed(&field), 200), detail: cut(detail, 300) }])
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() || path == "." { field.to_owned() } else { format!("{path}.{field}") }
}

/// `items[3].title` as `items.3.title`, the one form in which fields are named.
fn indexed(path: &str) -> String {
    path.replace('[', ".").replace(']', "")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Item {
        title: String,
        tags: Vec<String>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Request {
        #[serde(deserialize_with = "objects")]
        items: Vec<Item>,
        count: i64,
    }

    fn fault(json: &str) -> (u16, String) {
        let problem = parse::<Request>(json.as_bytes()).unwrap_err();
        (problem.kind.status(), problem.errors.first().map(|e| e.field.clone()).unwrap_or_default())
    }

    #[test]
    fn names_the_field_at_fault() {
        assert_eq!(fault(r#"{"items":[{"title":"a"},{"title":5}]}"#), (422, "items.1.title".into()));
        assert_eq!(fault(r#"{"items":[{"tags":["a",null]}]}"#), (422, "items.0.tags.1".into()));
        assert_eq!(fault(r#"{"items":[{"colour":"red"}]}"#), (422, "items.0.colour".into()));
        assert_eq!(fault(r#"{"colour":"red"}"#), (422, "colour".into()));
        assert_eq!(fault(r#"{"count":1.5}"#), (422, "count".into()));
        assert_eq!(fault(r#"{"items":[["a"]]}"#), (422, "items.0".into()));
        assert_eq!(fault("[]"), (422, "body".into()));
        assert_eq!(fault("[1]"), (422, "body".into()));
        assert_eq!(fault("null"), (422, "body".into()));
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        let deep = format!("{{\"count\":{}", "{\"a\":".repeat(100_000));
        assert_eq!(fault(&deep).0, 422, "refused at the first level that is not asked for");
        for bad in ["", "{", "{}x", "{\"count\":1e999}", "\u{0}", "{\"items\":[{\"title\":\"\\ud800\"}]}"] {
            assert_eq!(fault(bad).0, 400, "{}", &bad[..bad.len().min(20)]);
        }
    }
}
