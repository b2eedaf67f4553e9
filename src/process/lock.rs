//! A lock that one process holds, beside what it uses; the system frees it with the process, however that ends.

use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, not read")] File);

impl Lock {
    /// Takes the lock of this file, whose name is the file's with `.in-use` behind it; `None` if another process has it.
    ///
    /// # Errors
    /// When the lock cannot be made.
    pub fn beside(path: &Path) -> io::Result<Option<Self>> {
        let mut name = OsString::from(path);
        name.push(".in-use");
        let file = File::options().create(true).truncate(false).write(true).open(PathBuf::from(name))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fairy.db");
        let held = Lock::beside(&path).unwrap().unwrap();
        assert!(Lock::beside(&path).unwrap().is_none());
        drop(held);
        assert!(Lock::beside(&path).unwrap().is_some());
        assert!(Lock::beside(&directory.path().join("none/fairy.db")).is_err());
    }
}
