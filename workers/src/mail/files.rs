//! Mail as `.eml` files, for trying Fairy out and for tests.
//!
//! A file's name follows from its delivery, so a repeat overwrites itself and nobody is told twice; it begins with the
//! time at which the delivery was made, so that a listing is in order. A file is there whole or not at all, and stays.
//! Several processes may write into one directory.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use fairy_jobs::{
    clock::Clock,
    id::DeliveryId,
    ports::{Mail, Mailer, SendError, Sent},
};
use jiff::{Timestamp, tz::TimeZone};

use super::{Sender, message::message};

/// What unfinished files end in.
const UNFINISHED: &str = ".part";
/// Nobody writes on one file for so long: what is older was left by who was killed.
const LEFT: Duration = Duration::from_secs(60);

/// Writes each mail into a directory.
pub struct Files {
    directory: PathBuf,
    from: Sender,
    clock: Arc<dyn Clock>,
    /// Tells the unfinished files of this process from those of others, and from each other.
    writer: String,
    writes: AtomicU64,
}

/// Mail into files of this directory, which is made if it is missing and freed of what a killed process left unfinished.
/// `writer` is a name that no other process has.
///
/// # Errors
/// When the directory cannot be made or read.
pub fn files(
    directory: impl Into<PathBuf>,
    from: Sender,
    clock: Arc<dyn Clock>,
    writer: &str,
) -> io::Result<Files> {
    let directory = directory.into();
    fs::create_dir_all(&directory)?;
    for entry in fs::read_dir(&directory)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(UNFINISHED) && was_left(&path, clock.now()) {
            // Another process that starts may have been quicker.
            drop(fs::remove_file(path));
        }
    }
    Ok(Files { directory, from, clock, writer: writer.to_owned(), writes: AtomicU64::new(0) })
}

fn was_left(path: &Path, now: Timestamp) -> bool {
    let written = fs::metadata(path).and_then(|file| file.modified());
    let written = written.ok().and_then(|time| Timestamp::try_from(time).ok());
    written.is_some_and(|written| now.duration_since(written) > LEFT.try_into().unwrap_or_default())
}

#[async_trait]
impl Mailer for Files {
    async fn send(&self, mail: &Mail) -> Result<Sent, SendError> {
        let message = message(mail, &self.from, self.clock.as_ref())
            .map_err(|error| SendError::Permanent { error: error.to_string() })?;
        let name = name(mail.delivery);
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.directory.join(format!(".{name}.{}-{number}{UNFINISHED}", self.writer));
        let finished = self.directory.join(&name);
        let bytes = message.formatted();
        let written = tokio::task::spawn_blocking(move || write(&bytes, &unfinished, &finished)).await;
        match written {
            Ok(Ok(())) => Ok(Sent { provider_id: name }),
            // The disk is full or the directory gone, which no mail is to blame for.
            Ok(Err(error)) => {
                Err(SendError::Away { error: format!("mail files cannot be written: {error}") })
            }
            Err(error) => Err(SendError::Temporary { error: error.to_string(), after: None }),
        }
    }
}

/// `20261122-172330-dlv_….eml`: when the delivery was made, in UTC, which its id tells (its first 48 bits).
fn name(delivery: DeliveryId) -> String {
    let mut milliseconds = [0; 8];
    milliseconds[2..].copy_from_slice(&delivery.to_bytes()[..6]);
    let made = i64::try_from(u64::from_be_bytes(milliseconds)).ok();
    let made = made.and_then(|made| Timestamp::from_millisecond(made).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{}-{delivery}.eml", made.to_zoned(TimeZone::UTC).strftime("%Y%m%d-%H%M%S"))
}

fn write(bytes: &[u8], unfinished: &Path, finished: &Path) -> io::Result<()> {
    let result = (|| {
        let mut file = File::create(unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(unfinished, finished)?;
        // The name is durable only when its directory is.
        File::open(finished.parent().unwrap_or(Path::new(".")))?.sync_all()
    })();
    if result.is_err() {
        // On a full disk the half that was written must not stay; if even that fails, the next start removes it.
        drop(fs::remove_file(unfinished));
    }
    result
}
