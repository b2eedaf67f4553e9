//! Mail: what it says, and how it leaves.

mod files;
mod sender;
mod smtp;

pub use files::{Files, files};
pub use sender::Sender;
pub use smtp::{Smtp, SmtpError, smtp};
