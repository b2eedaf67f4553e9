//! The data directory: made when missing, for nobody else to read, and no file that is made in it either.

use std::{
    fs::{DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::Path,
};

use rustix::fs::Mode;

/// From now on what this process makes is for its owner only: a data directory that was there before may be open to
/// others, and mails hold links that open accounts.
pub fn keep_private() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Whether others than its owner may look into the directory.
///
/// # Errors
/// When it cannot be looked at.
pub fn is_open_to_others(path: &Path) -> io::Result<bool> {
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

/// Makes the directory if it is missing, with access for its owner only.
///
/// # Errors
/// When it cannot be made or is something else.
pub fn create(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The path itself, or the first directory above it that is there.
pub fn nearest(path: &Path) -> &Path {
    let there = path.ancestors().find(|ancestor| ancestor.exists());
    there.unwrap_or(Path::new("."))
}

/// Whether what is made at this path would be in the directory, whatever links lead there.
///
/// # Errors
/// When the system does not say where they lead.
pub fn holds(directory: &Path, path: &Path) -> io::Result<bool> {
    Ok(directory.exists() && nearest(path).canonicalize()?.starts_with(directory.canonicalize()?))
}

/// Writes a file into the directory and removes it again.
///
/// # Errors
/// When that does not work; a full disk and a read-only file system show here.
pub fn probe(path: &Path) -> io::Result<()> {
    let probe = path.join(".probe");
    File::create(&probe)?.sync_all()?;
    std::fs::remove_file(probe)
}

/// Makes what was written to the directory itself (new names) durable.
///
/// # Errors
/// When the system says so.
pub fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
