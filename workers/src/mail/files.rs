//! Mail as files.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use fairy_jobs::{
    clock::Clock,
    ports::{Mail, Mailer, SendError, Sent},
};

use super::Sender;

/// Writes each mail into a directory.
pub struct Files;

/// Mail into files of this directory, which is made if it is missing.
///
/// # Errors
/// When the directory cannot be made or written.
pub fn files(_dir: PathBuf, _from: Sender, _clock: Arc<dyn Clock>) -> std::io::Result<Files> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[async_trait]
impl Mailer for Files {
    async fn send(&self, _mail: &Mail) -> Result<Sent, SendError> {
        Err(SendError::Temporary { error: "skeleton".to_owned(), after: None })
    }
}
