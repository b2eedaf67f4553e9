//! Settings: laid over each other, checked whole, and shown without their secrets.
//!
//! Defaults in the binary, then `fairy.toml` or the file named by `--config`, then `FAIRY__SECTION__KEY` in the
//! environment. Everything that is wrong is told at once, each with its place, before anything is opened. Nothing
//! outside this module reads the environment.

mod check;
mod environment;
mod fault;
mod file;
mod layer;
mod load;
mod mail;
mod place;
mod places;
mod reader;
mod reference;
mod setting;
mod sinks;
mod values;

pub use check::check;
pub use fault::{Fault, Faults};
pub use layer::{Given, Layers, Origin};
pub use load::{Source, load};
pub use place::{DatabaseServer, Place, QueueServer, ServerUrl};
pub use reference::{Effective, effective, reference};
pub use setting::{SETTINGS, Setting};
pub use values::{Color, Config, Http, Log, LogFormat, Mail, SecretSource, SignUp, Transport};
