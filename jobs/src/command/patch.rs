//! The three things a patch can say of a field (RFC 7396): nothing, null, or a value.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a patch says of one field; absent in JSON is `Leave`, so the field needs `#[serde(default)]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Not mentioned.
    #[default]
    Leave,
    /// Null: clear it.
    Clear,
    /// A new value.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the field is not mentioned.
    pub const fn is_leave(&self) -> bool {
        matches!(self, Self::Leave)
    }

    /// The same with the value converted.
    pub fn try_map<U, E>(self, convert: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Leave => Patch::Leave,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(convert(value)?),
        })
    }

    /// The value after the patch, `cleared` standing for null.
    pub fn over(&self, before: &T, cleared: T) -> T
    where
        T: Clone,
    {
        match self {
            Self::Leave => before.clone(),
            Self::Clear => cleared,
            Self::Set(value) => value.clone(),
        }
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Set(value) => serializer.serialize_some(value),
            Self::Leave | Self::Clear => serializer.serialize_none(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}
