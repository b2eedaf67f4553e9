//! Lists: `{"items":[…],"next":cursor|null}`, and the parameters that all of them share.

use std::borrow::Cow;

use fairy_jobs::page::{Cursor, Limit, Page, PageRequest};
use poem_openapi::{
    Object,
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ToJSON, Type},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Described, Fields, Given, Input, Params, QueryParams, Raw};

/// A part of a list.
pub(crate) struct ListOf<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl<T> ListOf<T> {
    /// A page with each item shown.
    pub fn of<D>(page: Page<D>, show: impl FnMut(D) -> T) -> Self {
        Self {
            items: page.items.into_iter().map(show).collect(),
            next: page.next.map(|cursor| cursor.to_string()),
        }
    }
}

impl<T: Type> Type for ListOf<T> {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        format!("{}List", T::name()).into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(Self::name().into_owned())
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
        registry.create_schema::<Self, _>(Self::name().into_owned(), |_| MetaSchema {
            description: Some("A part of a list."),
            required: vec!["items", "next"],
            properties: vec![("items", <Vec<T>>::schema_ref()), ("next", next())],
            ..MetaSchema::new("object")
        });
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

fn next() -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(MetaSchema {
        description: Some("Where the next part begins: to be sent as `cursor`; null at the end."),
        nullable: true,
        ..Cursor::schema()
    }))
}

impl<T: Type + ToJSON> ToJSON for ListOf<T> {
    fn to_json(&self) -> Option<Value> {
        Some(json!({ "items": self.items.to_json(), "next": self.next }))
    }
}

/// How many items are wanted, as a parameter.
pub(crate) struct LimitParam(Limit);

impl Described for LimitParam {
    fn schema() -> MetaSchema {
        MetaSchema {
            minimum: Some(1.0),
            maximum: Some(200.0),
            default: Some(50.into()),
            ..MetaSchema::new_with_format("integer", "int32")
        }
    }
}

impl Input for LimitParam {
    type Json = String;

    fn parse(json: &String) -> Result<Self, String> {
        let limit = json.parse().unwrap_or(0);
        Limit::new(limit).map(Self).map_err(|e| e.to_string())
    }
}

/// The number of a change, as a parameter.
pub(crate) struct SeqParam(pub u64);

impl Described for SeqParam {
    fn schema() -> MetaSchema {
        MetaSchema { minimum: Some(0.0), ..MetaSchema::new_with_format("integer", "int64") }
    }
}

impl Input for SeqParam {
    type Json = String;

    fn parse(json: &String) -> Result<Self, String> {
        // Not over the integers that every JSON reader keeps exactly (RFC 8259 §6).
        let seq = json.parse().ok().filter(|seq| *seq < 1 << 53);
        seq.map(Self).ok_or_else(|| "must be the number of a change".to_owned())
    }
}

/// The parameters of a list that is only paged.
#[derive(Debug, Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(rename = "PageParams")]
pub(crate) struct PageParams {
    /// How many items at the most.
    pub limit: Given<Raw<LimitParam>>,
    /// Where to go on: `next` of the part before.
    pub cursor: Given<Raw<Cursor>>,
}

impl QueryParams for PageParams {}

impl Params<PageParams> {
    /// Which part is wanted.
    pub fn page(&self) -> Result<PageRequest, fairy_jobs::problem::Problem> {
        let mut fields = Fields::default();
        let page = page_request(&mut fields, &self.0.limit, &self.0.cursor);
        fields.finish(|| Some(page))
    }
}

/// Which part of a list these parameters ask for.
pub(crate) fn page_request(
    fields: &mut Fields,
    limit: &Given<Raw<LimitParam>>,
    cursor: &Given<Raw<Cursor>>,
) -> PageRequest {
    PageRequest {
        limit: fields.given("limit", limit).map_or_else(Limit::default, |limit| limit.0),
        cursor: fields.given("cursor", cursor),
    }
}
