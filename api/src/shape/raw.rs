//! A domain type in a request, before it is judged: any text is taken, and refused later together with all others.

use std::borrow::Cow;

use poem_openapi::{
    registry::MetaSchemaRef,
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Input;

/// What a client sent where a `T` belongs.
pub(crate) struct Raw<T: Input>(T::Json);

impl<T: Input> Raw<T> {
    /// The `T`, or why it is none.
    pub fn parse(&self) -> Result<T, String> {
        T::parse(&self.0)
    }
}

impl<T: Input> Default for Raw<T> {
    fn default() -> Self {
        Self(T::Json::default())
    }
}

impl<T: Input> Clone for Raw<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Input> std::fmt::Debug for Raw<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de, T: Input> Deserialize<'de> for Raw<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::Json::deserialize(deserializer).map(Self)
    }
}

impl<T: Input> Type for Raw<T> {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "string".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(T::schema()))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl<T: Input> ParseFromJSON for Raw<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        serde_json::from_value(value.unwrap_or_default()).map(Self).map_err(ParseError::custom)
    }
}

impl<T: Input> ToJSON for Raw<T> {
    fn to_json(&self) -> Option<Value> {
        serde_json::to_value(&self.0).ok()
    }
}
