//! The machinery between a broker and a handler, driven by apalis.

mod register;

pub use register::{Crew, register};
