//! Telling people: notices, and the deliveries that carry them.

pub(crate) mod deliveries;

pub(crate) use self::deliveries::Letter;
