//! Fields that may be absent or null, each said exactly: a description in which "absent" and "null" blur makes clients
//! that clear what they meant to leave.

use std::borrow::Cow;

use fairy_jobs::command::Patch;
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A request's field that may be absent, and may not be null.
#[derive(Debug, Clone)]
pub(crate) struct Given<T>(pub Option<T>);

/// A request's field that may be absent or null.
#[derive(Debug, Clone)]
pub(crate) struct Patched<T>(pub Patch<T>);

/// A response's field that is always there and may be null.
#[derive(Debug, Clone)]
pub(crate) struct Nullable<T>(pub Option<T>);

impl<T> Patched<T> {
    /// The value, where absent and null mean the same.
    pub const fn value(&self) -> Option<&T> {
        match &self.0 {
            Patch::Set(value) => Some(value),
            Patch::Leave | Patch::Clear => None,
        }
    }
}

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Default for Patched<T> {
    fn default() -> Self {
        Self(Patch::Leave)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patched<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Patch::deserialize(deserializer).map(Self)
    }
}

fn nullable(schema: MetaSchemaRef) -> MetaSchemaRef {
    schema.merge(MetaSchema { nullable: true, ..MetaSchema::ANY })
}

macro_rules! optional_types {
    ($($name:ident, $required:literal, $schema:expr;)*) => {$(
        impl<T: Type> Type for $name<T> {
            const IS_REQUIRED: bool = $required;
            type RawValueType = T::RawValueType;
            type RawElementValueType = T::RawElementValueType;

            fn name() -> Cow<'static, str> {
                T::name()
            }

            fn schema_ref() -> MetaSchemaRef {
                $schema(T::schema_ref())
            }

            fn register(registry: &mut Registry) {
                T::register(registry);
            }

            fn as_raw_value(&self) -> Option<&Self::RawValueType> {
                self.held().and_then(Type::as_raw_value)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
                self.held().map_or_else(|| Box::new(std::iter::empty()) as _, Type::raw_element_iter)
            }
        }

        impl<T: ToJSON> ToJSON for $name<T> {
            fn to_json(&self) -> Option<Value> {
                self.held().map_or(Some(Value::Null), ToJSON::to_json)
            }
        }
    )*};
}

impl<T> Given<T> {
    const fn held(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T> Patched<T> {
    const fn held(&self) -> Option<&T> {
        self.value()
    }
}

impl<T> Nullable<T> {
    const fn held(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

optional_types! {
    Given, false, std::convert::identity;
    Patched, false, nullable;
    Nullable, true, nullable;
}

impl<T: ParseFromJSON> ParseFromJSON for Given<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        value
            .map(|value| T::parse_from_json(Some(value)))
            .transpose()
            .map(Self)
            .map_err(poem_openapi::types::ParseError::propagate)
    }
}

impl<T: ParseFromJSON> ParseFromJSON for Patched<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        let patch = match value {
            None => Ok(Patch::Leave),
            Some(Value::Null) => Ok(Patch::Clear),
            Some(value) => T::parse_from_json(Some(value)).map(Patch::Set),
        };
        patch.map(Self).map_err(poem_openapi::types::ParseError::propagate)
    }
}

impl<T: ParseFromJSON> ParseFromJSON for Nullable<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        Option::<T>::parse_from_json(value).map(Self).map_err(poem_openapi::types::ParseError::propagate)
    }
}
