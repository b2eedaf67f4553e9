//! Mail: who is told, of what, once; as files, on the page that shows them, and over SMTP.

mod content;
mod dev_page;
mod recipients;
pub mod sink;
pub mod smtp;
mod suspended;
