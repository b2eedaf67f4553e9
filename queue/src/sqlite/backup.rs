//! A copy of the file, taken while it is served.

use std::path::{Path, PathBuf};

use sqlx::Connection;

use super::connect;

/// Why the file could not be copied.
#[derive(Debug, thiserror::Error)]
#[error("{path} cannot be copied: {error}")]
pub struct BackupError {
    /// The file.
    pub path: PathBuf,
    /// What the system or SQLite says.
    pub error: String,
}

/// Writes a compact copy of the file into a new file, as of one moment, and makes it durable.
///
/// A job that is in somebody's hands is in the copy too and will be handed out again there. So of a queue and the
/// database that its jobs write, the queue is copied first: a job that is done in between is then in both, and whoever
/// does it again finds it done; the other way round it would be in neither.
///
/// # Errors
/// When the file cannot be read, or the new one exists or cannot be written.
pub async fn backup_to(path: &Path, copy: &Path) -> Result<(), BackupError> {
    const COPY: &str = "VACUUM INTO ?";
    let failed =
        |error: &dyn std::fmt::Display| BackupError { path: path.to_owned(), error: error.to_string() };
    let mut conn = connect::writer(path, false).await.map_err(|error| failed(&error))?;
    let name = copy.to_str().ok_or_else(|| failed(&"the name of the copy is not UTF-8"))?;
    let copied = sqlx::query(COPY).bind(name).execute(&mut conn).await;
    copied.map_err(|error| failed(&error))?;
    conn.close().await.map_err(|error| failed(&error))?;
    let durable = std::fs::File::open(copy).and_then(|file| file.sync_all());
    durable.map_err(|error| failed(&error))
}
