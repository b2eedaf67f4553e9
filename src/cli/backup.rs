//! `fairy backup DIR`: a copy from which everything can go on, also while `fairy up` runs.
//!
//! The queue is copied first, the database after it. An operation that was acknowledged before the backup began is
//! then either in the copied queue or was applied before and is in the copied database; one that was applied between the
//! two copies is in both, and its row keeps it from being applied again. The other order would lose the latter.
//! Mail files are not copied: what was told is in the rows.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use fairy_queue::sqlite;

use super::run::print;
use crate::{
    Failure,
    config::{Config, SecretSource},
    process::data_dir,
    stack::{Parts, Patience, open_store},
};

/// What the copy says about itself.
const README: &str = "\
This is a copy of a Fairy data directory, made by `fairy backup`.

To restore:
1. Stop `fairy up`.
2. Move the old data directory away.
3. Copy this directory to its place, for example: cp -a THIS ./var
   (If FAIRY__DATABASE__URL or FAIRY__QUEUE__URL name other places, copy fairy.db and queue.db there.)
4. Start `fairy up`. It finishes what was accepted and not yet applied when the copy was made.
Whoever followed a feed of changes beyond the copy is to read it again from its beginning: until the copy has as many changes
again, the feed answers 409.

What is in it: queue.db (operations accepted), fairy.db (everything applied), secret.key (makes links in mails; keep it
secret). fairy.db was copied after queue.db, and must be: do not mix files of two copies.
";

/// What to do where it copies nothing.
const ON_SERVERS: &str = "\
`fairy backup` copies files, and the settings name servers: copy those by their own tools, the queue first (Redis: BGSAVE \
or its append-only directory) and the database after it (a snapshot, or mariadb-dump or mysqldump --single-transaction), \
and keep the secret";

pub async fn run(config: Config, directory: PathBuf) -> Result<ExitCode, Failure> {
    let (Some(queue), Some(database)) = (config.queue.file(), config.database.file()) else {
        return Err(Failure::new(ON_SERVERS));
    };
    for file in [queue, database] {
        if !file.exists() {
            return Err(Failure::new(format_args!(
                "there is no {} to copy: start `fairy up` once, or set FAIRY__DATA_DIR",
                file.display()
            )));
        }
    }
    check_place(&config, &directory)?;
    let partial = partial(&directory)?;
    let failed = |error: String| {
        Failure::new(format_args!(
            "the copy in {} is not complete and was not kept: {error}",
            partial.display()
        ))
    };
    if let Err(error) = copy((&config, queue), &partial).await {
        // The first error is the one to tell; what cannot be removed is named in the line.
        let _ = std::fs::remove_dir_all(&partial);
        return Err(failed(error));
    }
    std::fs::rename(&partial, &directory).map_err(|error| failed(error.to_string()))?;
    print(&format!("{} holds a copy; its README says how to restore it", directory.display()))
}

/// Whether the copy may go there: to a new place, and not to where it goes with what it is a copy of.
fn check_place(config: &Config, directory: &Path) -> Result<(), Failure> {
    let shown = directory.display();
    if directory.exists() {
        return Err(Failure::new(format_args!("{shown} exists already: name a new directory")));
    }
    let inside = data_dir::holds(&config.data_dir, directory);
    match inside.map_err(|error| Failure::new(format_args!("{shown} cannot be made: {error}")))? {
        true => Err(Failure::new(format_args!(
            "{shown} is inside the data directory {} and would be lost with it: name a directory elsewhere, best on \
             another disk",
            config.data_dir.display()
        ))),
        false => Ok(()),
    }
}

/// The copy grows under another name, so that half of one is never taken for a whole.
fn partial(directory: &Path) -> Result<PathBuf, Failure> {
    let name = directory.file_name().ok_or_else(|| Failure::new("name a directory to make"))?;
    let mut name = name.to_owned();
    name.push(".partial");
    let partial = directory.with_file_name(name);
    let fresh = match partial.exists() {
        true => std::fs::remove_dir_all(&partial),
        false => Ok(()),
    };
    fresh
        .and_then(|()| data_dir::create(&partial))
        .map_err(|error| Failure::new(format_args!("{} cannot be made: {error}", partial.display())))?;
    Ok(partial)
}

async fn copy((config, from): (&Config, &Path), into: &Path) -> Result<(), String> {
    let queue = into.join("queue.db");
    sqlite::backup_to(from, &queue).await.map_err(|error| error.to_string())?;
    let store =
        open_store(config, &Parts::default(), &Patience::none()).await.map_err(|error| error.to_string())?;
    let copied = store.backup_to(&into.join("fairy.db")).await;
    store.close().await;
    copied.map_err(|error| error.to_string())?;
    if let SecretSource::File(path) = &config.secret {
        let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        write(&into.join("secret.key"), &text).map_err(|error| error.to_string())?;
    }
    write(&into.join("README"), README.as_bytes()).map_err(|error| error.to_string())?;
    data_dir::sync(into).map_err(|error| error.to_string())
}

/// Writes a file for its owner only, and makes it durable.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
