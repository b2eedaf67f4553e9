//! Taking the answers of scripts apart.

use redis::Value;

use super::failure::Failure;

fn misread(what: &str, value: &Value) -> Failure {
    Failure::Unknown(format!("{what} was expected of the server, not {value:?}"))
}

/// A list.
pub(super) fn list(value: Value) -> Result<Vec<Value>, Failure> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(misread("a list", &other)),
    }
}

/// Bytes.
pub(super) fn bytes(value: Value) -> Result<Vec<u8>, Failure> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        other => Err(misread("a text", &other)),
    }
}

/// A text.
pub(super) fn text(value: Value) -> Result<String, Failure> {
    Ok(String::from_utf8_lossy(&bytes(value)?).into_owned())
}

/// A text, or nothing.
pub(super) fn maybe_text(value: Value) -> Result<Option<String>, Failure> {
    match value {
        Value::Nil | Value::Boolean(false) => Ok(None),
        other => text(other).map(Some),
    }
}

/// A whole number.
pub(super) fn number(value: &Value) -> Result<i64, Failure> {
    match value {
        Value::Int(number) => Ok(*number),
        other => Err(misread("a number", other)),
    }
}

/// A list of texts.
pub(super) fn texts(value: Value) -> Result<Vec<String>, Failure> {
    list(value)?.into_iter().map(text).collect()
}
