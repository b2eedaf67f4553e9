//! Mail: what it says, and how it leaves.
//!
//! `render` turns a delivery into a `Mail`, in the language of whoever reads it; a transport turns that into a
//! message and hands it over. The words of a language are one file (`english.rs`) behind one trait; the layout is in
//! `templates/`, compiled into the program, and knows no words.

mod address;
mod difference;
mod english;
mod files;
mod language;
mod letter;
mod message;
mod notice;
mod render;
mod sender;
mod smtp;
mod values;

pub use files::{Files, files};
pub(crate) use message::message;
pub(crate) use render::{Rendered, Site, render};
pub use sender::{Sender, SenderError};
pub use smtp::{Smtp, SmtpError, smtp};
