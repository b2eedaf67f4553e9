//! Directories and the room that is left on their disks.

use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use super::report::Finding::{self, Note, Well, Wrong};
use crate::{
    config::{Config, Transport},
    process::data_dir::{self, nearest},
};

/// Less free space than this is a failure: SQLite needs room to finish what it began.
const LEAST_SPACE: u64 = 200 * 1024 * 1024;

/// Whether the data directory is used: where all is on servers, only for mail in files.
pub fn is_used(config: &Config) -> bool {
    config.database.is_file()
        || config.queue.is_file()
        || matches!(config.mail.transport, Transport::Files(_))
}

/// Whether a directory can be written, or made.
pub fn directory(path: &Path) -> Finding {
    if !path.exists() {
        let above = nearest(path);
        return match access(above, Access::WRITE_OK) {
            Ok(()) => Note(format!("{} is not there yet; `fairy up` makes it", path.display())),
            Err(error) => Wrong(format!(
                "{} is not there and cannot be made in {}: {error}",
                path.display(),
                above.display()
            )),
        };
    }
    match data_dir::probe(path) {
        Ok(()) => Well(format!("{} can be written", path.display())),
        Err(error) => Wrong(format!("{} cannot be written: {error}", path.display())),
    }
}

/// Whether others may look into the data directory.
pub fn privacy(path: &Path) -> Finding {
    match data_dir::is_open_to_others(path) {
        Ok(true) => Note(format!("others may look into {}: `chmod 700` keeps them out", path.display())),
        Ok(false) => Well(format!("{} is its owner's only", path.display())),
        // Made at the first start, for its owner only; what else is wrong with it is told above.
        Err(_) => Well(format!("{} is made for its owner only", path.display())),
    }
}

/// Where files grow: the data directory, and what else the settings name.
pub fn places(config: &Config) -> Vec<(&'static str, &Path)> {
    let files = [("database space", config.database.file()), ("queue space", config.queue.file())];
    let parents = files.into_iter().filter_map(|(what, file)| Some((what, parent(file?))));
    let elsewhere = parents.filter(|(_, place)| *place != config.data_dir);
    std::iter::once(("disk space", config.data_dir.as_path())).chain(elsewhere).collect()
}

fn parent(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file that is not there yet: whether `fairy up` can make it.
pub fn to_be_made(file: &Path) -> Finding {
    match directory(parent(file)) {
        Wrong(words) => Wrong(words),
        Well(_) | Note(_) => Note(format!("{} is not there yet; `fairy up` makes it", file.display())),
    }
}

/// How much room is left.
pub fn space(path: &Path) -> Finding {
    match statvfs(nearest(path)) {
        Ok(found) => {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            let megabytes = free / (1024 * 1024);
            match free {
                0..LEAST_SPACE => {
                    Wrong(format!("{megabytes} MB free: make room, SQLite needs some to go on"))
                }
                _ => Well(format!("{megabytes} MB free")),
            }
        }
        Err(error) => Wrong(format!("unknown: {error}")),
    }
}
