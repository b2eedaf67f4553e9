//! From JSON to a request, refused with the name of the field at fault.
//!
//! What is not JSON is `400`; JSON of the wrong shape is `422`, as a value is that the domain refuses. Nesting is bounded
//! by serde_json (128 levels), repeated and unknown fields are refused.

use std::marker::PhantomData;

use fairy_jobs::problem::{FieldError, Problem, ProblemKind};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::error::Category;

use super::Given;
use crate::accept::most_items;

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

/// Reads a field that is a list of objects, and keeps one more than may be: a large body of small objects would
/// take a hundred times its size in memory.
pub(crate) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    struct Items<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list of objects")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut items = Vec::new();
            while let Some(OnlyMap(item)) = list.next_element()? {
                items.push(item);
                if items.len() > most_items() {
                    // One too many is enough to be refused; the rest is read over.
                    while list.next_element::<IgnoredAny>()?.is_some() {}
                }
            }
            Ok(items)
        }
    }

    deserializer.deserialize_seq(Items(PhantomData))
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

    #[test]
    fn a_list_keeps_one_more_than_may_be() {
        #[derive(Deserialize)]
        struct Many {
            #[serde(deserialize_with = "objects")]
            items: Vec<Item>,
        }
        let body = format!("{{\"items\":[{}{{}}]}}", "{},".repeat(100_000));
        assert_eq!(parse::<Many>(body.as_bytes()).unwrap().items.len(), most_items() + 1);
    }

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
